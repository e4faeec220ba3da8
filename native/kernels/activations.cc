// Activations as functions of x, and their gradients from x: those whose result does not tell the
// slope. The others are in elementwise.cc.
#include <cmath>

#include "rows.h"
#include "simd/normal.h"

namespace nb {
namespace {

template <typename... Scalars>
void activation_check(In x, InPlace<Out> y, Size n, Scalars...) {
  holds(x, n);
  holds(y, n);
}
template <auto F, typename... Scalars>
void activation_run(In x, Out y, Size n, Scalars... scalars, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) y[i] = F(x[i], scalars...);
  });
}

template <typename... Scalars>
void gradient_check(In x, In dy, InPlace<Out> dx, Size n, Scalars...) {
  holds(x, n);
  holds(dy, n);
  holds(dx, n);
}
// Gradient is dy·g'(x) of x and dy.
template <auto Gradient, typename... Scalars>
void gradient_run(In x, In dy, Out dx, Size n, Scalars... scalars, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) dx[i] = Gradient(x[i], dy[i], scalars...);
  });
}

template <auto F, auto Gradient, typename... Scalars>
Registration activation(const char* name, const char* grad_name, const std::string& scalars = "") {
  kernel<activation_check<Scalars...>, activation_run<F, Scalars...>>(name,
                                                                      ("x y n" + scalars).c_str());
  return kernel<gradient_check<Scalars...>, gradient_run<Gradient, Scalars...>>(
      grad_name, ("x dy dx n" + scalars).c_str());
}

NB_INLINE float leaky_relu(float x, float slope) { return x > 0 ? x : slope * x; }
NB_INLINE float leaky_relu_grad(float x, float dy, float slope) { return x > 0 ? dy : slope * dy; }

// Of NaN NaN.
NB_INLINE float step(float x, float below) { return x > 0 ? 1 : x != x ? x : below; }
const Registration steps =
    kernel<activation_check<Float>, activation_run<step, Float>>("step", "x y n below");

NB_INLINE float elu(float x, float positive, float negative) {
  return x > 0 ? positive * x : negative * v_expm1(x);
}
// Where x is NaN the gradient is that of the right side, as in PyTorch.
NB_INLINE float elu_grad(float x, float dy, float positive, float negative) {
  return dy * (x <= 0 ? negative * v_exp(x) : positive);
}

NB_INLINE float gelu(float x) { return x * v_normal_cdf(x); }
NB_INLINE float gelu_grad(float x, float dy) {
  constexpr float kPeak = 0.398942280f;  // 1 / √(2π)
  const NormalParts parts = normal_parts(x);
  return dy * (normal_cdf(x, parts) + x * (kPeak * parts.power));
}

// x·σ(2u) with u = √(2/π)·(x + 0.044715·x³), which is x·(1 + tanh u)/2.
constexpr float kInner = 1.595769122f;  // 2·√(2/π)
constexpr float kCubic = 0.044715f;
NB_INLINE float gelu_tanh(float x) { return x * v_sigmoid(kInner * (x + kCubic * (x * x * x))); }

// σ(x) and its derivative σ(x)·σ(-x), both with relative accuracy in both tails.
struct Sigmoid {
  float value;
  float slope;
};
NB_INLINE Sigmoid sigmoid_of(float x) {
  const float e = detail::exp_of_negative(-std::fabs(x));
  const float d = 1.0f / (1.0f + e);
  return {x < 0 ? e * d : d, e * d * d};
}

NB_INLINE float gelu_tanh_grad(float x, float dy) {
  const Sigmoid s = sigmoid_of(kInner * (x + kCubic * (x * x * x)));
  // Where x³ overflows the sigmoid is flat.
  const float inner = kInner * (1.0f + 3.0f * kCubic * (x * x));
  return dy * (s.value + (s.slope == 0 ? 0.0f : x * s.slope * inner));
}

NB_INLINE float silu(float x) { return x * v_sigmoid(x); }
NB_INLINE float silu_grad(float x, float dy) {
  const Sigmoid s = sigmoid_of(x);
  return dy * (s.value + x * s.slope);
}

// tanh(log(1 + e^x)) as a quotient of polynomials in e^-|x|.
struct MishParts {
  float e;
  float numerator;
  float denominator;
};
NB_INLINE MishParts mish_parts(float x) {
  const float e = detail::exp_of_negative(-std::fabs(x));
  const float numerator = x < 0 ? e * (e + 2.0f) : 1.0f + 2.0f * e;
  return {e, numerator, numerator + (x < 0 ? 2.0f : 2.0f * e * e)};
}
NB_INLINE float mish(float x) {
  const MishParts p = mish_parts(x);
  return x * (p.numerator / p.denominator);
}
NB_INLINE float mish_grad(float x, float dy) {
  const MishParts p = mish_parts(x);
  const float slope = 4.0f * p.e * (x < 0 ? 1.0f : p.e) * (1.0f + p.e);
  return dy * (p.numerator / p.denominator + x * (slope / (p.denominator * p.denominator)));
}

NB_INLINE float softsign(float x) { return x / (1.0f + std::fabs(x)); }
NB_INLINE float softsign_grad(float x, float dy) {
  const float d = 1.0f + std::fabs(x);
  return dy / d / d;  // d² may overflow
}

[[maybe_unused]] const Registration activations[] = {
    activation<leaky_relu, leaky_relu_grad, Float>("leakyRelu", "leakyReluGrad", " slope"),
    activation<elu, elu_grad, Float, Float>("elu", "eluGrad", " positive negative"),
    activation<gelu, gelu_grad>("gelu", "geluGrad"),
    activation<gelu_tanh, gelu_tanh_grad>("geluTanh", "geluTanhGrad"),
    activation<silu, silu_grad>("silu", "siluGrad"),
    activation<mish, mish_grad>("mish", "mishGrad"),
    activation<softsign, softsign_grad>("softsign", "softsignGrad"),
};

}  // namespace
}  // namespace nb
