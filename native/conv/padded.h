// A band of an image with zeros around it.
#pragma once

#include <cstring>

#include "shape.h"

namespace nb {

// Rows [first_row, first_row + rows) of an image [height, width, channels], each `bands.width`
// wide; what lies outside the image is 0. A copy, unless there is nothing to add.
inline const float* padded(const float* image, size_t height, size_t width, size_t channels,
                           const Bands& bands, int64_t first_row, size_t rows, float* copy) {
  const auto end = static_cast<int64_t>(height);
  if (bands.left == 0 && bands.width == width && first_row >= 0 &&
      first_row + static_cast<int64_t>(rows) <= end) {
    return image + static_cast<size_t>(first_row) * width * channels;
  }
  const size_t line = bands.width * channels;
  const auto skipped = static_cast<size_t>(std::max(int64_t{0}, -bands.left));
  const auto before = static_cast<size_t>(std::max(int64_t{0}, bands.left));
  const size_t kept = skipped < width ? std::min(width - skipped, bands.width - before) : 0;
  for (size_t r = 0; r < rows; ++r) {
    float* to = copy + r * line;
    const int64_t row = first_row + static_cast<int64_t>(r);
    if (row < 0 || row >= end || kept == 0) {
      std::memset(to, 0, line * sizeof(float));
      continue;
    }
    const float* from = image + (static_cast<size_t>(row) * width + skipped) * channels;
    std::memset(to, 0, before * channels * sizeof(float));
    std::memcpy(to + before * channels, from, kept * channels * sizeof(float));
    std::memset(to + (before + kept) * channels, 0,
                (bands.width - before - kept) * channels * sizeof(float));
  }
  return copy;
}

}  // namespace nb
