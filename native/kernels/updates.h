// The rules by which parameters move along their gradients. Not kernels: they are applied to whole
// gradients (optim.cc) and to the sums of a product that is one (gemm.cc).
//
// Each has `apply(first, kept, dw, n)`, for use inside simd(): moves the weights from the position
// `first` on along n derivatives, with what is kept for them from the position `kept` on; and
// `prefetch(first, kept, n)` of what that touches.
#pragma once

#include <cmath>

#include "settings.h"

namespace nb {

// Asks for n elements that will be read and written.
template <class T>
NB_INLINE void prefetch(const T* p, size_t n) {
  for (size_t i = 0; i < n; i += 64 / sizeof(T)) __builtin_prefetch(p + i, 1);
}

// The weights w[i] move to `moved(i)`, then towards zero by the threshold where there is one.
template <class Moved>
NB_INLINE void move_each(float* w, size_t n, float threshold, const Moved& moved) {
  if (threshold > 0) {
    for (size_t i = 0; i < n; ++i) w[i] = shrink(moved(i), threshold);
  } else {
    for (size_t i = 0; i < n; ++i) w[i] = moved(i);
  }
}

struct SgdUpdate {
  Settings s;
  float* w;

  NB_INLINE bool ignores_zeros() const { return s.decay == 0 && !(s.threshold > 0); }
  NB_INLINE void prefetch(size_t first, size_t, size_t n) const { nb::prefetch(w + first, n); }
  NB_INLINE void apply(size_t first, size_t, const float* dw, size_t n) const {
    float* to = w + first;
    const float lr = s.lr, decay = s.decay;
    move_each(to, n, s.threshold, [=](size_t i) { return to[i] - lr * (dw[i] + decay * to[i]); });
  }
};

// Sutskever et al. 2013, in the form that takes lr out of the velocity.
struct MomentumUpdate {
  Settings s;
  float* w;
  float* velocity;

  NB_INLINE bool ignores_zeros() const { return false; }
  NB_INLINE void prefetch(size_t first, size_t kept, size_t n) const {
    nb::prefetch(w + first, n);
    nb::prefetch(velocity + kept, n);
  }
  NB_INLINE void apply(size_t first, size_t kept, const float* dw, size_t n) const {
    float *to = w + first, *v = velocity + kept;
    const float lr = s.lr, decay = s.decay, momentum = s.momentum;
    if (s.nesterov) {
      move_each(to, n, s.threshold, [=](size_t i) {
        const float g = dw[i] + decay * to[i];
        v[i] = momentum * v[i] + g;
        return to[i] - lr * (g + momentum * v[i]);
      });
    } else {
      move_each(to, n, s.threshold, [=](size_t i) {
        v[i] = momentum * v[i] + (dw[i] + decay * to[i]);
        return to[i] - lr * v[i];
      });
    }
  }
};

// Kingma and Ba 2015 with the bias corrections in the step size and in epsilon.
struct AdamUpdate {
  AdamSettings s;
  float* w;
  float* mean;
  float* square;

  NB_INLINE bool ignores_zeros() const { return false; }
  NB_INLINE void prefetch(size_t first, size_t kept, size_t n) const {
    nb::prefetch(w + first, n);
    nb::prefetch(mean + kept, n);
    nb::prefetch(square + kept, n);
  }
  NB_INLINE void apply(size_t first, size_t kept, const float* dw, size_t n) const {
    float *to = w + first, *m = mean + kept, *v = square + kept;
    const AdamSettings local = s;
    move_each(to, n, s.threshold, [=](size_t i) {
      const float g = dw[i] + local.decay * to[i];
      m[i] += local.mean_rate * (g - m[i]);
      v[i] += local.square_rate * (g * g - v[i]);
      return to[i] - local.step * m[i] / (std::sqrt(v[i]) + local.epsilon);
    });
  }
};

}  // namespace nb
