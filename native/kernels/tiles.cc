#include "tiles.h"

#include <cblas.h>
#include <strings.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <tuple>

#include "simd.h"
#include "transpose.h"

namespace nb {
namespace {

// A tile has at most 64·64·128 multiplications, a narrow one 64·30·512.
constexpr size_t kLimit = 1000 * 1000;
constexpr size_t kCols = 64;
constexpr size_t kDepth = 128;
constexpr size_t kNarrow = 30;
constexpr size_t kNarrowDepth = 512;
constexpr size_t kRows = 64;
// So that the 784 rows of a first layer are cut into halves of nearly the same size.
constexpr size_t kTransposedRows = 48;
static_assert(kRows * kCols * kDepth <= kLimit && kRows * kNarrow * kNarrowDepth <= kLimit);

// A product a·bᵀ below it is over before its tiles are made.
constexpr size_t kSmallest = 20 * 1000;

constexpr size_t kScratch = size_t{1} << 20;  // in floats

// The kernels came with OpenBLAS 0.3.18, for the processors that it calls by these names.
bool has_small_kernels() {
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

// By measurement (OpenBLAS 0.3.21, one core with 2 MiB of second-level cache), time of the tiles
// against the whole call:
//   a·b   0.69 to 0.97 up to 256 rows or where b is small, 1.0 to 1.06 for more rows
//   a·bᵀ  0.55 to 0.94 in the same places, and wherever b is narrow
//   aᵀ·b  0.86 to 0.98 where c is small and a batch of up to 128 lies between, else 1.0 to 1.2
// and all lose, up to 1.5, when the large matrix is beyond the second cache by far (2048 x 2048).
bool pays_off(const Product& p) {
  constexpr size_t kSmall = size_t{1} << 18, kLarge = 1200 * 1000;
  const size_t m = p.m, n = p.n, k = p.k;
  if (p.trans_a && p.trans_b) return false;
  // A product below the limit is such a tile as a whole, but not with a bᵀ.
  const double work = static_cast<double>(m) * n * k;
  if (work <= (p.trans_b ? kSmallest : kLimit)) return false;
  if (kCols * k + (p.trans_a ? m * k : 0) > kScratch) return false;
  if (p.trans_a) return k >= 8 && k <= (n <= kNarrow ? 2 * kDepth : kDepth) && m * n <= kSmall;
  if (m < 32) return false;
  return (m <= 256 && k * n <= kLarge) || k * n <= kSmall;
}

// Memory for copies of operands, kept by this thread; nullptr when there is none.
float* scratch() {
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  static thread_local std::unique_ptr<float, Free> data;
  if (!data) data.reset(static_cast<float*>(std::aligned_alloc(64, kScratch * sizeof(float))));
  return data.get();
}

// Copies a panel of columns, so that its rows lie one after another: at a large power of two apart
// they would push each other out of the cache.
void copy_panel(const float* x, size_t rows, size_t stride, size_t cols, float* panel) {
  simd([=] {
    // A row of known length is copied without a loop.
    for (size_t r = 0; cols == kCols && r < rows; ++r) {
      std::memcpy(panel + r * kCols, x + r * stride, kCols * sizeof(float));
    }
    for (size_t r = 0; cols != kCols && r < rows; ++r) {
      std::memcpy(panel + r * cols, x + r * stride, cols * sizeof(float));
    }
  });
}

// Columns [col, col + cols) of op(b), their rows one after another.
const float* panel_of_b(const Product& p, size_t col, size_t cols, float* panel) {
  if (p.trans_b) {
    transpose_panel(p.b + col * p.k, cols, p.k, panel);
  } else if (cols == p.n) {
    return p.b;
  } else {
    copy_panel(p.b + col, p.k, p.n, cols, panel);
  }
  return panel;
}

// Rows and columns of a part of the result, whole tiles.
struct Block {
  size_t row, row_end, col, col_end;
};

void multiply_block(const Product& p, Block block, float* memory) {
  const size_t height = p.trans_a ? kTransposedRows : kRows;
  const size_t deepest = p.n <= kNarrow ? kNarrowDepth : kDepth;
  const size_t slices = (p.k + deepest - 1) / deepest, depth = (p.k + slices - 1) / slices;
  float* a_panels = memory + kCols * p.k;
  for (size_t i = block.row; p.trans_a && i < block.row_end; i += height) {
    const size_t rows = std::min(height, block.row_end - i);
    copy_panel(p.a + i, p.k, p.m, rows, a_panels + (i - block.row) * p.k);
  }
  for (size_t j = block.col; j < block.col_end; j += kCols) {
    const size_t cols = std::min(kCols, block.col_end - j);
    const float* b_panel = panel_of_b(p, j, cols, memory);
    for (size_t i = block.row; i < block.row_end; i += height) {
      const size_t rows = std::min(height, block.row_end - i);
      for (size_t q = 0; q < p.k; q += depth) {
        const float* a_tile =
            p.trans_a ? a_panels + (i - block.row) * p.k + q * rows : p.a + i * p.k + q;
        cblas_sgemm(CblasRowMajor, p.trans_a ? CblasTrans : CblasNoTrans, CblasNoTrans,
                    static_cast<int>(rows), static_cast<int>(cols),
                    static_cast<int>(std::min(depth, p.k - q)), p.alpha, a_tile,
                    static_cast<int>(p.trans_a ? rows : p.k), b_panel + q * cols,
                    static_cast<int>(cols), q == 0 ? p.beta : 1, p.c + i * p.n + j,
                    static_cast<int>(p.n));
      }
    }
  }
}

// Cut along the side with more tiles; aᵀ·b along the rows, so that no part of a is copied twice.
bool cuts_rows(const Product& p) { return p.trans_a || p.n / kCols < p.m / kRows; }

}  // namespace

bool goes_by_tiles(const Product& p) noexcept { return has_small_kernels() && pays_off(p); }

size_t tiles_along(const Product& p) noexcept {
  if (!cuts_rows(p)) return (p.n + kCols - 1) / kCols;
  const size_t height = p.trans_a ? kTransposedRows : kRows;
  return (p.m + height - 1) / height;
}

void multiply_in_tiles(const Product& p, Share share) noexcept {
  Block block{0, p.m, 0, p.n};
  if (cuts_rows(p)) {
    std::tie(block.row, block.row_end) = share.of(p.m, p.trans_a ? kTransposedRows : kRows);
  } else {
    std::tie(block.col, block.col_end) = share.of(p.n, kCols);
  }
  if (block.row == block.row_end || block.col == block.col_end) return;
  if (float* memory = scratch()) {
    multiply_block(p, block, memory);
  } else {
    multiply_part(p, block.row, block.col, block.row_end - block.row, block.col_end - block.col);
  }
}

}  // namespace nb
