// A product of matrices cut into tiles that OpenBLAS multiplies without packing.
//
// For AVX-512 OpenBLAS has kernels for products of up to 10^6 multiplications, which take their
// operands as they lie in memory. Where one side of a product is narrow (a batch), packing for the
// large kernel costs more than it gains, and tiles of that size are 1.1 to 1.8 times as fast; see
// the measurements at `pays_off`. The cut depends on the shape and on OpenBLAS alone, so a product
// has the same bits every time.
#pragma once

#include "gemm.h"

namespace nb {

// The share of a product whose b is not transposed. False, with c untouched, when whole calls are
// the better way; it does not depend on the share.
bool multiply_in_tiles(const Product& p, Share share) noexcept;

}  // namespace nb
