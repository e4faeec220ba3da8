#include "info.h"

#include "gemm/engine.h"
#include "gemm/openblas.h"
#include "simd/simd.h"

namespace nb {
Napi::Value info(const Napi::CallbackInfo& info) {
  use_one_blas_thread();
  Napi::Object result = Napi::Object::New(info.Env());
  result["openblas"] = openblas_get_config();
  result["core"] = openblas_get_corename();
  result["openblasThreads"] = openblas_get_num_threads();
  result["simd"] = simd_level();
  result["gemm"] = engine_name();
  result["avx512"] = has_avx512();
  return result;
}

}  // namespace nb
