// Whole quotients and what is left over, of floats and of integers; and what is true of two truth
// values.
#include <cmath>

#include "broadcast.h"

namespace nb {
namespace {

// By way of double, in which the remainder of floats is exact; as Python divides.
NB_INLINE double left_over(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
NB_INLINE float remainder(float a, float b) { return static_cast<float>(left_over(a, b)); }

// Not floor(a / b): the quotient may have been rounded up to a whole number.
NB_INLINE float floor_divide(float a, float b) {
  const double x = a, y = b;
  if (y == 0) return static_cast<float>(x / y);
  const double rest = std::fmod(x, y);
  const bool is_above = rest != 0 && (rest < 0) != (y < 0);
  const double quotient = (x - rest) / y - (is_above ? 1 : 0);
  if (quotient == 0) return static_cast<float>(std::copysign(0.0, x / y));
  const double below = std::floor(quotient);
  return static_cast<float>(quotient - below > 0.5 ? below + 1 : below);
}

const Registration floats[] = {
    binary<NumbersIn<float>, NumbersOut<float>, floor_divide>("floorDivide"),
    binary<NumbersIn<float>, NumbersOut<float>, remainder>("remainder"),
};

// Of integers the divisor is not 0 (below). By -1, the quotient of the least wraps around.
NB_INLINE int32_t negated(int32_t a) { return static_cast<int32_t>(0u - static_cast<uint32_t>(a)); }
NB_INLINE int32_t truncate_divide(int32_t a, int32_t b) { return b == -1 ? negated(a) : a / b; }
NB_INLINE int32_t left_over(int32_t a, int32_t b) {
  if (b == -1) return 0;
  const int32_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
NB_INLINE int32_t floor_divide(int32_t a, int32_t b) {
  if (b == -1) return negated(a);
  const int32_t r = a % b;
  return a / b - (r != 0 && (r < 0) != (b < 0) ? 1 : 0);
}

template <typename A, typename Y, auto F>
Fault divide_run(A a, A b, Y y, Size n0, Size n1, Size n2, Size a_mask, Size b_mask,
                 Chunk chunk) noexcept {
  const size_t divisors = (b_mask & 1 ? n0 : 1) * (b_mask & 2 ? n1 : 1) * (b_mask & 4 ? n2 : 1);
  for (size_t i = 0; n0 * n1 * n2 > 0 && i < divisors; ++i) {
    if (b[i] == 0) return Fault::of("%s[%zu]: expected a divisor other than 0, got 0", b.name, i);
  }
  binary_run<A, Y, F>(a, b, y, n0, n1, n2, a_mask, b_mask, chunk);
  return {};
}
template <typename A, typename Y, int32_t (*F)(int32_t, int32_t)>
Registration integers(const char* name) {
  return kernel<binary_check<A, Y>, divide_run<A, Y, F>>(name, "a b y n0 n1 n2 aMask bMask");
}
[[maybe_unused]] const Registration of_integers[] = {
    integers<NumbersIn<int32_t>, NumbersOut<int32_t>, floor_divide>("floorDivide"),
    integers<NumbersIn<int32_t>, NumbersOut<int32_t>, left_over>("remainder"),
    integers<Ints, IntsOut, truncate_divide>("truncDivide"),
};

NB_INLINE bool is_true(Bool x) { return x != Bool{0}; }
NB_INLINE Bool both(Bool a, Bool b) { return Bool{is_true(a) && is_true(b)}; }
NB_INLINE Bool either(Bool a, Bool b) { return Bool{is_true(a) || is_true(b)}; }
NB_INLINE Bool one(Bool a, Bool b) { return Bool{is_true(a) != is_true(b)}; }

void not_check(Truths x, InPlace<TruthsOut> y, Size n) {
  holds(x, n);
  holds(y, n);
}
void not_run(Truths x, TruthsOut y, Size n, Chunk chunk) noexcept {
  const Range range = chunk.of(n, 64);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) y[i] = Bool{!is_true(x[i])};
  });
}

[[maybe_unused]] const Registration logical[] = {
    binary<Truths, TruthsOut, both>("logicalAnd"),
    binary<Truths, TruthsOut, either>("logicalOr"),
    binary<Truths, TruthsOut, one>("logicalXor"),
    kernel<not_check, not_run>("logicalNot", "x y n"),
};

}  // namespace
}  // namespace nb
