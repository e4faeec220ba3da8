#include "tiles.h"

#include <cblas.h>
#include <strings.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "simd.h"

namespace nb {
namespace {

// A tile has at most 96·64·128 multiplications.
constexpr size_t kLimit = 1000 * 1000;
constexpr size_t kCols = 64;
constexpr size_t kDepth = 128;
constexpr size_t kRows = 64;
constexpr size_t kTransposedRows = 96;
static_assert(kTransposedRows * kCols * kDepth <= kLimit);

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
// against the whole call. op(a)·b with 32 to 192 rows: 0.75 to 0.93 where b is narrow or its rows
// are a multiple of 512 bytes apart, which the large kernel suffers from, else 0.95 to 1.05. aᵀ·b
// over 8 to 128 rows: 0.62 to 0.93. Both lose when the large matrix is beyond the caches: 1.05
// to 1.5 at 2048 x 2048.
bool pays_off(const Product& p) {
  constexpr size_t kLargest = 1200 * 1000;
  const size_t m = p.m, n = p.n, k = p.k;
  if (p.trans_b || m > kLargest || n > kLargest || k > kLargest) return false;
  // A product below the limit is such a tile as a whole.
  if (static_cast<double>(m) * n * k <= kLimit) return false;
  if (kCols * k + (p.trans_a ? m * k : 0) > kScratch) return false;
  if (p.trans_a) return k >= 8 && k <= kDepth && n >= kCols && m * n <= kLargest;
  return m >= 32 && m <= 192 && n >= 32 && k * n <= kLargest && (n <= 256 || n % 128 == 0);
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

}  // namespace

namespace {

// Rows [begin, end) and the columns of the panels [first, last) of the result.
void multiply_block(const Product& p, size_t begin, size_t end, size_t first, size_t last,
                    float* b_panel) {
  const size_t height = p.trans_a ? kTransposedRows : kRows;
  float* a_panels = b_panel + kCols * p.k;
  for (size_t i = begin; p.trans_a && i < end; i += height) {
    copy_panel(p.a + i, p.k, p.m, std::min(height, end - i), a_panels + (i - begin) * p.k);
  }
  for (size_t j = first * kCols; j < std::min(p.n, last * kCols); j += kCols) {
    const size_t cols = std::min(kCols, p.n - j);
    copy_panel(p.b + j, p.k, p.n, cols, b_panel);
    for (size_t i = begin; i < end; i += height) {
      const size_t rows = std::min(height, end - i);
      for (size_t q = 0; q < p.k; q += kDepth) {
        const float* a_tile =
            p.trans_a ? a_panels + (i - begin) * p.k + q * rows : p.a + i * p.k + q;
        cblas_sgemm(CblasRowMajor, p.trans_a ? CblasTrans : CblasNoTrans, CblasNoTrans,
                    static_cast<int>(rows), static_cast<int>(cols),
                    static_cast<int>(std::min(kDepth, p.k - q)), p.alpha, a_tile,
                    static_cast<int>(p.trans_a ? rows : p.k), b_panel + q * cols,
                    static_cast<int>(cols), q == 0 ? p.beta : 1, p.c + i * p.n + j,
                    static_cast<int>(p.n));
      }
    }
  }
}

}  // namespace

// Shares are cut along the rows for aᵀ·b and along the columns for a·b, so that of the larger
// operand no part is copied twice.
bool multiply_in_tiles(const Product& p, Share share) noexcept {
  if (!has_small_kernels() || !pays_off(p)) return false;
  const size_t panels = (p.n + kCols - 1) / kCols;
  const auto [begin, end] =
      p.trans_a ? share.of(p.m, kTransposedRows) : std::make_pair(size_t{0}, p.m);
  const auto [first, last] = p.trans_a ? std::make_pair(size_t{0}, panels) : share.of(panels, 1);
  if (begin == end || first == last) return true;
  if (float* memory = scratch()) {
    multiply_block(p, begin, end, first, last, memory);
  } else {
    const size_t col = first * kCols;
    multiply_part(p, begin, col, end - begin, std::min(p.n, last * kCols) - col);
  }
  return true;
}

}  // namespace nb
