// BLAS by plain loops, for what OpenBLAS does where there is one: row-major, in float and double,
// the arguments as in blas.h. The compiler vectorises them for the level in use (simd.h); the bits
// are the same at every level, and those of an element do not depend on its place.
#pragma once

namespace nb {
namespace loops {

template <class T>
void gemm(bool trans_a, bool trans_b, int m, int n, int k, T alpha, const T* a, int lda, const T* b,
          int ldb, T beta, T* c, int ldc) noexcept;

template <class T>
void gemv(bool trans, int m, int n, T alpha, const T* a, int lda, const T* x, int incx, T* y,
          int incy) noexcept;

template <class T>
void axpy(int n, T alpha, const T* x, int incx, T* y, int incy) noexcept;

template <class T>
T dot(int n, const T* x, int incx, const T* y, int incy) noexcept;

}  // namespace loops
}  // namespace nb
