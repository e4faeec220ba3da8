// OpenBLAS, opened at run time where the system has it: the addon is not linked to it, loads
// without it, and opens it when something first asks. The loops of loops.h stand in where there is
// none.
#pragma once

namespace nb {

// CBLAS's own values.
constexpr int kRowMajor = 101;
constexpr int kNoTrans = 111;
constexpr int kTrans = 112;

// CBLAS's routines in one precision, as netlib's cblas.h declares them.
template <class T>
struct Cblas {
  void (*gemm)(int order, int trans_a, int trans_b, int m, int n, int k, T alpha, const T* a,
               int lda, const T* b, int ldb, T beta, T* c, int ldc);
  void (*gemv)(int order, int trans, int m, int n, T alpha, const T* a, int lda, const T* x,
               int incx, T beta, T* y, int incy);
  void (*ger)(int order, int m, int n, T alpha, const T* x, int incx, const T* y, int incy, T* a,
              int lda);
  void (*axpy)(int n, T alpha, const T* x, int incx, T* y, int incy);
  T (*dot)(int n, const T* x, int incx, const T* y, int incy);
};

struct OpenBlas {
  Cblas<float> floats;
  Cblas<double> doubles;
  // Version and build: "OpenBLAS 0.3.21 DYNAMIC_ARCH NO_AFFINITY SkylakeX MAX_THREADS=64".
  char config[256];
  // The processor whose kernels it chose.
  char core[64];
  // What its own threads are made by: "none", "pthreads" or "OpenMP".
  const char* threading;
  int (*threads)();

  const Cblas<float>& of(float) const { return floats; }
  const Cblas<double>& of(double) const { return doubles; }
};

// The library, with one thread for whatever the calling thread asks of it; nullptr where there is
// none, or another one by its name. Opened by the first call; later ones cost some ns.
const OpenBlas* openblas() noexcept;

// Why openblas() is nullptr, in words; nullptr where it is not.
const char* openblas_problem() noexcept;

}  // namespace nb
