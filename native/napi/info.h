// What products, this machine's OpenBLAS and the addon's own kernels run on.
#pragma once

#include <napi.h>

namespace nb {

// info(): { gemm, simd, avx512, and openblas, core, openblasThreading, openblasThreads, or
// openblasProblem }; gemm says who computes products of tensors ("own", "openblas", "loops"), simd
// is the level in use, avx512 whether the processor has it
Napi::Value info(const Napi::CallbackInfo& info);

}  // namespace nb
