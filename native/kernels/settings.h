// The settings of optimizer steps, as optim/ writes them into a buffer. They are read when the step
// runs, so a recorded step follows a schedule.
#pragma once

#include <cmath>

#include "kernel.h"
#include "simd/simd.h"

namespace nb {

// Of gradient descent: [lr, momentum, nesterov, share, weightDecay, l2, l1].
struct Settings {
  float lr;
  float momentum;
  bool nesterov;
  float share;      // of the gradient that goes into the velocity
  float decay;      // weightDecay·w is added as it is, l2·Σw² by its derivative
  float threshold;  // lr·l1
};

constexpr size_t kSettings = 7;

// What a decay and the last three settings come to: weightDecay, l2, l1.
inline float decay_of(const float* last) { return last[0] + 2 * last[1]; }
inline float threshold_of(float lr, float l1) { return l1 > 0 ? lr * l1 : 0; }

inline Settings settings_of(In settings) {
  return {settings[0],
          settings[1],
          settings[2] != 0,
          settings[3],
          decay_of(settings.data + 4),
          threshold_of(settings[0], settings[6])};
}

// Of Adam and its kin: [lr, meanStep, gradientStep, 1 - beta1, 1 - beta2, rootScale, epsilon, keep,
// weightDecay, l2, l1].
struct AdamSettings {
  float mean_step;
  float gradient_step;
  float mean_rate;
  float square_rate;
  float root_scale;
  float epsilon;
  float keep;
  float decay;
  float threshold;
};

constexpr size_t kAdamSettings = 11;

inline AdamSettings adam_settings_of(In settings) {
  return {settings[1],
          settings[2],
          settings[3],
          settings[4],
          settings[5],
          settings[6],
          settings[7],
          decay_of(settings.data + 8),
          threshold_of(settings[0], settings[10])};
}

// The proximal step of t·|w|: w moves by t towards zero and stays there once it is reached. Adding
// t·sign(w) to the gradient instead would swing around zero without ever meeting it.
template <class V>
NB_INLINE V shrink(V w, float t) {
  const V zero{};
  // NaN stays.
  const V rest = w != w ? w : zero;
  return w > t ? w - t : (w < -t ? w + t : rest);
}

}  // namespace nb
