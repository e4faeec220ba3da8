// Images seen through a map of their pixels: an affine map around the centre and a displacement of
// each pixel.
#include "rows.h"

namespace nb {
namespace {

void warp_check(In x, In maps, In shifts, Out y, Size count, Size height, Size width) {
  const size_t n = product(count, height, width);
  // Positions are floats, which tell pixels apart up to here; indices are int32.
  constexpr size_t kSide = 1 << 15;
  if (height > kSide || width > kSide) {
    throw KernelFault("height and width must be at most 32768, got " + std::to_string(height) +
                      " and " + std::to_string(width));
  }
  holds(x, n);
  holds(maps, product(count, 4));
  holds(shifts, product(n, 2));
  holds(y, n);
}

struct Place {
  int32_t pixel;   // from -1 to the extent
  float fraction;  // of the way to the next one
};

// Everything outside is 0, so nothing changes beyond -1 and beyond the extent; NaN becomes -1.
NB_INLINE Place place_of(float at, float extent) {
  at = at > -1 ? at : -1;
  at = at < extent ? at : extent;
  const int32_t pixel = static_cast<int32_t>(at + 1) - 1;
  return {pixel, at - static_cast<float>(pixel)};
}

NB_INLINE float pixel_of(const float* x, int32_t row, int32_t col, int32_t height, int32_t width) {
  const bool inside = (row >= 0) & (row < height) & (col >= 0) & (col < width);
  const float value = x[inside ? row * width + col : 0];
  return inside ? value : 0;
}

void warp_run(In x, In maps, In shifts, Out y, Size count, Size height, Size width,
              Chunk chunk) noexcept {
  const size_t size = height * width;
  const Range range = chunk.of(count * size);
  const int32_t h = static_cast<int32_t>(height), w = static_cast<int32_t>(width);
  const float last_row = static_cast<float>(h), last_col = static_cast<float>(w);
  const float middle_row = (last_row - 1) / 2, middle_col = (last_col - 1) / 2;
  simd([=] {
    for_pieces(range, width, [&](size_t line, size_t from, size_t to) {
      const size_t image = line / height;
      const size_t start = line % height * width;
      const float* source = x.data + image * size;
      const float* map = maps.data + 4 * image;
      const float* row_shifts = shifts.data + 2 * image * size + start;
      const float* col_shifts = row_shifts + size;
      float* target = y.data + image * size + start;
      const float row = static_cast<float>(line % height) - middle_row;
      const float a = map[0], b = map[1], c = map[2], d = map[3];
      for (size_t i = from; i < to; ++i) {
        const float col = static_cast<float>(static_cast<int32_t>(i)) - middle_col;
        const Place r = place_of(middle_row + (a * row + b * col) + row_shifts[i], last_row);
        const Place q = place_of(middle_col + (c * row + d * col) + col_shifts[i], last_col);
        const auto pixel = [=](int32_t down, int32_t right) {
          return pixel_of(source, r.pixel + down, q.pixel + right, h, w);
        };
        const float top = (1 - q.fraction) * pixel(0, 0) + q.fraction * pixel(0, 1);
        const float bottom = (1 - q.fraction) * pixel(1, 0) + q.fraction * pixel(1, 1);
        target[i] = (1 - r.fraction) * top + r.fraction * bottom;
      }
    });
  });
}
const Registration warp =
    kernel<warp_check, warp_run>("warp", "x maps shifts y count height width");

}  // namespace
}  // namespace nb
