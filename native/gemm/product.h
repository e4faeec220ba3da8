// A product of row-major matrices, and who computes it.
//
// Every element of op(a)·op(b) is computed in one order, whatever its place, the shape of the
// product, the cut into chunks, the number of threads and the width of vectors: k is cut into
// blocks of kBlock; the sum of a block is one chain of fused multiply-adds in the order of k that
// begins at zero; the sums of blocks are added in order. What becomes of a sum is the epilogue's
// business (epilogues.h), which rounds as the kernels do that do the same on a whole matrix.
#pragma once

#include <cstddef>

#include "kernel.h"
#include "simd/simd.h"

namespace nb {

// Shorter chains have smaller errors; longer ones cost fewer additions of their sums.
constexpr size_t kBlock = 256;

// Columns of a panel of weights (panels.cc), and of what is packed at a time.
constexpr size_t kPanel = 64;

// op(a) [m, k] times op(b) [k, n], all extents below 2^31.
template <class T>
struct Product {
  bool trans_a;
  bool trans_b;
  size_t m;
  size_t n;
  size_t k;
  const T* a;
  const T* b;
  // From row to row of a and b before op, in elements.
  size_t lda = trans_a ? m : k;
  size_t ldb = trans_b ? k : n;
  // Of a single row, zeros may be left out: b is known to be finite.
  bool skips_zeros = false;
  // b, before op, lies in panels.
  bool b_in_panels = false;
};

// Rows and columns of a part of the result.
struct Block {
  size_t row, row_end, col, col_end;
};

// Where the elements of a matrix [rows, cols] lie, in rows or in panels.
struct Layout {
  size_t rows;
  size_t cols;
  bool in_panels;

  // Of an element and those to its right, up to the end of its panel.
  NB_INLINE size_t at(size_t row, size_t col) const {
    if (!in_panels) return row * cols + col;
    const size_t begin = col / kPanel * kPanel;
    const size_t width = cols - begin < kPanel ? cols - begin : kPanel;
    return begin * rows + row * width + (col - begin);
  }
};

// Into how many chunks to cut a product for so many threads; the result does not depend on it.
size_t chunks_of(size_t m, size_t n, size_t k, size_t threads) noexcept;

// The chunk of the product by the engine in force; the epilogue takes each sum once. A fault where
// there is no memory to compute in.
template <class T, class Epilogue>
Fault multiply(const Product<T>& p, const Epilogue& epilogue, Chunk chunk) noexcept;

// OpenBLAS counts in int.
inline void check_extents(Size m, Size n, Size k) {
  for (size_t extent : {m, n, k}) {
    if (extent > INT32_MAX) throw KernelFault("m, n, k must be below 2^31");
  }
}

// Refuses operands that do not hold op(a) [m, k], op(b) [k, n] and c [m, n].
template <class Result>
void check_operands(In a, In b, Result c, Size m, Size n, Size k) {
  check_extents(m, n, k);
  holds(a, product(m, k));
  holds(b, product(k, n));
  holds(c, product(m, n));
}

}  // namespace nb
