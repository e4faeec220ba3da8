// Sums of products that a convolution is made of, and who computes them: the tile of one level of
// vector instructions (tile.h). Forward, both gradients and depthwise are the same sums; what
// differs is where they begin (plan.h).
//
// Every sum is one chain of fused multiply-adds that begins at zero, in the order of its segments
// and of the elements in each: its bits depend neither on its place, the width of vectors, nor on
// threads. Without fused multiply-adds (baseline.cc) a product and a sum are rounded each.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel.h"
#include "simd/simd.h"

namespace nb {

// Rows whose live segments are taken together; every tile has a divisor of it as its height. That
// the groups are the same at every level keeps bits the same where a weight is not finite.
constexpr size_t kLiveGroup = 24;

// Segments of a group, from `first` to before `last`; the others are products with zeros.
struct Live {
  uint32_t first;
  uint32_t last;
};

// Sums [rows, cols]: row r, column c of
//   Σ over segments t, q below `run`:  a[from[r] + a_offsets[t] + q·step] · b[b_offsets[t] +
//   q·b_stride + c],
// where a, too, is read at its place + c for `by_lane` (depthwise).
struct ConvTask {
  size_t rows;
  size_t cols;
  const ptrdiff_t* from;
  const size_t* to;  // where the sums of a row go, from y on
  const Live* live;  // of every kLiveGroup rows
  const ptrdiff_t* a_offsets;
  const size_t* b_offsets;
  size_t run;
  size_t step;
  size_t b_stride;
  const float* a;
  const float* b;
  float* y;
  // y = max(floor, sum + bias); no bias where it is null.
  const float* bias = nullptr;
  float floor;
  // Of gradients of weights instead: y += sum, where not y = sum.
  bool adds = false;
  bool by_lane = false;
};

// At a level: sums with a step of 1, stored with bias and floor, and those of a gradient of
// weights.
#define NB_CONV_LEVEL(name)                       \
  namespace name {                                \
  void convolve(const ConvTask&) noexcept;        \
  void weight_gradient(const ConvTask&) noexcept; \
  }
NB_CONV_LEVEL(avx512)
NB_CONV_LEVEL(avx2)
NB_CONV_LEVEL(neon)
NB_CONV_LEVEL(baseline)
#undef NB_CONV_LEVEL

}  // namespace nb
