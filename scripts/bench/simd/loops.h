// The loops that every contestant but Highway compiles, and the table that they
// all fill. The maths is the addon's own (native/simd/vmath.h).
#pragma once

#include <cmath>
#include <cstddef>

#include "simd/vmath.h"

struct Adam {
  float lr, beta1, beta2, epsilon;
};

// What one contestant offers.
struct Contestant {
  const char* name;
  void (*exp)(const float* x, float* y, size_t n);
  void (*sigmoid)(const float* x, float* y, size_t n);
  // x: [rows, cols], changed in place
  void (*bias_relu)(float* x, const float* bias, size_t rows, size_t cols);
  void (*adam)(float* w, float* m, float* v, const float* g, size_t n, Adam a);
};

NB_INLINE void exp_loop(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = nb::v_exp(x[i]);
}

NB_INLINE void sigmoid_loop(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = nb::v_sigmoid(x[i]);
}

NB_INLINE void bias_relu_loop(float* x, const float* bias, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; ++r) {
    float* row = x + r * cols;
    for (size_t c = 0; c < cols; ++c) {
      const float y = row[c] + bias[c];
      row[c] = y < 0 ? 0 : y;
    }
  }
}

NB_INLINE void adam_loop(float* w, float* m, float* v, const float* g, size_t n, Adam a) {
  for (size_t i = 0; i < n; ++i) {
    m[i] = a.beta1 * m[i] + (1 - a.beta1) * g[i];
    v[i] = a.beta2 * v[i] + (1 - a.beta2) * g[i] * g[i];
    w[i] -= a.lr * m[i] / (std::sqrt(v[i]) + a.epsilon);
  }
}
