// The yardsticks of the benchmark: how long the products of a training step take by themselves, and
// how long their operations take where nothing comes from memory.
#pragma once

#include <napi.h>

namespace nb {

// timeGemms(products: Float64Array, repeats: number): seconds
//
// Eight numbers per product: transA, transB, m, n, k, and which matrices a, b, c are, 0 .. 63. The
// same number is the same memory, so that the products meet in the caches what a step's do.
Napi::Value time_gemms(const Napi::CallbackInfo& info);

// timeFlops(flops: number): seconds, see simd/peak.h
Napi::Value time_flops(const Napi::CallbackInfo& info);

}  // namespace nb
