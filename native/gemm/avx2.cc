// The product engine for AVX2 with FMA: 16 registers of 8 floats, of which a tile of 6 × 16
// takes 12.
#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <type_traits>

#include "conv/task.h"
#include "engine.h"
#include "transpose.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")

namespace nb {
namespace {

#include "conv/level.h"
#include "level.h"

struct Floats {
  using T = float;
  using V = __m256;
  using Narrow = Floats;
  static constexpr size_t kLanes = 8, kVectors = 2;
  static NB_INLINE V all(float x) { return _mm256_set1_ps(x); }
  static NB_INLINE V load(const float* p) { return _mm256_loadu_ps(p); }
  static NB_INLINE void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static NB_INLINE V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static constexpr bool kReadsParts = true, kWritesParts = false;
  static NB_INLINE __m256i first(size_t n) {
    const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), places);
  }
  static NB_INLINE V load(const float* p, __m256i mask) { return _mm256_maskload_ps(p, mask); }
};

struct Doubles {
  using T = double;
  using V = __m256d;
  static constexpr size_t kLanes = 4, kVectors = 2;
  static NB_INLINE V all(double x) { return _mm256_set1_pd(x); }
  static NB_INLINE V load(const double* p) { return _mm256_loadu_pd(p); }
  static NB_INLINE void store(double* p, V v) { _mm256_storeu_pd(p, v); }
  static NB_INLINE V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  static constexpr bool kReadsParts = true;
  static NB_INLINE __m256i first(size_t n) {
    const __m256i places = _mm256_setr_epi64x(0, 1, 2, 3);
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(n)), places);
  }
  static NB_INLINE V load(const double* p, __m256i mask) { return _mm256_maskload_pd(p, mask); }
};

}  // namespace

#define NB_PRODUCTS NB_EACH_PRODUCT
namespace avx2 {
#include "conv/instances.h"
#include "instances.h"
}  // namespace avx2
}  // namespace nb

#pragma GCC pop_options
#endif
