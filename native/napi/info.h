// What this machine's OpenBLAS and the addon's own kernels run on; sets OpenBLAS to one thread.
#pragma once

#include <napi.h>

namespace nb {

// info(): { openblas, core, threads, simd }
Napi::Value info(const Napi::CallbackInfo& info);

}  // namespace nb
