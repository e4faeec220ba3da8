// Activations that have kernels of their own (elementwise.cc) and together with a bias (bias.cc),
// and their gradients from their results. For use inside simd().
#pragma once

#include "simd/vmath.h"

namespace nb {

NB_INLINE float identity(float x) { return x; }
NB_INLINE float relu(float x) { return x < 0 ? 0 : x; }  // NaN stays

// Where y is NaN the gradient passes, as in PyTorch.
NB_INLINE float relu_grad(float y, float dy) { return y <= 0 ? 0 : dy; }
NB_INLINE float sigmoid_grad(float y, float dy) { return dy * y * (1 - y); }
NB_INLINE float tanh_grad(float y, float dy) { return dy * (1 - y * y); }

}  // namespace nb
