// Which instruction set simd.h uses in this process.
#include "simd.h"

#include <cstdlib>
#include <cstring>

namespace nb {

namespace {

SimdLevel detect() {
#ifdef NB_SIMD_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return SimdLevel::Avx512;
  }
  if (__builtin_cpu_supports("avx2")) return SimdLevel::Avx2;
#endif
  return SimdLevel::Baseline;
}

SimdLevel lower(SimdLevel a, SimdLevel b) { return a < b ? a : b; }

SimdLevel requested() {
  const char* name = std::getenv("NEUROBLAS_SIMD");
  if (name && !std::strcmp(name, "baseline")) return SimdLevel::Baseline;
  if (name && !std::strcmp(name, "avx2")) return SimdLevel::Avx2;
  return SimdLevel::Avx512;
}

}  // namespace

bool has_avx512() {
  static const bool result = detect() == SimdLevel::Avx512;
  return result;
}

SimdLevel best_simd_level() {
  static const SimdLevel level = lower(detect(), requested());
  return level;
}

namespace detail {
std::atomic<SimdLevel> simd_level{best_simd_level()};
}

const char* simd_level() {
  switch (simd_level_in_use()) {
    case SimdLevel::Avx512:
      return "avx512";
    case SimdLevel::Avx2:
      return "avx2";
    case SimdLevel::Baseline:
      break;
  }
#if defined(__aarch64__)
  return "neon";
#else
  return "baseline";
#endif
}

void limit_simd_level(SimdLevel level) {
  detail::simd_level.store(lower(level, best_simd_level()), std::memory_order_relaxed);
}

}  // namespace nb
