// Products of matrices and vectors, row-major, by OpenBLAS.
#include "gemm.h"

#include <cblas.h>

#include "kernel.h"

namespace nb {
namespace {

void gemm_check(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k, Float,
                Float) {
  flag("transA", trans_a);
  flag("transB", trans_b);
  // OpenBLAS counts in int.
  for (size_t extent : {m, n, k}) {
    if (extent > INT32_MAX) throw KernelFault("m, n, k must be below 2^31");
  }
  holds(a, product(m, k));
  holds(b, product(k, n));
  holds(c, product(m, n));
  distinct(c, a);
  distinct(c, b);
}

// c = beta·c, and zeros for beta = 0 whatever c held. OpenBLAS's vector routines do not all promise
// that, so they are always called with beta = 1.
void scale(float* c, size_t size, float beta) {
  if (beta == 1) return;
  for (size_t i = 0; i < size; ++i) c[i] = beta == 0 ? 0 : c[i] * beta;
}

// c += alpha·op(a)·x for a row-major a of rows × cols before op.
void add_matrix_vector(CBLAS_TRANSPOSE op, const float* a, size_t rows, size_t cols, float alpha,
                       const float* x, float* c) {
  cblas_sgemv(CblasRowMajor, op, static_cast<int>(rows), static_cast<int>(cols), alpha, a,
              static_cast<int>(cols), x, 1, 1, c, 1);
}

}  // namespace

void multiply(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, float alpha, const float* a,
              const float* b, float beta, float* c) noexcept {
  if (m == 0 || n == 0) return;
  const CBLAS_TRANSPOSE op_a = trans_a ? CblasTrans : CblasNoTrans;
  const CBLAS_TRANSPOSE op_b = trans_b ? CblasTrans : CblasNoTrans;
  if (m > 1 && n > 1 && k > 1) {
    cblas_sgemm(CblasRowMajor, op_a, op_b, static_cast<int>(m), static_cast<int>(n),
                static_cast<int>(k), alpha, a, static_cast<int>(trans_a ? m : k), b,
                static_cast<int>(trans_b ? k : n), beta, c, static_cast<int>(n));
    return;
  }
  scale(c, m * n, beta);
  if (k == 0) return;
  if (m == 1) {  // one example: c = op(b)ᵀ·a
    add_matrix_vector(trans_b ? CblasNoTrans : CblasTrans, b, trans_b ? n : k, trans_b ? k : n,
                      alpha, a, c);
  } else if (n == 1) {
    add_matrix_vector(op_a, a, trans_a ? k : m, trans_a ? m : k, alpha, b, c);
  } else {  // k = 1, the weight gradient of one example
    cblas_sger(CblasRowMajor, static_cast<int>(m), static_cast<int>(n), alpha, a, 1, b, 1, c,
               static_cast<int>(n));
  }
}

namespace {

void gemm_run(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k, Float alpha,
              Float beta, Share share) noexcept {
  if (share.index != 0) return;
  multiply(trans_a, trans_b, m, n, k, alpha, a.data, b.data, beta, c.data);
}

const Registration gemm =
    kernel<gemm_check, gemm_run>("gemm", "a b c transA transB m n k alpha beta");

}  // namespace
}  // namespace nb
