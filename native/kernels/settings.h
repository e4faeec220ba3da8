// The settings of a step of gradient descent, as optim/sgd.ts writes them:
// [lr, momentum, nesterov, weightDecay, l2, l1].
#pragma once

#include <cmath>

#include "kernel.h"
#include "simd.h"

namespace nb {

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

// The proximal step of t·|w|: w moves by t towards zero and stays there once it is reached. Adding
// t·sign(w) to the gradient instead would swing around zero without ever meeting it.
NB_INLINE float shrink(float w, float t) {
  const float size = std::fabs(w) - t;
  return size <= 0 ? 0 : std::copysign(size, w);
}

}  // namespace nb
