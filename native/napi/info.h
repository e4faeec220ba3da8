// What products, this machine's OpenBLAS and the addon's own kernels run on.
#pragma once

#include <napi.h>

namespace nb {

// info(): { gemm, openblas, core, openblasThreads, simd, avx512 }; gemm says who computes float32
// products ("own", "openblas"), simd is the level in use, avx512 whether the processor has it
Napi::Value info(const Napi::CallbackInfo& info);

}  // namespace nb
