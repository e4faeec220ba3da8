#include "peak.h"

#include <chrono>
#include <cmath>

#include "simd.h"

#ifdef NB_SIMD_X86
#include <immintrin.h>
#endif
#ifdef __aarch64__
#include <arm_neon.h>
#endif

namespace nb {
namespace {

// A multiply-add waits some 4 cycles for the one before it in its chain (a product and a sum: 6 to
// 8), and each cycle 2 units, on ARM up to 4, can begin one: with fewer chains they would be idle.
// Sums and factors must fit into the registers, 16 or, with AVX-512 and NEON, 32 of them.
constexpr int kFewChains = 12;
constexpr int kManyChains = 24;

// Chains begin with different numbers: the compiler computes only one of those that are equal. x
// and y are so small that no sum leaves the ordinary numbers, whatever the number of passes.
using Loop = float (*)(size_t passes, float x, float y);

struct Level {
  Loop loop;
  double flops_per_pass;
};

constexpr Level level_of(Loop loop, int lanes, int chains) { return {loop, 2.0 * lanes * chains}; }

#ifndef __aarch64__

// Vectors of any processor.
using Four = float __attribute__((vector_size(16)));

float baseline(size_t passes, float x, float y) {
  const Four a = {x, x, x, x}, b = {y, y, y, y};
  Four sums[kFewChains];
#pragma GCC unroll 24
  for (int k = 0; k < kFewChains; ++k) sums[k] = b + static_cast<float>(k);
  for (size_t i = 0; i < passes; ++i) {
#pragma GCC unroll 24
    // Not a·b + sum: that product would be computed once for all.
    for (int k = 0; k < kFewChains; ++k) sums[k] = sums[k] * a + b;
  }
  float total = 0;
#pragma GCC unroll 24
  for (const Four& sum : sums) total += sum[0];
  return total;
}

#endif

#ifdef NB_SIMD_X86

__attribute__((target("avx2,fma"))) float avx2(size_t passes, float x, float y) {
  const __m256 a = _mm256_set1_ps(x), b = _mm256_set1_ps(y);
  __m256 sums[kFewChains];
#pragma GCC unroll 24
  for (int k = 0; k < kFewChains; ++k) sums[k] = _mm256_set1_ps(static_cast<float>(k));
  for (size_t i = 0; i < passes; ++i) {
#pragma GCC unroll 24
    for (int k = 0; k < kFewChains; ++k) sums[k] = _mm256_fmadd_ps(a, b, sums[k]);
  }
  float total = 0;
#pragma GCC unroll 24
  for (const __m256& sum : sums) total += sum[0];
  return total;
}

__attribute__((target("avx512f"))) float avx512(size_t passes, float x, float y) {
  const __m512 a = _mm512_set1_ps(x), b = _mm512_set1_ps(y);
  __m512 sums[kManyChains];
#pragma GCC unroll 24
  for (int k = 0; k < kManyChains; ++k) sums[k] = _mm512_set1_ps(static_cast<float>(k));
  for (size_t i = 0; i < passes; ++i) {
#pragma GCC unroll 24
    for (int k = 0; k < kManyChains; ++k) sums[k] = _mm512_fmadd_ps(a, b, sums[k]);
  }
  float total = 0;
#pragma GCC unroll 24
  for (const __m512& sum : sums) total += sum[0];
  return total;
}

#endif

#ifdef __aarch64__

float neon(size_t passes, float x, float y) {
  const float32x4_t a = vdupq_n_f32(x), b = vdupq_n_f32(y);
  float32x4_t sums[kManyChains];
#pragma GCC unroll 24
  for (int k = 0; k < kManyChains; ++k) sums[k] = vdupq_n_f32(static_cast<float>(k));
  for (size_t i = 0; i < passes; ++i) {
#pragma GCC unroll 24
    for (int k = 0; k < kManyChains; ++k) sums[k] = vfmaq_f32(sums[k], a, b);
  }
  float total = 0;
#pragma GCC unroll 24
  for (const float32x4_t& sum : sums) total += sum[0];
  return total;
}

#endif

Level level_in_force() {
#ifdef NB_SIMD_X86
  switch (simd_level_in_use()) {
    case SimdLevel::Avx512:
      return level_of(avx512, 16, kManyChains);
    case SimdLevel::Avx2:
      if (__builtin_cpu_supports("fma")) return level_of(avx2, 8, kFewChains);
      break;
    case SimdLevel::Baseline:
      break;
  }
#endif
#ifdef __aarch64__
  return level_of(neon, 4, kManyChains);
#else
  return level_of(baseline, 4, kFewChains);
#endif
}

}  // namespace

double time_flops(double flops) {
  const Level level = level_in_force();
  const auto passes = static_cast<size_t>(std::ceil(flops / level.flops_per_pass));
  const auto begin = std::chrono::steady_clock::now();
  // Volatile, so that the result counts as used and the loop is not left out.
  [[maybe_unused]] volatile float sink = level.loop(passes, 1e-3f, 1e-3f);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace nb
