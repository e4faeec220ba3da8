// Elements from regular places to other regular places: slices with steps, reversed axes,
// diagonals.
#include <array>
#include <cmath>
#include <cstring>

#include "rows.h"
#include "words.h"

namespace nb {
namespace {

// As many as a tensor has at most.
constexpr size_t kAxes = 8;
using Extents = std::array<size_t, kAxes>;
using Strides = std::array<ptrdiff_t, kAxes>;

ptrdiff_t stride_of(Double stride) {
  if (!(std::fabs(stride) <= kMaxInteger) || stride != std::trunc(stride)) {
    throw KernelFault("a stride must be a whole number below 2^53");
  }
  return static_cast<ptrdiff_t>(stride);
}

// Refuses places outside a buffer.
template <typename S>
void holds_places(const S& span, size_t offset, const Extents& extents, const Strides& strides) {
  ptrdiff_t first = static_cast<ptrdiff_t>(offset);
  ptrdiff_t last = first;
  for (size_t axis = 0; axis < kAxes; ++axis) {
    ptrdiff_t reach;
    ptrdiff_t& end = strides[axis] < 0 ? first : last;
    if (__builtin_mul_overflow(strides[axis], extents[axis] - 1, &reach) ||
        __builtin_add_overflow(end, reach, &end)) {
      throw KernelFault("extent overflows");
    }
  }
  if (first < 0) throw KernelFault(std::string(span.name) + " starts before its first element");
  holds(span, static_cast<size_t>(last) + 1);
}

// Refuses strides by which two elements could go to one place, which threads would write at once:
// every step must be wider than all that the smaller ones reach together.
void apart(const Extents& extents, const Strides& strides) {
  std::array<std::pair<size_t, size_t>, kAxes> steps;
  for (size_t axis = 0; axis < kAxes; ++axis) {
    steps[axis] = {static_cast<size_t>(std::abs(strides[axis])), extents[axis] - 1};
  }
  std::sort(steps.begin(), steps.end());
  size_t reach = 0;
  for (const auto& [stride, count] : steps) {
    if (count == 0) continue;
    if (stride <= reach) throw KernelFault("the places in y must lie apart");
    reach += stride * count;
  }
}

// Where row after row of elements starts, in x and in y; a row goes along the last axis.
class Rows {
 public:
  Rows(const Extents& extents, const Strides& x, const Strides& y, size_t row)
      : extents_(extents), x_(x), y_(y) {
    for (size_t axis = kAxes - 1; axis-- > 0; row /= extents[axis]) {
      at_[axis] = row % extents[axis];
      x_at += static_cast<ptrdiff_t>(at_[axis]) * x[axis];
      y_at += static_cast<ptrdiff_t>(at_[axis]) * y[axis];
    }
  }
  void next() {
    for (size_t axis = kAxes - 1; axis-- > 0; at_[axis] = 0) {
      x_at += x_[axis];
      y_at += y_[axis];
      if (++at_[axis] < extents_[axis]) return;
      x_at -= static_cast<ptrdiff_t>(extents_[axis]) * x_[axis];
      y_at -= static_cast<ptrdiff_t>(extents_[axis]) * y_[axis];
    }
  }
  ptrdiff_t x_at = 0;
  ptrdiff_t y_at = 0;

 private:
  const Extents& extents_;
  const Strides& x_;
  const Strides& y_;
  std::array<size_t, kAxes - 1> at_;
};

template <typename W>
void copy_row(const uint8_t* x, uint8_t* y, ptrdiff_t n, ptrdiff_t x_stride, ptrdiff_t y_stride) {
  const W* source = reinterpret_cast<const W*>(x);
  W* target = reinterpret_cast<W*>(y);
  for (ptrdiff_t i = 0; i < n; ++i) target[i * y_stride] = source[i * x_stride];
}

bool is_empty(const Extents& extents) {
  return std::find(extents.begin(), extents.end(), size_t{0}) != extents.end();
}

void check_places(Any x, AnyInout y, size_t x_offset, size_t y_offset, const Extents& extents,
                  const Strides& x_strides, const Strides& y_strides) {
  if (is_empty(extents)) return;
  holds_places(x, x_offset, extents, x_strides);
  holds_places(y, y_offset, extents, y_strides);
  apart(extents, y_strides);
}

void copy_places(Any x, AnyInout y, size_t x_offset, size_t y_offset, const Extents& extents,
                 const Strides& x_strides, const Strides& y_strides, Chunk chunk) noexcept {
  if (is_empty(extents)) return;
  // All in y, and apart: the product fits.
  size_t count = 1;
  for (size_t extent : extents) count *= extent;
  const Range range = chunk.of(count);
  const size_t cols = extents[kAxes - 1];
  const ptrdiff_t x_step = x_strides[kAxes - 1];
  const ptrdiff_t y_step = y_strides[kAxes - 1];
  Rows rows(extents, x_strides, y_strides, range.first / cols);
  with_word(x.element_size, [&](auto word) {
    using W = decltype(word);
    const ptrdiff_t size = sizeof(W);
    for_pieces(range, cols, [&](size_t, size_t from, size_t to) {
      const ptrdiff_t first = static_cast<ptrdiff_t>(from);
      const uint8_t* source =
          x.data + (static_cast<ptrdiff_t>(x_offset) + rows.x_at + first * x_step) * size;
      uint8_t* target =
          y.data + (static_cast<ptrdiff_t>(y_offset) + rows.y_at + first * y_step) * size;
      if (x_step == 1 && y_step == 1) {
        std::memcpy(target, source, (to - from) * sizeof(W));
      } else {
        copy_row<W>(source, target, static_cast<ptrdiff_t>(to - from), x_step, y_step);
      }
      rows.next();
    });
  });
}

// One parameter for each axis.
template <typename T, size_t>
using Each = T;

template <typename Axes>
struct CopyStrided;
template <size_t... I>
struct CopyStrided<std::index_sequence<I...>> {
  static void check(Any x, AnyInout y, Size x_offset, Size y_offset, Each<Size, I>... extents,
                    Each<Double, I>... x_strides, Each<Double, I>... y_strides) {
    check_places(x, y, x_offset, y_offset, {extents...}, {stride_of(x_strides)...},
                 {stride_of(y_strides)...});
  }
  static void run(Any x, AnyInout y, Size x_offset, Size y_offset, Each<Size, I>... extents,
                  Each<Double, I>... x_strides, Each<Double, I>... y_strides,
                  Chunk chunk) noexcept {
    copy_places(x, y, x_offset, y_offset, {extents...}, {static_cast<ptrdiff_t>(x_strides)...},
                {static_cast<ptrdiff_t>(y_strides)...}, chunk);
  }
};
using Strided = CopyStrided<std::make_index_sequence<kAxes>>;
const Registration copy_strided =
    kernel<Strided::check, Strided::run>("copyStrided",
                                         "x y xOffset yOffset n0 n1 n2 n3 n4 n5 n6 n7 "
                                         "x0 x1 x2 x3 x4 x5 x6 x7 y0 y1 y2 y3 y4 y5 y6 y7");

}  // namespace
}  // namespace nb
