// What this machine's OpenBLAS, if it has one, and the addon's own kernels run on.
#pragma once

#include <napi.h>

namespace nb {

// info(): { openblas, core, openblasThreading, openblasThreads, or openblasProblem, and for both
// simd, gemm }
Napi::Value info(const Napi::CallbackInfo& info);

}  // namespace nb
