// A product of matrices cut into tiles that OpenBLAS multiplies without packing.
//
// For AVX-512 OpenBLAS has kernels for products of up to 10^6 multiplications, which take their
// operands as they lie in memory. Where one side of a product is narrow (a batch), packing for the
// large kernel costs more than it gains, and tiles of that size are 1.1 to 1.8 times as fast; see
// the measurements at `pays_off`. The cut depends on the shape and on OpenBLAS alone, so a product
// has the same bits every time.
#pragma once

#include <cstddef>

namespace nb {

// c = alpha·op(a)·b + beta·c for op(a) [m, k] and b [k, n]. False, with c untouched, when whole
// calls are the better way.
bool multiply_in_tiles(bool trans_a, size_t m, size_t n, size_t k, float alpha, const float* a,
                       const float* b, float beta, float* c) noexcept;

}  // namespace nb
