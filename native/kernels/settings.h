// The settings of optimizer steps, as optim/ writes them into a buffer. They are read when the step
// runs, so a recorded step follows a schedule.
#pragma once

#include <cmath>

#include "kernel.h"
#include "simd/simd.h"

namespace nb {

// Of gradient descent: [lr, momentum, nesterov, weightDecay, l2, l1].
struct Settings {
  float lr;
  float momentum;
  bool nesterov;
  float decay;      // weightDecay·w is added as it is, l2·Σw² by its derivative
  float threshold;  // lr·l1
};

constexpr size_t kSettings = 6;

inline Settings settings_of(In settings) {
  return {settings[0], settings[1], settings[2] != 0, settings[3] + 2 * settings[4],
          settings[5] > 0 ? settings[0] * settings[5] : 0};
}

// Of Adam: [lr, stepSize, 1 - beta1, 1 - beta2, epsilon, weightDecay, l2, l1].
struct AdamSettings {
  float step;
  float mean_rate;
  float square_rate;
  float epsilon;
  float decay;
  float threshold;
};

constexpr size_t kAdamSettings = 8;

inline AdamSettings adam_settings_of(In settings) {
  return {settings[1],
          settings[2],
          settings[3],
          settings[4],
          settings[5] + 2 * settings[6],
          settings[7] > 0 ? settings[0] * settings[7] : 0};
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
