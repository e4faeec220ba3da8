#include "info.h"

#include <string>

#include "gemm/engine.h"
#include "gemm/openblas.h"
#include "simd/simd.h"

namespace nb {

Napi::Value info(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  std::string engine = engine_name();
  if (const OpenBlas* library = openblas()) {
    result["openblas"] = library->config;
    result["core"] = library->core;
    result["openblasThreading"] = library->threading;
    result["openblasThreads"] = library->threads();
  } else {
    result["openblasProblem"] = openblas_problem();
    if (engine == "openblas") engine = "loops";
  }
  result["simd"] = simd_level();
  result["gemm"] = engine;
  result["avx512"] = has_avx512();
  return result;
}

}  // namespace nb
