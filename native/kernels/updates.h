// The rules by which parameters move along their gradients, over arrays. Not kernels: they are
// called on whole gradients (optim.cc) and on blocks of one that was just computed (gemm.cc).
#pragma once

#include <cmath>

#include "settings.h"

namespace nb {

// w -= lr·step(i, dw + decay·w), then the threshold where there is one.
template <class Step>
NB_INLINE void update(const Settings& s, float* w, const float* dw, size_t n, const Step& step) {
  const float lr = s.lr, decay = s.decay, threshold = s.threshold;
  if (threshold > 0) {
    for (size_t i = 0; i < n; ++i) {
      w[i] = shrink(w[i] - lr * step(i, dw[i] + decay * w[i]), threshold);
    }
  } else {
    for (size_t i = 0; i < n; ++i) w[i] -= lr * step(i, dw[i] + decay * w[i]);
  }
}

inline void sgd_update(const Settings& s, float* w, const float* dw, size_t n) {
  simd([=] { update(s, w, dw, n, [](size_t, float g) { return g; }); });
}

// Sutskever et al. 2013, in the form that takes lr out of the velocity.
inline void momentum_update(const Settings& s, float* w, const float* dw, float* velocity,
                            size_t n) {
  const float momentum = s.momentum;
  float* v = velocity;
  if (s.nesterov) {
    simd([=] {
      update(s, w, dw, n, [=](size_t i, float g) {
        v[i] = momentum * v[i] + g;
        return g + momentum * v[i];
      });
    });
  } else {
    simd([=] {
      update(s, w, dw, n, [=](size_t i, float g) { return v[i] = momentum * v[i] + g; });
    });
  }
}

// Kingma and Ba 2015 with the bias corrections in the step size and in epsilon.
inline void adam_update(const AdamSettings& s, float* w, const float* dw, float* mean,
                        float* square, size_t n) {
  // The place that element i moves to.
  const auto moved = [=](size_t i) {
    const float g = dw[i] + s.decay * w[i];
    mean[i] += s.mean_rate * (g - mean[i]);
    square[i] += s.square_rate * (g * g - square[i]);
    return w[i] - s.step * mean[i] / (std::sqrt(square[i]) + s.epsilon);
  };
  simd([=] {
    if (s.threshold > 0) {
      for (size_t i = 0; i < n; ++i) w[i] = shrink(moved(i), s.threshold);
    } else {
      for (size_t i = 0; i < n; ++i) w[i] = moved(i);
    }
  });
}

}  // namespace nb
