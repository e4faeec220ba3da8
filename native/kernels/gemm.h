// A product of row-major matrices by one call of OpenBLAS on this thread. Not a kernel: no spans,
// no shares; what it is called with was checked before.
#pragma once

#include <cstddef>

namespace nb {

// c = alpha·op(a)·op(b) + beta·c for op(a) [m, k] and op(b) [k, n], all extents below 2^31. With a
// vector among them it is gemv or ger, which add to a c that was scaled before.
void multiply(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, float alpha, const float* a,
              const float* b, float beta, float* c) noexcept;

}  // namespace nb
