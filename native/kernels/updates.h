// The rules by which parameters move along their gradients. Not kernels: they are applied to whole
// gradients (optim.cc) and to the sums of a product that is one (gemm.cc).
//
// Each has, for use inside simd(), `move(first, kept, dw)`: moves the weight at the position
// `first` along a derivative, with what is kept for it at the position `kept`; where
// `kTakesVectors`, also those from there on along a vector of derivatives (GCC's vector
// extensions), and returns them. And `prefetch(first, kept, n)` of what that touches for n
// derivatives, which `move_each` moves along.
#pragma once

#include <cmath>
#include <cstring>

#include "settings.h"

namespace nb {

// A float, or a vector of them from p on.
template <class V>
NB_INLINE V load(const float* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class V>
NB_INLINE void store(float* p, V v) {
  std::memcpy(p, &v, sizeof v);
}

// Asks for n elements that will be read and written.
template <class T>
NB_INLINE void prefetch(const T* p, size_t n) {
  for (size_t i = 0; i < n; i += 64 / sizeof(T)) __builtin_prefetch(p + i, 1);
}

// Stores the weights, moved towards zero by the threshold where there is one, and returns them.
template <class V>
NB_INLINE V store_weights(float* w, V moved, float threshold) {
  const V last = threshold > 0 ? shrink(moved, threshold) : moved;
  store(w, last);
  return last;
}

// `move` for each of n derivatives.
template <class Update>
NB_INLINE void move_each(const Update& update, size_t first, size_t kept, const float* dw,
                         size_t n) {
  // A copy whose threshold is known to be zero, because a loop with a choice in it is slow.
  Update plain = update;
  plain.s.threshold = 0;
  if (update.s.threshold > 0) {
    const Update u = update;
#pragma GCC ivdep
    for (size_t i = 0; i < n; ++i) u.move(first + i, kept + i, dw[i]);
  } else {
#pragma GCC ivdep
    for (size_t i = 0; i < n; ++i) plain.move(first + i, kept + i, dw[i]);
  }
}

// One step with a whole gradient, the part of it that the chunk names.
template <class Update>
void step(const Update& update, In dw, Chunk chunk, Size n) {
  const auto [first, end] = chunk.of(n);
  simd([=, first = first, count = end - first, dw = dw.data] {
    move_each(update, first, first, dw + first, count);
  });
}

struct SgdUpdate {
  static constexpr bool kTakesVectors = true;
  Settings s;
  float* w;

  NB_INLINE bool ignores_zeros() const { return s.decay == 0 && !(s.threshold > 0); }
  NB_INLINE void prefetch(size_t first, size_t, size_t n) const { nb::prefetch(w + first, n); }
  template <class V>
  NB_INLINE V move(size_t first, size_t, V dw) const {
    const V old = load<V>(w + first);
    return store_weights(w + first, old - s.lr * (dw + s.decay * old), s.threshold);
  }
};

// Sutskever et al. 2013, in the form that takes lr out of the velocity.
template <bool kNesterov>
struct MomentumUpdate {
  static constexpr bool kTakesVectors = true;
  Settings s;
  float* w;
  float* velocity;

  NB_INLINE bool ignores_zeros() const { return false; }
  NB_INLINE void prefetch(size_t first, size_t kept, size_t n) const {
    nb::prefetch(w + first, n);
    nb::prefetch(velocity + kept, n);
  }
  template <class V>
  NB_INLINE V move(size_t first, size_t kept, V dw) const {
    const V old = load<V>(w + first);
    const V g = dw + s.decay * old;
    const V v = s.momentum * load<V>(velocity + kept) + s.share * g;
    store(velocity + kept, v);
    const V step = kNesterov ? g + s.momentum * v : v;
    return store_weights(w + first, old - s.lr * step, s.threshold);
  }
};

// Kingma and Ba 2015 with the bias corrections in the step sizes and in epsilon, and its kin:
// weights that decay by themselves, a step along the gradient beside that along the mean, no root
// at all.
struct AdamUpdate {
  // The root has no name that means the instruction for any vector.
  static constexpr bool kTakesVectors = false;
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
  NB_INLINE void move(size_t first, size_t kept, float dw) const {
    const float old = w[first];
    const float g = dw + s.decay * old;
    float m = mean[kept];
    m = m + s.mean_rate * (g - m);
    float v = square[kept];
    v = v + s.square_rate * (g * g - v);
    mean[kept] = m;
    square[kept] = v;
    const float step = s.mean_step * m + s.gradient_step * g;
    const float moved = s.keep * old - step / (s.root_scale * std::sqrt(v) + s.epsilon);
    store_weights(w + first, moved, s.threshold);
  }
};

}  // namespace nb
