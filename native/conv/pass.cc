#include "pass.h"

#include <limits>

#include "level_in_use.h"
#include "view.h"

namespace nb {
namespace {

// All groups of a view; depthwise, which has one channel in each, at once.
void convolve_groups(const Pass& pass, ConvTask task, const float* a, const float* weights,
                     const float* bias, float* y) {
  const ConvShape& s = pass.shape;
  const size_t groups = s.is_depthwise() ? 1 : s.groups;
  const size_t rows = pass.channels / s.groups, cols = pass.results / s.groups;
  task.by_lane = s.is_depthwise();
  task.cols = task.by_lane ? pass.results : cols;
  task.b_stride = pass.back ? cols : s.filters;
  for (size_t g = 0; g < groups; ++g) {
    task.a = a + g * rows;
    task.b = weights + g * (pass.back ? rows * cols : cols);
    task.y = y + g * cols;
    task.bias = bias == nullptr ? nullptr : bias + g * cols;
    convolve_at_level(task);
  }
}

// Steps of an image that are computed together, and the rows that they read.
struct Band {
  size_t image;
  int64_t begin, end;
  int64_t first_row;
  size_t rows;
};

// Computes bands, from unit to unit: read(band, copy) gives what the results are sums of, for which
// there is room in copy; write(band, results) tells where they go; done(band, results) follows
// them.
template <class Read, class Write, class Done>
Fault convolve_bands(const Pass& pass, const float* weights, const float* bias, float floor,
                     size_t unit, size_t end, const Read& read, const Write& write,
                     const Done& done) noexcept {
  const Bands& bands = pass.bands;
  const size_t floats = bands.floats(pass.channels);
  const size_t kept = pass.pools ? bands.steps * pass.row() : 0;
  Room room(View::bytes(pass) + (floats + kept) * sizeof(float), View::kParts + 2);
  if (!room) return no_memory_to_compute();
  float* copy = room.take<float>(floats);
  float* results = room.take<float>(kept);
  View view(pass, room);
  for (; unit < end; ++unit) {
    Band band{};
    band.image = unit / bands.count;
    band.begin = pass.height.begin + static_cast<int64_t>(unit % bands.count * bands.steps);
    band.end = std::min(pass.height.end, band.begin + static_cast<int64_t>(bands.steps));
    band.first_row = band.begin * pass.height.step + pass.height.least;
    band.rows = static_cast<size_t>((band.end - 1 - band.begin) * pass.height.step +
                                    pass.height.most - pass.height.least + 1);
    const float* a = read(band, copy);
    for (size_t r = 0; r < pass.height.phases; ++r) {
      for (size_t c = 0; c < pass.width.phases; ++c) {
        view.fill(band.begin, band.end, r, c);
        ConvTask task = view.task();
        task.floor = floor;
        convolve_groups(pass, task, a, weights, bias, write(band, results));
      }
    }
    done(band, results);
  }
  return {};
}

// Reads images as they are.
auto from_images(const Pass& pass, const float* x) {
  return [&pass, x](const Band& band, float* copy) {
    return padded(x + band.image * pass.image(), pass.height.source, pass.width.source,
                  pass.channels, pass.bands, band.first_row, band.rows, copy);
  };
}

size_t units_of(const Pass& pass) { return pass.shape.batch * pass.bands.count; }

}  // namespace

size_t units_of(const ConvShape& shape, bool back) noexcept {
  if (shape.batch == 0 || (back ? shape.image() : shape.result()) == 0) return 0;
  return units_of(Pass{shape, back});
}

size_t pooled_units_of(const ConvShape& shape) noexcept {
  const ConvShape pooled = shape.pooled();
  return shape.batch == 0 ? 0 : units_of(Pass{pooled, false, true});
}

Fault convolve_units(const ConvShape& shape, const float* x, const float* weights,
                     const float* bias, float floor, float* y, size_t unit, size_t end) noexcept {
  if (unit >= end) return {};
  const Pass pass{shape, false};
  return convolve_bands(
      pass, weights, bias, floor, unit, end, from_images(pass, x),
      [&](const Band& band, float*) { return y + band.image * pass.result(); },
      [](const Band&, const float*) {});
}

Fault convolve_and_pool_units(const ConvShape& shape, const float* x, const float* weights,
                              const float* bias, float* y, uint8_t* places, size_t unit,
                              size_t end) noexcept {
  if (unit >= end) return {};
  const ConvShape pooled = shape.pooled();
  const Pass pass{pooled, false, true};
  const size_t windows = pass.columns / kWindow;
  return convolve_bands(
      pass, weights, bias, 0, unit, end, from_images(pass, x),
      [](const Band&, float* results) { return results; },
      [&](const Band& band, const float* results) {
        const auto rows = static_cast<size_t>(band.end - band.begin) / kWindow;
        const size_t first = (band.image * pooled.height.out + static_cast<size_t>(band.begin)) /
                             kWindow * windows * pass.results;
        max_pool(results, rows, windows, pass.results, y + first, places + first);
      });
}

Fault input_gradient_units(const ConvShape& shape, const ResultGradient& dy, const float* turned,
                           float* dx, size_t unit, size_t end) noexcept {
  if (unit >= end) return {};
  const Pass pass{shape, true};
  const auto images = from_images(pass, dy.dy);
  return convolve_bands(
      pass, turned, nullptr, -std::numeric_limits<float>::infinity(), unit, end,
      [&](const Band& band, float* copy) -> const float* {
        if (!dy.is_pooled()) return images(band, copy);
        unpool_padded(shape, dy, band.image, pass.bands, band.first_row, band.rows, copy);
        return copy;
      },
      [&](const Band& band, float*) { return dx + band.image * pass.result(); },
      [](const Band&, const float*) {});
}

}  // namespace nb
