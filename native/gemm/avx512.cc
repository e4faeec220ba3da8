// The product engine for AVX-512: 32 registers of 16 floats, of which a tile of 6 × 64 takes 24.
#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <type_traits>

#include "conv/task.h"
#include "engine.h"
#include "transpose.h"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,prefer-vector-width=512")

namespace nb {
namespace {

#include "conv/level.h"
#include "level.h"

// Half a vector, of which two are multiplied in the time of a whole one on some processors: for
// results with few columns.
struct NarrowFloats {
  using T = float;
  using V = __m256;
  static constexpr size_t kLanes = 8, kVectors = 4;
  static NB_INLINE V all(float x) { return _mm256_set1_ps(x); }
  static NB_INLINE V load(const float* p) { return _mm256_loadu_ps(p); }
  static NB_INLINE void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static NB_INLINE V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static constexpr bool kReadsParts = true, kWritesParts = true;
  static NB_INLINE __mmask8 first(size_t n) { return static_cast<__mmask8>((1u << n) - 1); }
  static NB_INLINE V load(const float* p, __mmask8 mask) { return _mm256_maskz_loadu_ps(mask, p); }
  static NB_INLINE void store(float* p, V v, __mmask8 mask) { _mm256_mask_storeu_ps(p, mask, v); }
};

struct Floats {
  using T = float;
  using V = __m512;
  using Narrow = NarrowFloats;
  static constexpr size_t kLanes = 16, kVectors = 4;
  static NB_INLINE V all(float x) { return _mm512_set1_ps(x); }
  static NB_INLINE V load(const float* p) { return _mm512_loadu_ps(p); }
  static NB_INLINE void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static NB_INLINE V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static constexpr bool kReadsParts = true, kWritesParts = true;
  static NB_INLINE __mmask16 first(size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
  static NB_INLINE V load(const float* p, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, p); }
  static NB_INLINE void store(float* p, V v, __mmask16 mask) { _mm512_mask_storeu_ps(p, mask, v); }
};

struct Doubles;  // at the level of AVX2 alone, see engine.cc

}  // namespace

#define NB_PRODUCTS NB_EACH_PRODUCT_OF_FLOATS
namespace avx512 {
#include "conv/instances.h"
#include "instances.h"
}  // namespace avx512
}  // namespace nb

#pragma GCC pop_options
#endif
