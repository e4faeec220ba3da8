// The limit of one core: how fast it multiplies and adds when nothing comes from memory. No product
// of matrices at the same level is faster.
#pragma once

namespace nb {

// Seconds that so many floating-point operations take, rounded up to a pass of the loop (at most
// 768), at the level in force: fused multiply-adds, at the baseline products and sums.
double time_flops(double flops);

}  // namespace nb
