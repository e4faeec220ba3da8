// Moving elements without computing with them: fill, expand, copy, transpose, conversion.
#include <cstring>

#include "rows.h"

namespace nb {
namespace {

void fill_check(Out y, Size n, Float) { holds(y, n); }
void fill_run(Out y, Size n, Float value, Share share) noexcept {
  const Range range = share.of(n);
  std::fill(y.data + range.first, y.data + range.second, value);
}
const Registration fill = kernel<fill_check, fill_run>("fill", "y n value");

void expand_check(In x, Out y, Size outer, Size repeat, Size inner) {
  holds(x, product(outer, inner));
  holds(y, product(outer, repeat, inner));
  distinct(y, x);
}
void expand_run(In x, Out y, Size outer, Size repeat, Size inner, Share share) noexcept {
  const Range range = share.of(outer * repeat * inner);
  if (inner == 1) {
    for_pieces(range, repeat, [=](size_t row, size_t from, size_t to) {
      std::fill(y.data + row * repeat + from, y.data + row * repeat + to, x[row]);
    });
  } else {
    for_pieces(range, inner, [=](size_t row, size_t from, size_t to) {
      const float* source = x.data + row / repeat * inner;
      std::copy(source + from, source + to, y.data + row * inner + from);
    });
  }
}
const Registration expand = kernel<expand_check, expand_run>("expand", "x y outer repeat inner");

// Refuses rows that reach past the end of a buffer.
template <typename S>
void holds_rows(const S& span, Size rows, Size cols, Size offset, Size stride) {
  if (rows > 0 && cols > 0) holds(span, total(total(offset, product(rows - 1, stride)), cols));
}

void copy2d_check(Any x, AnyInout y, Size rows, Size cols, Size x_offset, Size x_stride,
                  Size y_offset, Size y_stride) {
  same_dtype(x, y);
  holds_rows(x, rows, cols, x_offset, x_stride);
  holds_rows(y, rows, cols, y_offset, y_stride);
  distinct(y, x);
  if (rows > 1 && y_stride < cols) throw KernelFault("yStride must be at least cols");
}

// Elements that lie apart.
template <typename T>
void copy_strided(const uint8_t* x, uint8_t* y, size_t n, size_t x_stride, size_t y_stride) {
  for (size_t i = 0; i < n; ++i) {
    std::memcpy(y + i * y_stride * sizeof(T), x + i * x_stride * sizeof(T), sizeof(T));
  }
}

void copy2d_run(Any x, AnyInout y, Size rows, Size cols, Size x_offset, Size x_stride,
                Size y_offset, Size y_stride, Share share) noexcept {
  if (rows == 0 || cols == 0) return;  // then the offsets were not checked
  const size_t size = x.element_size;
  const uint8_t* source = x.data + x_offset * size;
  uint8_t* target = y.data + y_offset * size;
  if (cols == 1) {
    const Range range = share.of(rows);
    const size_t n = range.second - range.first;
    source += range.first * x_stride * size;
    target += range.first * y_stride * size;
    return size == 1 ? copy_strided<uint8_t>(source, target, n, x_stride, y_stride)
                     : copy_strided<uint32_t>(source, target, n, x_stride, y_stride);
  }
  const bool one_piece = x_stride == cols && y_stride == cols;
  for_pieces(share.of(rows * cols), one_piece ? rows * cols : cols,
             [=](size_t row, size_t from, size_t to) {
               std::memcpy(target + (row * y_stride + from) * size,
                           source + (row * x_stride + from) * size, (to - from) * size);
             });
}
const Registration copy2d =
    kernel<copy2d_check, copy2d_run>("copy2d", "x y rows cols xOffset xStride yOffset yStride");

void transpose_check(Any x, AnyOut y, Size outer, Size rows, Size cols, Size inner) {
  const size_t size = product(outer, rows, cols, inner);
  same_dtype(x, y);
  holds(x, size);
  holds(y, size);
  distinct(y, x);
}

// y[c, r] = x[r, c] for columns [from, to), in tiles whose lines of x and y stay in the cache.
template <typename T>
void transpose_columns(const uint8_t* x, uint8_t* y, size_t rows, size_t cols, size_t from,
                       size_t to) {
  constexpr size_t kTile = 16;
  for (size_t c0 = from; c0 < to; c0 += kTile) {
    const size_t c1 = std::min(to, c0 + kTile);
    for (size_t r0 = 0; r0 < rows; r0 += kTile) {
      const size_t r1 = std::min(rows, r0 + kTile);
      for (size_t c = c0; c < c1; ++c) {
        copy_strided<T>(x + (r0 * cols + c) * sizeof(T), y + (c * rows + r0) * sizeof(T), r1 - r0,
                        cols, 1);
      }
    }
  }
}

void transpose_run(Any x, AnyOut y, Size outer, Size rows, Size cols, Size inner,
                   Share share) noexcept {
  const size_t size = x.element_size;
  const size_t plane = rows * cols * inner * size;  // bytes
  if (plane == 0) return;
  for_pieces(share.of(outer * cols), cols, [=](size_t o, size_t from, size_t to) {
    const uint8_t* source = x.data + o * plane;
    uint8_t* target = y.data + o * plane;
    if (inner == 1) {
      return size == 1 ? transpose_columns<uint8_t>(source, target, rows, cols, from, to)
                       : transpose_columns<uint32_t>(source, target, rows, cols, from, to);
    }
    for (size_t c = from; c < to; ++c) {
      for (size_t r = 0; r < rows; ++r) {
        std::memcpy(target + (c * rows + r) * inner * size, source + (r * cols + c) * inner * size,
                    inner * size);
      }
    }
  });
}
const Registration transpose =
    kernel<transpose_check, transpose_run>("transpose", "x y outer rows cols inner");

void ints_to_floats_check(Ints x, Out y, Size n) {
  holds(x, n);
  holds(y, n);
}
void ints_to_floats_run(Ints x, Out y, Size n, Share share) noexcept {
  const Range range = share.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) y[i] = static_cast<float>(x[i]);
  });
}
const Registration ints_to_floats =
    kernel<ints_to_floats_check, ints_to_floats_run>("intsToFloats", "x y n");

}  // namespace
}  // namespace nb
