// Transposing floats in registers. For use inside simd() and in the levels of the product engine.
#pragma once

#include <cstddef>

#include "simd/simd.h"

namespace nb {

// y[c, r] = x[r, c] for an 8 × 8 block whose rows are x_stride and y_stride floats apart. By three
// rounds of shuffles, which GCC and Clang turn into the vector instructions of the level in use.
NB_INLINE void transpose_8x8(const float* x, size_t x_stride, float* y, size_t y_stride) {
  typedef float Row __attribute__((vector_size(32), aligned(4)));
  Row a[8], b[8];
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) a[i] = *reinterpret_cast<const Row*>(x + i * x_stride);
#pragma GCC unroll 4
  for (size_t i = 0; i < 8; i += 2) {
    b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
#pragma GCC unroll 2
  for (size_t i = 0; i < 8; i += 4) {
#pragma GCC unroll 2
    for (size_t j = 0; j < 2; ++j) {
      const Row low = b[i + j], high = b[i + j + 2];
      a[i + 2 * j] = __builtin_shufflevector(low, high, 0, 1, 8, 9, 4, 5, 12, 13);
      a[i + 2 * j + 1] = __builtin_shufflevector(low, high, 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    Row* top = reinterpret_cast<Row*>(y + i * y_stride);
    Row* bottom = reinterpret_cast<Row*>(y + (i + 4) * y_stride);
    *top = __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    *bottom = __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// y[c, r] = x[r, c] for x of rows × cols, whose rows are x_stride apart, those of y y_stride.
NB_INLINE void transpose(const float* x, size_t rows, size_t cols, size_t x_stride, float* y,
                         size_t y_stride) {
  const size_t whole_rows = rows / 8 * 8, whole_cols = cols / 8 * 8;
  // A cache line of each row at a time.
  for (size_t c = 0; c < whole_cols; c += 16) {
    for (size_t r = 0; r < whole_rows; r += 8) {
      transpose_8x8(x + r * x_stride + c, x_stride, y + c * y_stride + r, y_stride);
      if (c + 8 < whole_cols) {
        transpose_8x8(x + r * x_stride + c + 8, x_stride, y + (c + 8) * y_stride + r, y_stride);
      }
    }
  }
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = r < whole_rows ? whole_cols : 0; c < cols; ++c) {
      y[c * y_stride + r] = x[r * x_stride + c];
    }
  }
}

NB_INLINE void transpose(const double* x, size_t rows, size_t cols, size_t x_stride, double* y,
                         size_t y_stride) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) y[c * y_stride + r] = x[r * x_stride + c];
  }
}

}  // namespace nb
