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

// Columns of a tile, and of a panel.
constexpr size_t kPanel = 64;

// Whether OpenBLAS has kernels for tiles on this processor.
bool has_fast_tiles() noexcept;

// Whether tiles are the better way; by the shape and OpenBLAS alone.
bool goes_by_tiles(const Product& p) noexcept;

// Tiles side by side: so many chunks have work.
size_t tiles_along(const Product& p) noexcept;

// The chunk of a product that goes by tiles, or has panels; k > 0.
void multiply_in_tiles(const Product& p, Chunk chunk) noexcept;

}  // namespace nb
