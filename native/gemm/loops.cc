#include "loops.h"

#include <algorithm>
#include <cstddef>

#include "simd/reduce.h"
#include "simd/simd.h"

namespace nb {
namespace loops {
namespace {

// Terms of a sum that are added before the sum is: a block of b of this depth and width stays in
// the first-level cache, in double, too, while all rows of a pass by.
constexpr size_t kDepth = 64;
constexpr size_t kWidth = 64;
// Rows of a that share a walk over the block.
constexpr size_t kRows = 2;
// Rows of the block that are added in one walk.
constexpr size_t kTerms = 4;

// op(x) of a row-major matrix.
template <class T>
struct Operand {
  const T* data;
  // How far apart are elements one below, and one beside the other.
  size_t down, across;

  NB_INLINE T at(size_t i, size_t j) const { return data[i * down + j * across]; }
};

template <class T>
Operand<T> operand(bool transposes, const T* data, int lead) {
  const size_t step = static_cast<size_t>(lead);
  return transposes ? Operand<T>{data, 1, step} : Operand<T>{data, step, 1};
}

template <class T>
NB_INLINE void scale_rows(T* c, size_t rows, size_t cols, size_t lead, T beta) {
  for (size_t i = 0; beta != 1 && i < rows; ++i) {
    T* row = c + i * lead;
    for (size_t j = 0; j < cols; ++j) row[j] = beta == 0 ? 0 : beta * row[j];
  }
}

// Part [depth, width] of op(b) from (top, left) on, with zeros up to whole terms and whole vectors.
template <class T>
NB_INLINE void pack_block(const Operand<T>& b, size_t top, size_t left, size_t depth, size_t width,
                          T* block) {
  for (size_t p = 0; p < kDepth; ++p) {
    for (size_t j = 0; j < kWidth; ++j) {
      block[p * kWidth + j] = p < depth && j < width ? b.at(top + p, left + j) : 0;
    }
  }
}

// The same of kRows rows of op(a).
template <class T>
NB_INLINE void pack_rows(const Operand<T>& a, size_t top, size_t left, size_t rows, size_t depth,
                         T* packed) {
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t p = 0; p < kDepth; ++p) {
      packed[r * kDepth + p] = r < rows && p < depth ? a.at(top + r, left + p) : 0;
    }
  }
}

// sums [kRows, kWidth] = rows [kRows, depth]·block [depth, width]
template <class T>
NB_INLINE void multiply_rows(const T* rows, const T* block, size_t depth, size_t width, T* sums) {
  std::fill_n(sums, kRows * kWidth, T(0));
  for (size_t p = 0; p < depth; p += kTerms) {
    const T *f = rows + p, *g = rows + kDepth + p;
    const T f0 = f[0], f1 = f[1], f2 = f[2], f3 = f[3];
    const T g0 = g[0], g1 = g[1], g2 = g[2], g3 = g[3];
    const T* b = block + p * kWidth;
    for (size_t j = 0; j < width; ++j) {
      const T b0 = b[j], b1 = b[j + kWidth], b2 = b[j + 2 * kWidth], b3 = b[j + 3 * kWidth];
      sums[j] += f0 * b0 + f1 * b1 + (f2 * b2 + f3 * b3);
      sums[j + kWidth] += g0 * b0 + g1 * b1 + (g2 * b2 + g3 * b3);
    }
  }
}

// Where BLAS begins with a vector of n elements.
template <class T>
T* start(T* x, int n, int step) {
  return step < 0 ? x - ptrdiff_t{n - 1} * step : x;
}

// y += alpha·x from the first element on. With steps nothing is to be gained by vectors.
template <class T>
void add_scaled(ptrdiff_t n, T alpha, const T* x, ptrdiff_t incx, T* y, ptrdiff_t incy) {
  if (incx == 1 && incy == 1) {
    return simd([=] {
      for (ptrdiff_t i = 0; i < n; ++i) y[i] += alpha * x[i];
    });
  }
  for (ptrdiff_t i = 0; i < n; ++i) y[i * incy] += alpha * x[i * incx];
}

template <class T>
T inner(ptrdiff_t n, const T* x, ptrdiff_t incx, const T* y, ptrdiff_t incy) {
  if (incx == 1 && incy == 1) {
    const auto size = static_cast<size_t>(n);
    return simd([=] { return sum_of(size, [=](size_t i) { return x[i] * y[i]; }); });
  }
  T sum = 0;
  for (ptrdiff_t i = 0; i < n; ++i) sum += x[i * incx] * y[i * incy];
  return sum;
}

}  // namespace

template <class T>
void gemm(bool trans_a, bool trans_b, int m, int n, int k, T alpha, const T* a, int lda, const T* b,
          int ldb, T beta, T* c, int ldc) noexcept {
  const Operand<T> left = operand(trans_a, a, lda), right = operand(trans_b, b, ldb);
  const size_t rows = static_cast<size_t>(m), cols = static_cast<size_t>(n);
  const size_t depth = alpha == 0 ? 0 : static_cast<size_t>(k), lead = static_cast<size_t>(ldc);
  simd([=] {
    alignas(64) T block[kDepth * kWidth], packed[kRows * kDepth], sums[kRows * kWidth];
    scale_rows(c, rows, cols, lead, beta);
    for (size_t j = 0; j < cols; j += kWidth) {
      const size_t width = std::min(kWidth, cols - j), vectors = (width + 15) / 16 * 16;
      for (size_t p = 0; p < depth; p += kDepth) {
        const size_t terms = std::min(kDepth, depth - p);
        pack_block(right, p, j, terms, width, block);
        for (size_t i = 0; i < rows; i += kRows) {
          const size_t height = std::min(kRows, rows - i);
          pack_rows(left, i, p, height, terms, packed);
          multiply_rows(packed, block, terms, vectors, sums);
          for (size_t r = 0; r < height; ++r) {
            T* row = c + (i + r) * lead + j;
            for (size_t q = 0; q < width; ++q) row[q] += alpha * sums[r * kWidth + q];
          }
        }
      }
    }
  });
}

template <class T>
void gemv(bool trans, int m, int n, T alpha, const T* a, int lda, const T* x, int incx, T* y,
          int incy) noexcept {
  if (alpha == 0) return;
  x = start(x, trans ? m : n, incx);
  y = start(y, trans ? n : m, incy);
  for (ptrdiff_t i = 0; i < m; ++i) {
    const T* row = a + i * lda;
    if (trans) {
      add_scaled<T>(n, alpha * x[i * incx], row, 1, y, incy);
    } else {
      y[i * incy] += alpha * inner<T>(n, row, 1, x, incx);
    }
  }
}

template <class T>
void axpy(int n, T alpha, const T* x, int incx, T* y, int incy) noexcept {
  if (alpha == 0) return;
  add_scaled<T>(n, alpha, start(x, n, incx), incx, start(y, n, incy), incy);
}

template <class T>
T dot(int n, const T* x, int incx, const T* y, int incy) noexcept {
  return inner<T>(n, start(x, n, incx), incx, start(y, n, incy), incy);
}

template void gemm(bool, bool, int, int, int, float, const float*, int, const float*, int, float,
                   float*, int) noexcept;
template void gemm(bool, bool, int, int, int, double, const double*, int, const double*, int,
                   double, double*, int) noexcept;
template void gemv(bool, int, int, float, const float*, int, const float*, int, float*,
                   int) noexcept;
template void gemv(bool, int, int, double, const double*, int, const double*, int, double*,
                   int) noexcept;
template void axpy(int, float, const float*, int, float*, int) noexcept;
template void axpy(int, double, const double*, int, double*, int) noexcept;
template float dot(int, const float*, int, const float*, int) noexcept;
template double dot(int, const double*, int, const double*, int) noexcept;

}  // namespace loops
}  // namespace nb
