#include "info.h"

#include <cblas.h>

#include "gemm/tiles.h"
#include "simd/simd.h"

namespace nb {
namespace {

// OpenBLAS's own threads are woken at every call, slow small products down, belong to the whole
// process and change results with their number: the addon never uses them.
const bool kOneThread = [] {
  openblas_set_num_threads(1);
  return true;
}();

}  // namespace

Napi::Value info(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result["openblas"] = openblas_get_config();
  result["core"] = openblas_get_corename();
  result["openblasThreads"] = openblas_get_num_threads();
  result["simd"] = simd_level();
  result["fastTiles"] = has_fast_tiles();
  (void)kOneThread;
  return result;
}

}  // namespace nb
