// Moving elements without computing with them: fill, expand, copy, transpose, triangles,
// conversion.
#include <cmath>
#include <cstring>

#include "convert.h"
#include "rows.h"
#include "words.h"

namespace nb {
namespace {

template <typename T>
void fill_check(OutOf<T> y, Size n, Double) {
  holds(y, n);
}
template <typename T>
void fill_run(OutOf<T> y, Size n, Double value, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  std::fill(y.data + range.first, y.data + range.second, convert<T>(value));
}
const Registration fill = [] {
  for_dtypes([](auto element) {
    using T = decltype(element);
    kernel<fill_check<T>, fill_run<T>>("fill", "y n value");
  });
  return Registration();
}();

void expand_check(Any x, AnyOut y, Size outer, Size repeat, Size inner) {
  holds(x, product(outer, inner));
  holds(y, product(outer, repeat, inner));
}
void expand_run(Any x, AnyOut y, Size outer, Size repeat, Size inner, Chunk chunk) noexcept {
  const Range range = chunk.of(outer * repeat * inner);
  const size_t size = x.element_size;
  if (inner == 1) {
    with_word(size, [=](auto word) {
      using W = decltype(word);
      for_pieces(range, repeat, [=](size_t row, size_t from, size_t to) {
        W* target = reinterpret_cast<W*>(y.data) + row * repeat;
        std::fill(target + from, target + to, reinterpret_cast<const W*>(x.data)[row]);
      });
    });
  } else {
    for_pieces(range, inner, [=](size_t row, size_t from, size_t to) {
      std::memcpy(y.data + (row * inner + from) * size,
                  x.data + (row / repeat * inner + from) * size, (to - from) * size);
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
  holds_rows(x, rows, cols, x_offset, x_stride);
  holds_rows(y, rows, cols, y_offset, y_stride);
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
                Size y_offset, Size y_stride, Chunk chunk) noexcept {
  if (rows == 0 || cols == 0) return;  // then the offsets were not checked
  const size_t size = x.element_size;
  const uint8_t* source = x.data + x_offset * size;
  uint8_t* target = y.data + y_offset * size;
  if (cols == 1) {
    const Range range = chunk.of(rows);
    const size_t n = range.second - range.first;
    source += range.first * x_stride * size;
    target += range.first * y_stride * size;
    return with_word(size, [=](auto word) {
      copy_strided<decltype(word)>(source, target, n, x_stride, y_stride);
    });
  }
  const bool one_piece = x_stride == cols && y_stride == cols;
  for_pieces(chunk.of(rows * cols), one_piece ? rows * cols : cols,
             [=](size_t row, size_t from, size_t to) {
               std::memcpy(target + (row * y_stride + from) * size,
                           source + (row * x_stride + from) * size, (to - from) * size);
             });
}
const Registration copy2d =
    kernel<copy2d_check, copy2d_run>("copy2d", "x y rows cols xOffset xStride yOffset yStride");

void transpose_check(Any x, AnyOut y, Size outer, Size rows, Size cols, Size inner) {
  const size_t size = product(outer, rows, cols, inner);
  holds(x, size);
  holds(y, size);
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
                   Chunk chunk) noexcept {
  const size_t size = x.element_size;
  const size_t plane = rows * cols * inner * size;  // bytes
  if (plane == 0) return;
  for_pieces(chunk.of(outer * cols), cols, [=](size_t o, size_t from, size_t to) {
    const uint8_t* source = x.data + o * plane;
    uint8_t* target = y.data + o * plane;
    if (inner == 1) {
      return with_word(size, [=](auto word) {
        transpose_columns<decltype(word)>(source, target, rows, cols, from, to);
      });
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

void triangle_check(Any x, AnyOut y, Size outer, Size rows, Size cols, Double, Size upper) {
  const size_t size = product(outer, rows, cols);
  holds(x, size);
  holds(y, size);
  flag("upper", upper);
}
// How many elements of a row lie before an edge, which may be anywhere.
size_t before(double edge, size_t cols) {
  if (!(edge > 0)) return 0;
  return edge < static_cast<double>(cols) ? static_cast<size_t>(std::ceil(edge)) : cols;
}
void triangle_run(Any x, AnyOut y, Size outer, Size rows, Size cols, Double diagonal, Size upper,
                  Chunk chunk) noexcept {
  const size_t size = x.element_size;
  for_pieces(chunk.of(outer * rows * cols), cols, [=](size_t row, size_t from, size_t to) {
    // From the diagonal on, or up to it.
    const double edge = static_cast<double>(row % rows) + diagonal;
    const size_t cut = std::clamp(before(upper != 0 ? edge : edge + 1, cols), from, to);
    const auto [first, last] = upper != 0 ? Range{cut, to} : Range{from, cut};
    uint8_t* target = y.data + row * cols * size;
    std::memset(target + from * size, 0, (first - from) * size);
    std::memset(target + last * size, 0, (to - last) * size);
    std::memcpy(target + first * size, x.data + (row * cols + first) * size, (last - first) * size);
  });
}
const Registration triangle =
    kernel<triangle_check, triangle_run>("triangle", "x y outer rows cols diagonal upper");

template <typename From, typename To>
void cast_check(Span<From, Use::in, Parameter::S> x, OutOf<To> y, Size n) {
  holds(x, n);
  holds(y, n);
}
template <typename From, typename To>
void cast_run(Span<From, Use::in, Parameter::S> x, OutOf<To> y, Size n, Chunk chunk) noexcept {
  const Range range = chunk.of(n);
  simd([=] {
    for (size_t i = range.first; i < range.second; ++i) y[i] = convert<To>(x[i]);
  });
}
const Registration cast = [] {
  for_dtypes([](auto from) {
    for_dtypes([](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      kernel<cast_check<From, To>, cast_run<From, To>>("cast", "x y n");
    });
  });
  return Registration();
}();

}  // namespace
}  // namespace nb
