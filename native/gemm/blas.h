// BLAS on row-major arrays in float32 and float64: OpenBLAS's routines where the system has it,
// else the product engine and the loops of loops.h. Arguments are CBLAS's, less the order; they
// were checked before.
#pragma once

#include "loops.h"
#include "openblas.h"

namespace nb {
namespace blas {

inline int operation(bool transposes) { return transposes ? kTrans : kNoTrans; }

// The same as gemm by the engine of our own; false where that has no instructions or no memory.
bool gemm_by_engine(bool trans_a, bool trans_b, int m, int n, int k, float alpha, const float* a,
                    int lda, const float* b, int ldb, float beta, float* c, int ldc) noexcept;
bool gemm_by_engine(bool trans_a, bool trans_b, int m, int n, int k, double alpha, const double* a,
                    int lda, const double* b, int ldb, double beta, double* c, int ldc) noexcept;

// c = alpha·op(a)·op(b) + beta·c
template <class T>
void gemm(bool trans_a, bool trans_b, int m, int n, int k, T alpha, const T* a, int lda, const T* b,
          int ldb, T beta, T* c, int ldc) noexcept {
  if (const OpenBlas* library = openblas()) {
    library->of(T()).gemm(kRowMajor, operation(trans_a), operation(trans_b), m, n, k, alpha, a, lda,
                          b, ldb, beta, c, ldc);
  } else if (!gemm_by_engine(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)) {
    loops::gemm<T>(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  }
}

// y += alpha·op(a)·x. Not every version of OpenBLAS ignores y for beta = 0, so there is no beta.
template <class T>
void gemv(bool trans, int m, int n, T alpha, const T* a, int lda, const T* x, int incx, T* y,
          int incy) noexcept {
  if (const OpenBlas* library = openblas()) {
    library->of(T()).gemv(kRowMajor, operation(trans), m, n, alpha, a, lda, x, incx, 1, y, incy);
  } else {
    loops::gemv<T>(trans, m, n, alpha, a, lda, x, incx, y, incy);
  }
}

// y += alpha·x
template <class T>
void axpy(int n, T alpha, const T* x, int incx, T* y, int incy) noexcept {
  if (const OpenBlas* library = openblas()) {
    library->of(T()).axpy(n, alpha, x, incx, y, incy);
  } else {
    loops::axpy<T>(n, alpha, x, incx, y, incy);
  }
}

// Σ x·y
template <class T>
T dot(int n, const T* x, int incx, const T* y, int incy) noexcept {
  if (const OpenBlas* library = openblas()) return library->of(T()).dot(n, x, incx, y, incy);
  return loops::dot<T>(n, x, incx, y, incy);
}

}  // namespace blas
}  // namespace nb
