// Kernels that compute each element of the result from the same element of their operands. The
// result may be the buffer of an operand that is not repeated.
#include <cmath>

#include "activations.h"
#include "broadcast.h"
#include "simd/normal.h"

namespace nb {
namespace {

// Binary.

NB_INLINE float add(float a, float b) { return a + b; }
NB_INLINE float sub(float a, float b) { return a - b; }
NB_INLINE float mul(float a, float b) { return a * b; }
NB_INLINE float div(float a, float b) { return a / b; }
// By way of double, whose rounding error disappears: exact wherever the power is a float.
NB_INLINE float power(float a, float b) {
  return b == 2 ? a * a : static_cast<float>(std::pow(static_cast<double>(a), b));
}
// NaN from either side.
NB_INLINE float maximum(float a, float b) { return (a > b) | (a != a) ? a : b; }
NB_INLINE float minimum(float a, float b) { return (a < b) | (a != a) ? a : b; }

NB_INLINE float not_equal(float a, float b) { return a != b ? 1 : 0; }
NB_INLINE float less(float a, float b) { return a < b ? 1 : 0; }
NB_INLINE float less_equal(float a, float b) { return a <= b ? 1 : 0; }
NB_INLINE float greater(float a, float b) { return a > b ? 1 : 0; }
NB_INLINE float greater_equal(float a, float b) { return a >= b ? 1 : 0; }

[[maybe_unused]] const Registration binaries[] = {
    binary<In, Out, add>("add"),         binary<In, Out, sub>("sub"),
    binary<In, Out, mul>("mul"),         binary<In, Out, div>("div"),
    binary<In, Out, power>("pow"),       binary<In, Out, maximum>("maximum"),
    binary<In, Out, minimum>("minimum"), binary<In, Out, not_equal>("notEqual"),
    binary<In, Out, less>("less"),       binary<In, Out, less_equal>("lessEqual"),
    binary<In, Out, greater>("greater"), binary<In, Out, greater_equal>("greaterEqual"),
};

// Of any dtype, with a result in floats of either width.
template <typename T, typename R>
NB_INLINE R equal(T a, T b) {
  return a == b ? 1 : 0;
}
template <typename T, typename R>
void equal_of() {
  binary<InOf<T>, Span<R, Use::out, Parameter::F>, equal<T, R>>("equal");
}
const Registration equals = [] {
  for_dtypes([](auto element) {
    equal_of<decltype(element), float>();
    equal_of<decltype(element), double>();
  });
  return Registration();
}();

// Unary.

void unary_check(In x, InPlace<Out> y, Size n) {
  holds(x, n);
  holds(y, n);
}
template <float (*F)(float)>
void unary_run(In x, Out y, Size n, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) y[i] = F(x[i]);
  });
}
template <float (*F)(float)>
Registration unary(const char* name) {
  return kernel<unary_check, unary_run<F>>(name, "x y n");
}

NB_INLINE float neg(float x) { return -x; }
NB_INLINE float magnitude(float x) { return std::fabs(x); }
NB_INLINE float sign(float x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }  // of NaN 0, as PyTorch
NB_INLINE float root(float x) { return std::sqrt(x); }
NB_INLINE float square(float x) { return x * x; }
NB_INLINE float reciprocal(float x) { return 1 / x; }
NB_INLINE float round_down(float x) { return std::floor(x); }
NB_INLINE float round_up(float x) { return std::ceil(x); }
NB_INLINE float round_even(float x) { return std::rint(x); }  // of two equally near the even one
NB_INLINE float truncate(float x) { return std::trunc(x); }
NB_INLINE float is_nan(float x) { return x != x ? 1 : 0; }
NB_INLINE float is_finite(float x) { return x - x == 0 ? 1 : 0; }

[[maybe_unused]] const Registration unaries[] = {
    unary<neg>("neg"),
    unary<magnitude>("abs"),
    unary<sign>("sign"),
    unary<v_exp>("exp"),
    unary<v_log>("log"),
    unary<root>("sqrt"),
    unary<square>("square"),
    unary<reciprocal>("reciprocal"),
    unary<relu>("relu"),
    unary<v_sigmoid>("sigmoid"),
    unary<v_tanh>("tanh"),
    unary<v_softplus>("softplus"),
    unary<v_log1p>("log1p"),
    unary<v_expm1>("expm1"),
    unary<v_erf>("erf"),
    unary<round_down>("floor"),
    unary<round_up>("ceil"),
    unary<round_even>("round"),
    unary<truncate>("trunc"),
    unary<is_nan>("isNaN"),
    unary<is_finite>("isFinite"),
};

// v_sin and v_cos give NaN for large arguments, which the C library then computes. An argument that
// is NaN comes here too, and stays NaN.
template <float (*F)(float), double (*Large)(double)>
void periodic_run(In x, Out y, Size n, Chunk chunk) noexcept {
  constexpr size_t kBlock = 256;
  const Range range = chunk.of(n);
  for (size_t begin = range.first; begin < range.second; begin += kBlock) {
    float block[kBlock];  // the result may be written over x
    const size_t size = std::min(kBlock, range.second - begin);
    const bool large = simd([=, target = &block[0]] {
      int nans = 0;
      for (size_t i = 0; i < size; ++i) {
        target[i] = F(x[begin + i]);
        nans |= target[i] != target[i];
      }
      return nans != 0;
    });
    for (size_t i = 0; large && i < size; ++i) {
      if (block[i] != block[i]) block[i] = static_cast<float>(Large(x[begin + i]));
    }
    std::copy(block, block + size, y.data + begin);
  }
}
const Registration sine = kernel<unary_check, periodic_run<v_sin, std::sin>>("sin", "x y n");
const Registration cosine = kernel<unary_check, periodic_run<v_cos, std::cos>>("cos", "x y n");

// Gradients of activations, from their results.

void activation_grad_check(In y, In dy, InPlace<Out> dx, Size n) {
  holds(y, n);
  holds(dy, n);
  holds(dx, n);
}
template <float (*F)(float, float)>
void activation_grad_run(In y, In dy, Out dx, Size n, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) dx[i] = F(y[i], dy[i]);
  });
}
template <float (*F)(float, float)>
Registration activation_grad(const char* name) {
  return kernel<activation_grad_check, activation_grad_run<F>>(name, "y dy dx n");
}

[[maybe_unused]] const Registration activation_grads[] = {
    activation_grad<relu_grad>("reluGrad"),
    activation_grad<sigmoid_grad>("sigmoidGrad"),
    activation_grad<tanh_grad>("tanhGrad"),
};

// With scalars, and the rest.

void affine_check(In x, InPlace<Out> y, Size n, Float, Float) { unary_check(x, y, n); }
void affine_run(In x, Out y, Size n, Float scale, Float shift, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) y[i] = scale * x[i] + shift;
  });
}
const Registration affine = kernel<affine_check, affine_run>("affine", "x y n scale shift");

void clip_check(In x, InPlace<Out> y, Size n, Float low, Float high) {
  unary_check(x, y, n);
  if (!(low <= high)) {
    throw KernelFault("low must be at most high, got " + std::to_string(low) + " and " +
                      std::to_string(high));
  }
}
void clip_run(In x, Out y, Size n, Float low, Float high, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) {
      const float raised = x[i] < low ? low : x[i];
      y[i] = raised > high ? high : raised;
    }
  });
}
const Registration clip = kernel<clip_check, clip_run>("clip", "x y n low high");

void select_check(In condition, In a, In b, InPlace<Out> y, Size n) {
  holds(condition, n);
  holds(a, n);
  holds(b, n);
  holds(y, n);
}
void select_run(In condition, In a, In b, Out y, Size n, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) y[i] = condition[i] != 0 ? a[i] : b[i];
  });
}
const Registration select = kernel<select_check, select_run>("select", "condition a b y n");

}  // namespace
}  // namespace nb
