#include "shape.h"

#include <string>

namespace nb {
namespace {

// Floats of a band, if it has more than one step.
constexpr size_t kBand = size_t{1} << 16;
// Bands that there should be for threads to share, if they have so many results each.
constexpr size_t kShared = 8, kResults = 96;
// Floats of the rows that one step reads, padded: 256 MiB.
constexpr size_t kMostPadded = size_t{1} << 26;

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

}  // namespace

Walk walk_forward(const ConvAxis& axis) noexcept {
  const auto pad = static_cast<int64_t>(axis.pad);
  return {0,
          static_cast<int64_t>(axis.out),
          static_cast<int64_t>(axis.stride),
          -pad,
          static_cast<int64_t>((axis.kernel - 1) * axis.dilation) - pad,
          axis.in,
          1};
}

Walk walk_back(const ConvAxis& axis) noexcept {
  return {static_cast<int64_t>(axis.pad / axis.stride),
          static_cast<int64_t>((axis.in + axis.pad - 1) / axis.stride + 1),
          1,
          -static_cast<int64_t>((axis.kernel - 1) * axis.dilation / axis.stride),
          0,
          axis.out,
          std::min(axis.stride, axis.in)};
}

size_t taps_forward(const ConvAxis& axis, Tap* taps) noexcept {
  for (size_t t = 0; t < axis.kernel; ++t) {
    taps[t] = {t, static_cast<int64_t>(t * axis.dilation) - static_cast<int64_t>(axis.pad)};
  }
  return axis.kernel;
}

// Place h of the image is read by tap t of result (h + pad - t·dilation) / stride, if that is
// whole.
size_t taps_back(const ConvAxis& axis, size_t phase, Tap* taps) noexcept {
  const auto rest = static_cast<int64_t>((phase + axis.pad) % axis.stride);
  const auto stride = static_cast<int64_t>(axis.stride);
  size_t count = 0;
  for (size_t t = 0; t < axis.kernel; ++t) {
    const int64_t distance = rest - static_cast<int64_t>(t * axis.dilation);
    if (distance % stride == 0) taps[count++] = {t, distance / stride};
  }
  return count;
}

Phase phase_back(const ConvAxis& axis, size_t phase) noexcept {
  const auto begin = static_cast<int64_t>((phase + axis.pad) / axis.stride);
  return {begin, begin + static_cast<int64_t>(ceil_div(axis.in - phase, axis.stride)), phase,
          axis.stride};
}

Bands bands_of(size_t batch, const Walk& height, const Walk& width, size_t channels) noexcept {
  const auto steps = static_cast<size_t>(height.end - height.begin);
  const auto columns = static_cast<size_t>(width.end - width.begin);
  const auto step = static_cast<size_t>(height.step);
  const auto beside = static_cast<size_t>(height.most - height.least);
  Bands bands{};
  // The first place that is read.
  const int64_t first = width.begin * width.step + width.least;
  bands.left = -first;
  const int64_t read = (width.end - 1 - width.begin) * width.step + width.most - width.least + 1;
  bands.width =
      static_cast<size_t>(std::max(read, bands.left + static_cast<int64_t>(width.source)));
  const size_t fit = kBand / (bands.width * channels);
  size_t most = fit > beside ? (fit - beside - 1) / step + 1 : 1;
  if (batch < kShared) {
    const size_t shared = ceil_div(steps, ceil_div(kShared, batch));
    most = std::min(most, std::max(shared, ceil_div(kResults, columns)));
  }
  bands.count = ceil_div(steps, most);
  bands.steps = ceil_div(steps, bands.count);
  bands.rows = (bands.steps - 1) * step + beside + 1;
  return bands;
}

void check_shape(const ConvShape& s) {
  for (const ConvAxis& axis : {s.height, s.width}) {
    for (size_t extent : {axis.in, axis.out, axis.kernel, axis.stride, axis.pad, axis.dilation}) {
      if (extent > INT32_MAX) throw KernelFault("extents must be below 2^31");
    }
    for (size_t extent : {axis.kernel, axis.stride, axis.dilation}) {
      if (extent == 0) throw KernelFault("kernel, stride and dilation must be at least 1");
    }
  }
  if (s.batch > INT32_MAX || s.channels > INT32_MAX || s.filters > INT32_MAX) {
    throw KernelFault("extents must be below 2^31");
  }
  if (s.groups == 0 || s.channels == 0 || s.filters == 0 || s.channels % s.groups != 0 ||
      s.filters % s.groups != 0) {
    throw KernelFault("groups must divide channels and filters, which are at least 1");
  }
  for (const bool back : {false, true}) {
    const ConvAxis &h = s.height, &w = s.width;
    if (back ? h.in == 0 || w.in == 0 : h.out == 0 || w.out == 0) continue;
    const Walk height = back ? walk_back(h) : walk_forward(h);
    const Walk width = back ? walk_back(w) : walk_forward(w);
    const auto span = static_cast<size_t>(height.most - height.least + 1);
    const size_t read = static_cast<size_t>((width.end - width.begin) * width.step) +
                        static_cast<size_t>(width.most - width.least + 1) + width.source + w.pad;
    if (product(span, read, back ? s.filters : s.channels) > kMostPadded) {
      throw KernelFault("the padded rows of one window must be below 2^26 elements");
    }
  }
}

}  // namespace nb
