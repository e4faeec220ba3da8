// Pools of a convolution's results in windows of kWindow × kWindow, and their gradients.
#pragma once

#include "shape.h"

namespace nb {

// The gradient of a convolution's results: as it is, or that of the largest of each window of their
// relu, y, with the places in the windows that these were at.
struct ResultGradient {
  const float* dy;
  const float* y = nullptr;
  const uint8_t* places = nullptr;

  bool is_pooled() const { return places != nullptr; }
};

// The largest elements of each window, and their places, the first one of equal ones and the last
// one that is NaN: of x [rows · kWindow, windows · kWindow, channels], none of them -Infinity.
void max_pool(const float* x, size_t rows, size_t windows, size_t channels, float* y,
              uint8_t* places) noexcept;

// The gradient of a row of results that are part of windows.
void unpool_row(const ConvShape& shape, const ResultGradient& pools, size_t image, size_t row,
                float* to) noexcept;

// The gradient of rows of results in a band with zeros around it (padded.h), none of which begins
// behind the first column.
void unpool_padded(const ConvShape& shape, const ResultGradient& pools, size_t image,
                   const Bands& bands, int64_t first_row, size_t rows, float* to) noexcept;

// The sums [run, filters] of runs of kRun results, from run to run.
void sum_pooled_runs(const ConvShape& shape, const ResultGradient& pools, size_t run, size_t end,
                     float* sums) noexcept;

}  // namespace nb
