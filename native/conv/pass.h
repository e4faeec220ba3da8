// The walk over the images of a convolution, a band of rows at a time: forward, which computes
// results, and back, which computes the gradient of the images by the same sums; and the gradient
// of the weights. Scratch memory is this thread's.
#pragma once

#include "shape.h"
#include "task.h"

namespace nb {

// Bands of all images, the units of work of a pass.
size_t units_of(const ConvShape& shape, bool back) noexcept;

// Results y of images x, from unit to unit. weights: [taps, channels / groups, filters]; back: x
// are gradients of results, y of images, and the weights are turned, [taps, filters, channels /
// groups]. y = max(floor, sum + bias), where there is one.
Fault convolve_units(const ConvShape& shape, bool back, const float* x, const float* weights,
                     const float* bias, float floor, float* y, size_t unit, size_t end) noexcept;

// The weights' gradient dw over the forward units of images x and gradients dy of results from unit
// to unit, at least one: its blocks from `block` to before `blocks_end`, which threads may share.
Fault weight_gradient_units(const ConvShape& shape, const float* x, const float* dy, float* dw,
                            size_t unit, size_t end, size_t block, size_t blocks_end) noexcept;
size_t blocks_of(const ConvShape& shape) noexcept;

}  // namespace nb
