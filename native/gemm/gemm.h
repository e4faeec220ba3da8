// Products of row-major matrices by OpenBLAS. Not kernels: no spans; what they are called with was
// checked before.
#pragma once

#include <cstddef>

#include "kernel.h"

namespace nb {

// c = alpha·op(a)·op(b) + beta·c for op(a) [m, k] and op(b) [k, n], all extents below 2^31.
struct Product {
  bool trans_a;
  bool trans_b;
  size_t m;
  size_t n;
  size_t k;
  float alpha = 1;
  const float* a = nullptr;
  const float* b = nullptr;
  float beta = 0;
  float* c = nullptr;
  // The weights, c where a is transposed, else b before op, lie in panels (see panels.cc).
  bool panels = false;
};

// Refuses operands that do not hold op(a) [m, k], op(b) [k, n] and c [m, n].
template <class Result>
void check_operands(In a, In b, Result c, Size m, Size n, Size k) {
  // OpenBLAS counts in int.
  for (size_t extent : {m, n, k}) {
    if (extent > INT32_MAX) throw KernelFault("m, n, k must be below 2^31");
  }
  holds(a, product(m, k));
  holds(b, product(k, n));
  holds(c, product(m, n));
}

// The part of the result that begins at (row, col), by one call of OpenBLAS's matrix product.
void multiply_part(const Product& p, size_t row, size_t col, size_t rows, size_t cols) noexcept;

// Into how many chunks to cut the product for so many threads: one each at most, because smaller
// ones take longer in all.
size_t chunks_of(const Product& p, size_t threads) noexcept;

// The chunk of the product, cut as its shape and the OpenBLAS core in use ask for: the result is
// the same bits for any number of chunks.
void multiply(const Product& p, Chunk chunk) noexcept;

}  // namespace nb
