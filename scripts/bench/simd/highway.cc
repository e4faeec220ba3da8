// The contestant written with Highway's vectors, its dynamic dispatch and its
// contrib maths. Highway includes this file once per target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "highway.cc"
// Not in alphabetical order: foreach_target.h must be the first.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include "loops.h"

HWY_BEFORE_NAMESPACE();
namespace bench {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;

// y[i] = f(x[i]); the tail is done as one masked vector.
template <class F>
HWY_INLINE void each(const float* x, float* y, size_t n, F f) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(d, hn::LoadU(d, x + i)), d, y + i);
  if (i < n) {
    const auto mask = hn::FirstN(d, n - i);
    hn::BlendedStore(f(d, hn::MaskedLoad(mask, d, x + i)), mask, d, y + i);
  }
}

void exp(const float* x, float* y, size_t n) {
  each(x, y, n, [](D d, auto v) HWY_ATTR { return hn::Exp(d, v); });
}

void sigmoid(const float* x, float* y, size_t n) {
  each(x, y, n, [](D d, auto v) HWY_ATTR {
    const auto one = hn::Set(d, 1.0f);
    return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(v))));
  });
}

// cols and n are multiples of the lanes in the two loops below.
void bias_relu(float* x, const float* bias, size_t rows, size_t cols) {
  const D d;
  const auto zero = hn::Zero(d);
  for (size_t r = 0; r < rows; ++r) {
    float* row = x + r * cols;
    for (size_t c = 0; c < cols; c += hn::Lanes(d)) {
      const auto y = hn::Add(hn::LoadU(d, row + c), hn::LoadU(d, bias + c));
      hn::StoreU(hn::IfThenElse(hn::Lt(y, zero), zero, y), d, row + c);
    }
  }
}

void adam(float* w, float* m, float* v, const float* g, size_t n, Adam a) {
  const D d;
  const auto set = [](float x) HWY_ATTR { return hn::Set(D(), x); };
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto gi = hn::LoadU(d, g + i);
    const auto mi = hn::MulAdd(set(a.beta1), hn::LoadU(d, m + i), hn::Mul(set(1 - a.beta1), gi));
    const auto vi =
        hn::MulAdd(set(a.beta2), hn::LoadU(d, v + i), hn::Mul(hn::Mul(set(1 - a.beta2), gi), gi));
    const auto step = hn::Div(hn::Mul(set(a.lr), mi), hn::Add(hn::Sqrt(vi), set(a.epsilon)));
    hn::StoreU(mi, d, m + i);
    hn::StoreU(vi, d, v + i);
    hn::StoreU(hn::Sub(hn::LoadU(d, w + i), step), d, w + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench {
HWY_EXPORT(exp);
HWY_EXPORT(sigmoid);
HWY_EXPORT(bias_relu);
HWY_EXPORT(adam);

extern const Contestant kHighway;
const Contestant kHighway{
    "Highway",
    [](auto... args) {
      HWY_DYNAMIC_DISPATCH(exp)
      (args...);
    },
    [](auto... args) {
      HWY_DYNAMIC_DISPATCH(sigmoid)
      (args...);
    },
    [](auto... args) {
      HWY_DYNAMIC_DISPATCH(bias_relu)
      (args...);
    },
    [](auto... args) {
      HWY_DYNAMIC_DISPATCH(adam)
      (args...);
    },
};

}  // namespace bench
#endif
