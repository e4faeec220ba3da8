#include "tiles.h"

#include <cblas.h>
#include <strings.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <tuple>

#include "simd/simd.h"
#include "transpose.h"

namespace nb {
namespace {

// A tile has at most 64·64·128 multiplications, a narrow one 64·30·512.
constexpr size_t kLimit = 1000 * 1000;
constexpr size_t kDepth = 128;
constexpr size_t kNarrow = 30;
constexpr size_t kNarrowDepth = 512;
constexpr size_t kRows = 64;
// So that the 784 rows of a first layer are cut into halves of nearly the same size.
constexpr size_t kTransposedRows = 48;
static_assert(kRows * kPanel * kDepth <= kLimit && kRows * kNarrow * kNarrowDepth <= kLimit);

// A product a·bᵀ below it is over before its tiles are made.
constexpr size_t kSmallest = 20 * 1000;

constexpr size_t kScratch = size_t{1} << 20;  // in floats

// By measurement (OpenBLAS 0.3.21, one core with 2 MiB of second-level cache), time of the tiles
// against the whole call:
//   a·b   0.69 to 0.97 up to 256 rows or where b is small, 1.0 to 1.06 for more rows
//   a·bᵀ  0.55 to 0.94 in the same places, and wherever b is narrow
//   aᵀ·b  0.86 to 0.98 where c is small and the batch at most 128, else 1.0 to 1.1, deeper 1.2
// and all lose, up to 1.5, when the large matrix is beyond the second cache by far (2048 x 2048).
bool pays_off(const Product& p) {
  constexpr size_t kSmall = size_t{1} << 18, kLarge = 1200 * 1000;
  const size_t m = p.m, n = p.n, k = p.k;
  if (p.trans_a && p.trans_b) return false;
  // A product below the limit is such a tile as a whole, but not with a bᵀ.
  const double work = static_cast<double>(m) * n * k;
  if (work <= (p.trans_b ? kSmallest : kLimit)) return false;
  if (kPanel * k + (p.trans_a ? m * k : 0) > kScratch) return false;
  // Also where they take 1.03 to 1.1 of the whole call's time, so that weights in panels, which
  // only tiles know, get the same bits.
  if (p.trans_a) return k >= 8 && k <= (n <= kNarrow ? 2 * kDepth : kDepth) && m * n <= kLarge;
  if (m < 32) return false;
  return (m <= 256 && k * n <= kLarge) || k * n <= kSmall;
}

// Memory for copies of operands, kept by this thread; nullptr when there is none or it is not
// enough.
float* scratch(size_t size) {
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  static thread_local std::unique_ptr<float, Free> data;
  if (!data) data.reset(static_cast<float*>(std::aligned_alloc(64, kScratch * sizeof(float))));
  return size <= kScratch ? data.get() : nullptr;
}

// Copies a panel of columns, so that its rows lie one after another: at a large power of two apart
// they would push each other out of the cache.
void copy_panel(const float* x, size_t rows, size_t stride, size_t cols, float* panel) {
  simd([=] {
    // A row of known length is copied without a loop.
    for (size_t r = 0; cols == kPanel && r < rows; ++r) {
      std::memcpy(panel + r * kPanel, x + r * stride, kPanel * sizeof(float));
    }
    for (size_t r = 0; cols != kPanel && r < rows; ++r) {
      std::memcpy(panel + r * cols, x + r * stride, cols * sizeof(float));
    }
  });
}

// Part of an operand as OpenBLAS takes it.
struct Tile {
  const float* data;
  size_t stride;
  bool transposed;
};

// Columns [col, col + cols) of op(b), their rows one after another: where they lie so, or copied to
// memory. nullptr when there is none to copy to.
const float* panel_of_b(const Product& p, size_t col, size_t cols, float* memory) {
  if (p.panels && !p.trans_a && !p.trans_b) return p.b + col * p.k;
  if (!p.trans_b && cols == p.n) return p.b;
  if (memory == nullptr) return nullptr;
  if (!p.trans_b) {
    copy_panel(p.b + col, p.k, p.n, cols, memory);
  } else if (!p.panels) {
    transpose_panel(p.b + col * p.k, cols, p.k, memory);
  } else {
    // Columns of op(b) are rows of the weights, which lie in pieces in their panels.
    for (size_t q = 0; q < p.k; q += kPanel) {
      const size_t width = std::min(kPanel, p.k - q);
      transpose_panel(p.b + q * p.n + col * width, cols, width, memory + q * cols);
    }
  }
  return memory;
}

// The same where nothing was copied.
Tile tile_of_b(const Product& p, size_t col, size_t q) {
  if (!p.trans_b) return {p.b + q * p.n + col, p.n, false};
  if (!p.panels) return {p.b + col * p.k + q, p.k, true};
  const size_t width = std::min(kPanel, p.k - q);
  return {p.b + q * p.n + col * width, width, true};
}

// Rows and columns of a part of the result, whole tiles.
struct Block {
  size_t row, row_end, col, col_end;
};

size_t height_of(const Product& p) { return p.trans_a ? kTransposedRows : kRows; }

// Without memory nothing is copied, which takes longer.
void multiply_block(const Product& p, Block block, float* memory) {
  const size_t height = height_of(p), deepest = p.n <= kNarrow ? kNarrowDepth : kDepth;
  const size_t slices = (p.k + deepest - 1) / deepest;
  const bool in_pieces = p.panels && p.trans_b && memory == nullptr;
  const size_t depth = in_pieces ? kPanel : (p.k + slices - 1) / slices;
  const bool copies_a = p.trans_a && memory != nullptr;
  float* a_panels = memory + kPanel * p.k;
  for (size_t i = block.row; copies_a && i < block.row_end; i += height) {
    const size_t rows = std::min(height, block.row_end - i);
    copy_panel(p.a + i, p.k, p.m, rows, a_panels + (i - block.row) * p.k);
  }
  for (size_t j = block.col; j < block.col_end; j += kPanel) {
    const size_t cols = std::min(kPanel, block.col_end - j);
    const float* b_panel = panel_of_b(p, j, cols, memory);
    for (size_t i = block.row; i < block.row_end; i += height) {
      const size_t rows = std::min(height, block.row_end - i);
      const bool in_panel = p.panels && p.trans_a;
      float* c = in_panel ? p.c + j * p.m + i * cols : p.c + i * p.n + j;
      for (size_t q = 0; q < p.k; q += depth) {
        const Tile a = copies_a    ? Tile{a_panels + (i - block.row) * p.k + q * rows, rows, true}
                       : p.trans_a ? Tile{p.a + q * p.m + i, p.m, true}
                                   : Tile{p.a + i * p.k + q, p.k, false};
        const Tile b = b_panel ? Tile{b_panel + q * cols, cols, false} : tile_of_b(p, j, q);
        cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
                    b.transposed ? CblasTrans : CblasNoTrans, static_cast<int>(rows),
                    static_cast<int>(cols), static_cast<int>(std::min(depth, p.k - q)), p.alpha,
                    a.data, static_cast<int>(a.stride), b.data, static_cast<int>(b.stride),
                    q == 0 ? p.beta : 1, c, static_cast<int>(in_panel ? cols : p.n));
      }
    }
  }
}

// Cut along the side with more tiles; aᵀ·b along the rows, so that no part of a is copied twice.
bool cuts_rows(const Product& p) { return p.trans_a || p.n / kPanel < p.m / kRows; }

}  // namespace

// The kernels came with OpenBLAS 0.3.18, for the processors that it calls by these names.
bool has_fast_tiles() noexcept {
  static const bool result = [] {
    int minor = 0, patch = 0;
    std::sscanf(openblas_get_config(), "OpenBLAS 0.%d.%d", &minor, &patch);
    if (minor < 3 || (minor == 3 && patch < 18)) return false;
    const char* core = openblas_get_corename();
    for (const char* name : {"SkylakeX", "Cooperlake", "Sapphirerapids"}) {
      if (strcasecmp(core, name) == 0) return true;
    }
    return false;
  }();
  return result;
}

bool goes_by_tiles(const Product& p) noexcept { return has_fast_tiles() && pays_off(p); }

size_t tiles_along(const Product& p) noexcept {
  return cuts_rows(p) ? (p.m + height_of(p) - 1) / height_of(p) : (p.n + kPanel - 1) / kPanel;
}

void multiply_in_tiles(const Product& p, Chunk chunk) noexcept {
  Block block{0, p.m, 0, p.n};
  if (cuts_rows(p)) {
    std::tie(block.row, block.row_end) = chunk.of(p.m, height_of(p));
  } else {
    std::tie(block.col, block.col_end) = chunk.of(p.n, kPanel);
  }
  if (block.row == block.row_end || block.col == block.col_end) return;
  multiply_block(p, block, scratch(kPanel * p.k + (p.trans_a ? p.m * p.k : 0)));
}

}  // namespace nb
