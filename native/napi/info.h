// What this machine's OpenBLAS and the addon's own kernels run on.
#pragma once

#include <napi.h>

namespace nb {

// info(): { openblas, core, openblasThreads, simd, fastTiles }
Napi::Value info(const Napi::CallbackInfo& info);

}  // namespace nb
