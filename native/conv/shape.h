// What a convolution is: extents, and how places of the result follow from those of the image along
// each axis.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernel.h"

namespace nb {

// Rows and columns of the windows that results are pooled in, side by side.
constexpr size_t kWindow = 2;

// Along one axis: result i of `out` is Σ over taps t of image[i·stride + t·dilation - pad], which
// is 0 outside the image.
struct ConvAxis {
  size_t in, out, kernel, stride, pad, dilation;
};

// Images [batch, height, width, channels], weights [height, width, channels / groups, filters] and
// results [batch, height, width, filters].
struct ConvShape {
  size_t batch, channels, filters, groups;
  ConvAxis height, width;

  size_t group_channels() const { return channels / groups; }
  size_t group_filters() const { return filters / groups; }
  bool is_depthwise() const { return groups == channels && groups == filters; }
  size_t taps() const { return height.kernel * width.kernel; }
  size_t weights() const { return taps() * group_channels() * filters; }
  size_t image() const { return height.in * width.in * channels; }
  size_t result() const { return height.out * width.out * filters; }
  // Without the last row and column that are no part of a window, where results are pooled.
  ConvShape pooled() const {
    ConvShape shape = *this;
    shape.height.out = height.out / kWindow * kWindow;
    shape.width.out = width.out / kWindow * kWindow;
    return shape;
  }
  // Multiplications, as a measure of work.
  double work() const {
    return static_cast<double>(batch) * static_cast<double>(result()) *
           static_cast<double>(taps() * group_channels());
  }
};

// How one axis is walked from results to what they are sums of: step i, from begin to before end,
// reads the places i·step + offset, where the offsets of all taps are from `least` to `most`.
struct Walk {
  int64_t begin, end, step, least, most;
  size_t source;  // places that there are
  size_t phases;  // kinds of results, by the taps that they have
};

// From results to the image.
Walk walk_forward(const ConvAxis& axis) noexcept;
// From the image to the results that its places went into: the way of its gradient. The places
// whose distances are multiples of the stride have the same taps.
Walk walk_back(const ConvAxis& axis) noexcept;

// One kind of results: those of the steps from begin to before end.
struct Phase {
  int64_t begin, end;
  size_t first, stride;  // the result of `begin`, and how far the next one is
};

// A tap of the kernel, and where it reads from a step.
struct Tap {
  size_t index;
  int64_t offset;
};

// Fills taps [axis.kernel] in their order; how many there are.
size_t taps_forward(const ConvAxis& axis, Tap* taps) noexcept;
size_t taps_back(const ConvAxis& axis, size_t phase, Tap* taps) noexcept;
Phase phase_back(const ConvAxis& axis, size_t phase) noexcept;

// Steps along the height that are computed together, from a padded copy of what they read that
// stays in the second-level cache: so many by the shape alone.
struct Bands {
  size_t steps;  // of a band; the last one may have fewer
  size_t count;  // of an image
  size_t rows;   // of the padded copy
  size_t width;
  int64_t left;  // columns of it before the source's first one; negative: that come after it

  size_t floats(size_t channels) const { return rows * width * channels; }
};

Bands bands_of(size_t batch, const Walk& height, const Walk& width, size_t channels) noexcept;

// Refuses what is no convolution, and padded copies beyond what may be in memory.
void check_shape(const ConvShape& shape);

}  // namespace nb
