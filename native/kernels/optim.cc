// Optimizer steps, each one pass over the parameters.
#include "rows.h"
#include "updates.h"

namespace nb {
namespace {

void sgd_check(Inout w, In dw, In settings, Size n) {
  holds(w, n);
  holds(dw, n);
  holds(settings, kSettings);
}
void sgd_run(Inout w, In dw, In settings, Size n, Chunk chunk) noexcept {
  step(SgdUpdate{settings_of(settings), w.data}, dw, chunk, n);
}
const Registration sgd = kernel<sgd_check, sgd_run>("sgd", "w dw settings n");

void sgd_momentum_check(Inout w, In dw, Inout velocity, In settings, Size n) {
  sgd_check(w, dw, settings, n);
  holds(velocity, n);
}
void sgd_momentum_run(Inout w, In dw, Inout velocity, In settings, Size n, Chunk chunk) noexcept {
  const Settings s = settings_of(settings);
  if (s.nesterov) {
    step(MomentumUpdate<true>{s, w.data, velocity.data}, dw, chunk, n);
  } else {
    step(MomentumUpdate<false>{s, w.data, velocity.data}, dw, chunk, n);
  }
}
const Registration sgd_momentum =
    kernel<sgd_momentum_check, sgd_momentum_run>("sgdMomentum", "w dw velocity settings n");

void adam_check(Inout w, In dw, Inout mean, Inout square, In settings, Size n) {
  holds(w, n);
  holds(dw, n);
  holds(mean, n);
  holds(square, n);
  holds(settings, kAdamSettings);
}
void adam_run(Inout w, In dw, Inout mean, Inout square, In settings, Size n, Chunk chunk) noexcept {
  step(AdamUpdate{adam_settings_of(settings), w.data, mean.data, square.data}, dw, chunk, n);
}
const Registration adam = kernel<adam_check, adam_run>("adam", "w dw mean square settings n");

void max_norm_check(Inout w, In limit, Size rows, Size cols) {
  holds(w, product(rows, cols));
  holds(limit, 1);
}
// Where the squares of weights add up to infinity as float.
double norm_of(const float* column, size_t rows, size_t stride) {
  double sum = 0;
  for (size_t r = 0; r < rows; ++r) {
    const double x = column[r * stride];
    sum += x * x;
  }
  return std::sqrt(sum);
}
// Shares are columns, each summed down its rows, so that the sums do not depend on the cut. Wide
// ones: of each row they read what lies together.
void max_norm_run(Inout w, In limit, Size rows, Size cols, Chunk chunk) noexcept {
  if (rows == 0) return;  // then no buffer bounds the columns
  constexpr size_t kBlock = 1024;
  const Range range = chunk.of(cols);
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
      for (size_t i = 0; i < n; ++i) {
        if (scale[i] == 0) scale[i] = static_cast<float>(c / norm_of(w + first + i, rows, cols));
      }
      for (size_t r = 0; r < rows; ++r) {
        float* row = w + r * cols + first;
        for (size_t i = 0; i < n; ++i) row[i] *= scale[i];
      }
    }
  });
}
size_t max_norm_chunks(Inout, In, Size rows, Size cols, size_t threads) noexcept {
  return rows * cols < 2 * kChunk ? 1 : threads;
}
const Registration max_norm =
    kernel<max_norm_check, max_norm_run, nullptr, max_norm_chunks>("maxNorm", "w limit rows cols");

}  // namespace
}  // namespace nb
