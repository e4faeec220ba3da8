// Weights in panels: a matrix [rows, cols] as blocks of 64 columns one after another, the last one
// narrower, each with its rows one after another. That is how the tiles of a product with them want
// to find them: without panels, every product of a training step copies them first. A program packs
// its weights before the first iteration, and unpacks them after the last.
#include <cstring>

#include "product.h"

namespace nb {
namespace {

void pack_check(In x, Out y, Size rows, Size cols) {
  holds(x, product(rows, cols));
  holds(y, product(rows, cols));
}

// Calls copy(in rows, in panels, width) for each panel's part of each row: row by row, so that what
// is read or written lies one after another on both sides.
template <class Copy>
void for_panel_rows(Size rows, Size cols, Chunk chunk, const Copy& copy) {
  if (cols == 0) return;  // then no buffer bounds the rows
  const auto [first, last] = chunk.of(rows, 1);
  for (size_t row = first; row < last; ++row) {
    for (size_t col = 0; col < cols; col += kPanel) {
      const size_t width = std::min(kPanel, cols - col);
      copy(row * cols + col, col * rows + row * width, width);
    }
  }
}

void pack_run(In x, Out y, Size rows, Size cols, Chunk chunk) noexcept {
  for_panel_rows(rows, cols, chunk, [=](size_t plain, size_t packed, size_t width) {
    std::memcpy(y.data + packed, x.data + plain, width * sizeof(float));
  });
}
const Registration pack = kernel<pack_check, pack_run>("packPanels", "x y rows cols");

void unpack_run(In x, Out y, Size rows, Size cols, Chunk chunk) noexcept {
  for_panel_rows(rows, cols, chunk, [=](size_t plain, size_t packed, size_t width) {
    std::memcpy(y.data + plain, x.data + packed, width * sizeof(float));
  });
}
const Registration unpack = kernel<pack_check, unpack_run>("unpackPanels", "x y rows cols");

}  // namespace
}  // namespace nb
