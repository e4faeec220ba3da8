// Kernels that compute each element of the result from the same element of their operands. The
// result may be the buffer of an operand that is not repeated.
#include <cmath>

#include "activations.h"
#include "broadcast.h"
#include "simd/normal.h"
#include "words.h"

namespace nb {
namespace {

// Binary.

// Integers wrap around beyond their range: unsigned arithmetic may.
template <typename T>
NB_INLINE T wrapped(uint32_t x) {
  return static_cast<T>(x);
}
template <typename T>
NB_INLINE T add(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a + b;
  return wrapped<T>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
template <typename T>
NB_INLINE T sub(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a - b;
  return wrapped<T>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
}
template <typename T>
NB_INLINE T mul(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a * b;
  return wrapped<T>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}
NB_INLINE float div(float a, float b) { return a / b; }
// By way of double, whose rounding error disappears: exact wherever the power is a float.
NB_INLINE float power_of(float a, float b) {
  return b == 2 ? a * a : static_cast<float>(std::pow(static_cast<double>(a), b));
}
// Without what is behind the point; 0 for 0 to a power below 0.
NB_INLINE int32_t power_of(int32_t a, int32_t b) {
  if (b < 0 && a != 1 && a != -1) return 0;
  uint32_t square = static_cast<uint32_t>(a);
  uint32_t result = 1;
  // Of 1 and -1 the power b is that of -b, and both are odd or neither is.
  for (uint32_t rest = static_cast<uint32_t>(b); rest != 0; rest >>= 1) {
    if (rest & 1) result *= square;
    square *= square;
  }
  return static_cast<int32_t>(result);
}
template <typename T>
NB_INLINE T power(T a, T b) {
  return power_of(a, b);
}
// NaN from either side.
template <typename T>
NB_INLINE T maximum(T a, T b) {
  return (a > b) | (a != a) ? a : b;
}
template <typename T>
NB_INLINE T minimum(T a, T b) {
  return (a < b) | (a != a) ? a : b;
}

template <typename T>
void arithmetic() {
  using A = NumbersIn<T>;
  using Y = NumbersOut<T>;
  binary<A, Y, add<T>>("add");
  binary<A, Y, sub<T>>("sub");
  binary<A, Y, mul<T>>("mul");
  binary<A, Y, power<T>>("pow");
  binary<A, Y, maximum<T>>("maximum");
  binary<A, Y, minimum<T>>("minimum");
}
const Registration arithmetics = [] {
  arithmetic<float>();
  arithmetic<int32_t>();
  return Registration();
}();

[[maybe_unused]] const Registration binaries[] = {
    binary<In, Out, div>("div"),
};

template <typename T>
NB_INLINE float not_equal(T a, T b) {
  return a != b ? 1 : 0;
}
template <typename T>
NB_INLINE float less(T a, T b) {
  return a < b ? 1 : 0;
}
template <typename T>
NB_INLINE float less_equal(T a, T b) {
  return a <= b ? 1 : 0;
}
template <typename T>
NB_INLINE float greater(T a, T b) {
  return a > b ? 1 : 0;
}
template <typename T>
NB_INLINE float greater_equal(T a, T b) {
  return a >= b ? 1 : 0;
}
template <typename T>
void comparison() {
  using A = InOf<T>;
  binary<A, Out, not_equal<T>>("notEqual");
  binary<A, Out, less<T>>("less");
  binary<A, Out, less_equal<T>>("lessEqual");
  binary<A, Out, greater<T>>("greater");
  binary<A, Out, greater_equal<T>>("greaterEqual");
}
const Registration comparisons = [] {
  comparison<float>();
  comparison<int32_t>();
  comparison<uint8_t>();
  comparison<Bool>();
  return Registration();
}();

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

template <typename X, typename Y>
void map_check(X x, InPlace<Y> y, Size n) {
  holds(x, n);
  holds(y, n);
}
template <typename X, typename Y, auto F>
void map_run(X x, Y y, Size n, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) y[i] = F(x[i]);
  });
}
template <typename X, typename Y, auto F>
Registration map(const char* name) {
  return kernel<map_check<X, Y>, map_run<X, Y, F>>(name, "x y n");
}
constexpr auto unary_check = map_check<In, Out>;
template <float (*F)(float)>
Registration unary(const char* name) {
  return map<In, Out, F>(name);
}

template <typename T>
NB_INLINE T neg(T x) {
  if constexpr (std::is_floating_point_v<T>) return -x;
  return sub<T>(0, x);
}
template <typename T>
NB_INLINE T magnitude(T x) {
  if constexpr (std::is_floating_point_v<T>) return std::fabs(x);
  return x < 0 ? neg(x) : x;
}
template <typename T>
NB_INLINE T sign(T x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;  // of NaN 0, as PyTorch
}
template <typename T>
void signs() {
  map<NumbersIn<T>, NumbersOut<T>, neg<T>>("neg");
  map<NumbersIn<T>, NumbersOut<T>, magnitude<T>>("abs");
  map<NumbersIn<T>, NumbersOut<T>, sign<T>>("sign");
}
const Registration of_signs = [] {
  signs<float>();
  signs<int32_t>();
  return Registration();
}();

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

template <typename C>
using Condition = Span<C, Use::in, Parameter::S>;
template <typename C>
void select_check(Condition<C> condition, Any a, Any b, InPlace<AnyOut> y, Size n) {
  holds(condition, n);
  holds(a, n);
  holds(b, n);
  holds(y, n);
}
template <typename C>
void select_run(Condition<C> condition, Any a, Any b, InPlace<AnyOut> y, Size n,
                Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  with_word(y.element_size, [=](auto word) {
    using W = decltype(word);
    const W* pa = reinterpret_cast<const W*>(a.data);
    const W* pb = reinterpret_cast<const W*>(b.data);
    W* py = reinterpret_cast<W*>(y.data);
    simd([=] {
      for (size_t i = range.first; i < range.second; ++i) {
        py[i] = condition[i] != C{0} ? pa[i] : pb[i];
      }
    });
  });
}
const Registration select = [] {
  for_dtypes([](auto condition) {
    using C = decltype(condition);
    kernel<select_check<C>, select_run<C>>("select", "condition a b y n");
  });
  return Registration();
}();

}  // namespace
}  // namespace nb
