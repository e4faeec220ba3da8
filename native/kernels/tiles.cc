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
bool pays_off(bool trans_a, size_t m, size_t n, size_t k) {
  constexpr size_t kLargest = 1200 * 1000;
  if (m > kLargest || n > kLargest || k > kLargest) return false;
  // A product below the limit is such a tile as a whole.
  if (static_cast<double>(m) * n * k <= kLimit) return false;
  if (trans_a) return k >= 8 && k <= kDepth && n >= kCols && m * n <= kLargest;
  return m >= 32 && m <= 192 && n >= 32 && k * n <= kLargest && (n <= 256 || n % 128 == 0);
}

// Memory for copies of operands, kept by this thread; nullptr when there is not as much.
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
    for (size_t r = 0; cols == kCols && r < rows; ++r) {
      std::memcpy(panel + r * kCols, x + r * stride, kCols * sizeof(float));
    }
    for (size_t r = 0; cols != kCols && r < rows; ++r) {
      std::memcpy(panel + r * cols, x + r * stride, cols * sizeof(float));
    }
  });
}

}  // namespace

bool multiply_in_tiles(bool trans_a, size_t m, size_t n, size_t k, float alpha, const float* a,
                       const float* b, float beta, float* c) noexcept {
  if (!has_small_kernels() || !pays_off(trans_a, m, n, k)) return false;
  float* b_panel = scratch(kCols * k + (trans_a ? m * k : 0));
  if (b_panel == nullptr) return false;
  float* a_panels = b_panel + kCols * k;
  const size_t height = trans_a ? kTransposedRows : kRows;
  for (size_t i = 0; trans_a && i < m; i += height) {
    copy_panel(a + i, k, m, std::min(height, m - i), a_panels + i * k);
  }
  for (size_t j = 0; j < n; j += kCols) {
    const size_t cols = std::min(kCols, n - j);
    copy_panel(b + j, k, n, cols, b_panel);
    for (size_t i = 0; i < m; i += height) {
      const size_t rows = std::min(height, m - i);
      for (size_t p = 0; p < k; p += kDepth) {
        const float* a_tile = trans_a ? a_panels + i * k + p * rows : a + i * k + p;
        cblas_sgemm(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans, CblasNoTrans,
                    static_cast<int>(rows), static_cast<int>(cols),
                    static_cast<int>(std::min(kDepth, k - p)), alpha, a_tile,
                    static_cast<int>(trans_a ? rows : k), b_panel + p * cols,
                    static_cast<int>(cols), p == 0 ? beta : 1, c + i * n + j, static_cast<int>(n));
      }
    }
  }
  return true;
}

}  // namespace nb
