// The product engine of machines without fused multiply-add, and of NEUROBLAS_GEMM=openblas: blocks
// of the result by OpenBLAS, or by loops where there is none, then the epilogue over them. An
// element's bits depend on the kernels that OpenBLAS picks for the processor, and on its place in
// the result.
#pragma once

#include "blas.h"
#include "engine.h"
#include "simd/simd.h"

namespace nb {

// Rows of a block. By the shape alone, so that the result does not depend on the chunks.
constexpr size_t kRowsOfBlas = 192;

inline void blas_gemm(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, const float* a,
                      size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc) {
  const auto integer = [](size_t size) { return static_cast<int>(size); };
  blas::gemm<float>(trans_a, trans_b, integer(m), integer(n), integer(k), 1, a, integer(lda), b,
                    integer(ldb), beta, c, integer(ldc));
}

// sums [rows, cols]
inline void multiply_by_blas(const Product<float>& p, const Block& block, float* sums) {
  const size_t rows = block.row_end - block.row, cols = block.col_end - block.col;
  const float* a = p.a + (p.trans_a ? block.row : block.row * p.k);
  const size_t lda = p.trans_a ? p.m : p.k;
  if (!p.b_in_panels) {
    const size_t ldb = p.trans_b ? p.k : p.n;
    blas_gemm(p.trans_a, p.trans_b, rows, cols, p.k, a, lda,
              p.b + (p.trans_b ? block.col * ldb : block.col), ldb, 0, sums, cols);
  } else if (p.trans_b) {
    for (size_t q = 0; q < p.k; q += kPanel) {
      const size_t width = std::min(kPanel, p.k - q);
      blas_gemm(p.trans_a, true, rows, cols, width, a + (p.trans_a ? q * p.m : q), lda,
                p.b + q * p.n + block.col * width, width, q == 0 ? 0 : 1, sums, cols);
    }
  } else {
    for (size_t j = block.col; j < block.col_end; j += kPanel) {
      const size_t width = std::min(kPanel, p.n - j);
      blas_gemm(p.trans_a, false, rows, width, p.k, a, lda, p.b + j * p.k, width, 0,
                sums + (j - block.col), cols);
    }
  }
}

template <class Epilogue>
void multiply_block_by_blas(const Product<float>& p, const Epilogue& epilogue, const Block& block) {
  constexpr size_t kCols = Workspace<float>::kRoomForA / kRowsOfBlas / kPanel * kPanel;
  float* sums = Workspace<float>::of_this_thread().a;
  for (size_t row = block.row; row < block.row_end; row += kRowsOfBlas) {
    for (size_t col = block.col; col < block.col_end; col += kCols) {
      const Block part{row, std::min(row + kRowsOfBlas, block.row_end), col,
                       std::min(col + kCols, block.col_end)};
      multiply_by_blas(p, part, sums);
      // Compiled once: this is no way to be fast.
      detail::run_baseline([=] {
        const size_t width = part.col_end - part.col;
        for (size_t i = part.row; i < part.row_end; ++i) {
          for (size_t j = 0; j < width; j += kPanel) {
            const size_t cols = width - j < kPanel ? width - j : kPanel;
            epilogue.row(sums + (i - part.row) * width + j, i, part.col + j, cols);
          }
        }
      });
    }
  }
}

}  // namespace nb
