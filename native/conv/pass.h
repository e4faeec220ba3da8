// The walk over the images of a convolution, a band of rows at a time: forward, which computes
// results, and back, which computes the gradient of the images by the same sums; and the gradient
// of the weights. Scratch memory is this thread's.
#pragma once

#include "pools.h"
#include "shape.h"
#include "task.h"

namespace nb {

// Bands of all images, the units of work of a pass.
size_t units_of(const ConvShape& shape, bool back) noexcept;

// Those of a pass forward whose results are pooled.
size_t pooled_units_of(const ConvShape& shape) noexcept;

// Results y of images x, from unit to unit: y = max(floor, sum + bias), where there is one.
// weights: [taps, channels / groups, filters].
Fault convolve_units(const ConvShape& shape, const float* x, const float* weights,
                     const float* bias, float floor, float* y, size_t unit, size_t end) noexcept;

// Pools y of the relu of results plus bias, and the places of their windows that they were at.
Fault convolve_and_pool_units(const ConvShape& shape, const float* x, const float* weights,
                              const float* bias, float* y, uint8_t* places, size_t unit,
                              size_t end) noexcept;

// The gradient dx of the images, from the weights turned, [taps, filters, channels / groups].
Fault input_gradient_units(const ConvShape& shape, const ResultGradient& dy, const float* turned,
                           float* dx, size_t unit, size_t end) noexcept;

// The weights' gradient dw over the forward units of images x and gradients of results from unit
// to unit, at least one: its blocks from `block` to before `blocks_end`, which threads may share.
Fault weight_gradient_units(const ConvShape& shape, const float* x, const ResultGradient& dy,
                            float* dw, size_t unit, size_t end, size_t block,
                            size_t blocks_end) noexcept;
size_t blocks_of(const ConvShape& shape) noexcept;

}  // namespace nb
