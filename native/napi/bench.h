// The yardstick of the benchmark: how long the products of a training step take by themselves.
#pragma once

#include <napi.h>

namespace nb {

// timeGemms(products: Float64Array, repeats: number): seconds
//
// Eight numbers per product: transA, transB, m, n, k, and which matrices a, b, c are, 0 .. 63. The
// same number is the same memory, so that the products meet in the caches what a step's do.
Napi::Value time_gemms(const Napi::CallbackInfo& info);

}  // namespace nb
