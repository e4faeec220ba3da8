// Convolutions at the level of vector instructions in use.
#pragma once

#include "gemm/engine.h"
#include "task.h"

namespace nb {

inline void convolve_at_level(const ConvTask& task) noexcept {
  if (!has_own_engine()) return baseline::convolve(task);
#ifdef NB_SIMD_X86
  if (simd_level_in_use() == SimdLevel::Avx512) return avx512::convolve(task);
  avx2::convolve(task);
#else
  neon::convolve(task);
#endif
}

inline void weight_gradient_at_level(const ConvTask& task) noexcept {
  if (!has_own_engine()) return baseline::weight_gradient(task);
#ifdef NB_SIMD_X86
  if (simd_level_in_use() == SimdLevel::Avx512) return avx512::weight_gradient(task);
  avx2::weight_gradient(task);
#else
  neon::weight_gradient(task);
#endif
}

inline Fault no_memory_to_compute() noexcept {
  return Fault::of("expected memory to compute in, got none");
}

}  // namespace nb
