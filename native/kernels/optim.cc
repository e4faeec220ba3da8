// Optimizer steps, each one pass over the parameters.
//
// settings: [lr, momentum, nesterov, weightDecay, l2, l1]. They are read when the step runs, so a
// recorded step follows a schedule.
#include "rows.h"
#include "settings.h"

namespace nb {
namespace {

// w -= lr·step(i, dw + decay·w), then the threshold where there is one.
template <class Step>
NB_INLINE void descend(const Settings& s, float* w, const float* dw, Range range,
                       const Step& step) {
  const float lr = s.lr;
  const float decay = s.decay;
  const float threshold = s.threshold;
  if (threshold > 0) {
    for (size_t i = range.first; i < range.second; ++i) {
      w[i] = shrink(w[i] - lr * step(i, dw[i] + decay * w[i]), threshold);
    }
  } else {
    for (size_t i = range.first; i < range.second; ++i) {
      w[i] -= lr * step(i, dw[i] + decay * w[i]);
    }
  }
}

void sgd_check(Inout w, In dw, In settings, Size n) {
  holds(w, n);
  holds(dw, n);
  holds(settings, kSettings);
  distinct(w, dw);
  distinct(w, settings);
}
void sgd_run(Inout w, In dw, In settings, Size n, Share share) noexcept {
  const Settings s = settings_of(settings);
  const Range range = share.of(n);
  simd([=] { descend(s, w.data, dw.data, range, [](size_t, float g) { return g; }); });
}
const Registration sgd = kernel<sgd_check, sgd_run>("sgd", "w dw settings n");

void sgd_momentum_check(Inout w, In dw, Inout velocity, In settings, Size n) {
  sgd_check(w, dw, settings, n);
  holds(velocity, n);
  distinct(velocity, w);
  distinct(velocity, dw);
  distinct(velocity, settings);
}
// Sutskever et al. 2013, in the form that takes lr out of the velocity.
void sgd_momentum_run(Inout w, In dw, Inout velocity, In settings, Size n, Share share) noexcept {
  const Settings s = settings_of(settings);
  const Range range = share.of(n);
  const float momentum = s.momentum;
  float* v = velocity.data;
  if (s.nesterov) {
    simd([=] {
      descend(s, w.data, dw.data, range, [=](size_t i, float g) {
        v[i] = momentum * v[i] + g;
        return g + momentum * v[i];
      });
    });
  } else {
    simd([=] {
      descend(s, w.data, dw.data, range,
              [=](size_t i, float g) { return v[i] = momentum * v[i] + g; });
    });
  }
}
const Registration sgd_momentum =
    kernel<sgd_momentum_check, sgd_momentum_run>("sgdMomentum", "w dw velocity settings n");

constexpr size_t kAdamSettings = 8;

void adam_check(Inout w, In dw, Inout mean, Inout square, In settings, Size n) {
  holds(w, n);
  holds(dw, n);
  holds(mean, n);
  holds(square, n);
  holds(settings, kAdamSettings);
  distinct(w, dw);
  distinct(w, mean);
  distinct(w, square);
  distinct(mean, dw);
  distinct(mean, square);
  distinct(square, dw);
  for (const Inout& written : {w, mean, square}) distinct(written, settings);
}
// settings: [lr, stepSize, 1 - beta1, 1 - beta2, epsilon, weightDecay, l2, l1]; Kingma and Ba 2015
// with the bias corrections in stepSize and epsilon.
void adam_run(Inout w, In dw, Inout mean, Inout square, In settings, Size n, Share share) noexcept {
  const Range range = share.of(n);
  const float step = settings[1], epsilon = settings[4];
  const float mean_rate = settings[2], square_rate = settings[3];
  const float decay = settings[5] + 2 * settings[6];
  const float threshold = settings[7] > 0 ? settings[0] * settings[7] : 0;
  simd([=, w = w.data, dw = dw.data, m = mean.data, v = square.data] {
    for (size_t i = range.first; i < range.second; ++i) {
      const float g = dw[i] + decay * w[i];
      m[i] += mean_rate * (g - m[i]);
      v[i] += square_rate * (g * g - v[i]);
      w[i] -= step * m[i] / (std::sqrt(v[i]) + epsilon);
    }
    if (threshold <= 0) return;
    for (size_t i = range.first; i < range.second; ++i) w[i] = shrink(w[i], threshold);
  });
}
const Registration adam = kernel<adam_check, adam_run>("adam", "w dw mean square settings n");

void max_norm_check(Inout w, In limit, Size rows, Size cols) {
  holds(w, product(rows, cols));
  holds(limit, 1);
  distinct(w, limit);
}
// Shares are columns, each summed down its rows, so that the sums do not depend on the cut. Wide
// ones: of each row they read what lies together.
void max_norm_run(Inout w, In limit, Size rows, Size cols, Share share) noexcept {
  constexpr size_t kBlock = 1024;
  const Range range = share.of(cols);
  const float c = limit[0];
  simd([=, w = w.data] {
    for (size_t first = range.first; first < range.second; first += kBlock) {
      const size_t n = std::min(kBlock, range.second - first);
      float scale[kBlock] = {};
      for (size_t r = 0; r < rows; ++r) {
        const float* row = w + r * cols + first;
        for (size_t i = 0; i < n; ++i) scale[i] += row[i] * row[i];
      }
      bool any = false;
      for (size_t i = 0; i < n; ++i) {
        const float s = c / std::sqrt(scale[i]);
        scale[i] = s < 1 ? s : 1;
        any |= s < 1;
      }
      if (!any) continue;
      for (size_t r = 0; r < rows; ++r) {
        float* row = w + r * cols + first;
        for (size_t i = 0; i < n; ++i) row[i] *= scale[i];
      }
    }
  });
}
const Registration max_norm =
    kernel<max_norm_check, max_norm_run, nullptr, true>("maxNorm", "w limit rows cols");

}  // namespace
}  // namespace nb
