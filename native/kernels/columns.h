// Sums of columns, side by side. For use inside simd(), like reduce.h. The order of the additions
// depends on the number of rows alone.
#pragma once

#include <algorithm>

#include "simd/simd.h"

namespace nb {

// Rows that are added up in float32.
constexpr size_t kRun = 16;

// Columns reduced side by side; their partial results stay in the first-level cache.
constexpr size_t kColumns = 256;

// y[c] = scale·Σ_r term(r, c) for c below width, at most kColumns: runs of rows in float32,
// their sums in float64. Each term is asked for once.
template <class Term>
NB_INLINE void sum_columns(size_t rows, size_t width, float scale, float* y, const Term& term) {
  double total[kColumns];
  float part[kColumns];
  std::fill(total, total + width, 0.0);
  for (size_t begin = 0; begin < rows; begin += kRun) {
    const size_t end = std::min(rows, begin + kRun);
    for (size_t c = 0; c < width; ++c) part[c] = term(begin, c);
    for (size_t r = begin + 1; r < end; ++r) {
      for (size_t c = 0; c < width; ++c) part[c] += term(r, c);
    }
    for (size_t c = 0; c < width; ++c) total[c] += static_cast<double>(part[c]);
  }
  for (size_t c = 0; c < width; ++c) y[c] = static_cast<float>(total[c]) * scale;
}

// y[c] = Σ_run part(run, c), the sums of runs that were added up before.
template <class Part>
NB_INLINE void sum_runs(size_t runs, size_t width, float* y, const Part& part) {
  double total[kColumns];
  std::fill(total, total + width, 0.0);
  for (size_t run = 0; run < runs; ++run) {
    for (size_t c = 0; c < width; ++c) total[c] += static_cast<double>(part(run, c));
  }
  for (size_t c = 0; c < width; ++c) y[c] = static_cast<float>(total[c]);
}

// Runs of so many rows.
inline size_t runs_of(size_t rows) { return (rows + kRun - 1) / kRun; }

// y [cols] from the sums of all runs, in the order of `sum`.
inline void sum_all_runs(size_t rows, size_t cols, const float* runs, float* y) {
  simd([=] {
    for (size_t c = 0; c < cols; c += kColumns) {
      const size_t width = std::min(kColumns, cols - c);
      sum_runs(runs_of(rows), width, y + c,
               [=](size_t run, size_t i) { return runs[run * cols + c + i]; });
    }
  });
}

}  // namespace nb
