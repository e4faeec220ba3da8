// Run-time choice of vector instructions: one loop, compiled once per level of
// the x86-64 instruction set, the best one picked when the addon is loaded.
// No -march=native, no intrinsics, no library: the compiler's auto-vectoriser
// does the work. On other machines (ARM) there is one version, whose vector
// unit (NEON) is part of the baseline. Not here: the maths (vmath.h), sums and
// maxima (reduce.h), threads.
//
// A kernel puts its loop into a lambda that captures by value:
//
//   void relu(const float* x, float* y, size_t n) {
//     simd([=] { for (size_t i = 0; i < n; ++i) y[i] = x[i] < 0 ? 0 : x[i]; });
//   }
//
// and a family of kernels is one template over a functor:
//
//   struct Sigmoid { NB_INLINE float operator()(float x) const { return v_sigmoid(x); } };
//   template <class F> void unary(const float* x, float* y, size_t n) {
//     simd([=] { for (size_t i = 0; i < n; ++i) y[i] = F()(x[i]); });
//   }
//   constexpr auto sigmoid = unary<Sigmoid>;
//
// simd() returns what the lambda returns. What the loop calls must be inlined
// into it: NB_INLINE on helpers, nothing defined in another .cc file (such a
// call runs at the baseline, or stops vectorisation). Keep the body free of
// branches: both sides of ?: are computed and one is selected.
//
// Every level gives the same bits (NaN payloads apart), and so do the vector
// body and the scalar tail of a loop: the flags -ffp-contract=off (no fused
// multiply-add, which the baseline lacks) and the absence of -ffast-math make
// each operation the IEEE one. -fno-math-errno and -fno-trapping-math change
// no value; without them GCC does not vectorise sqrt and selects.
#pragma once

#include <atomic>

#if defined(__GNUC__) || defined(__clang__)
#define NB_INLINE inline __attribute__((always_inline))
#define NB_FLATTEN __attribute__((flatten, noinline))
#else
#define NB_INLINE inline
#define NB_FLATTEN
#endif

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define NB_SIMD_X86 1
#endif

namespace nb {

enum class SimdLevel : int { Baseline, Avx2, Avx512 };

// What this machine can do, lowered by NEUROBLAS_SIMD=baseline|avx2|avx512.
SimdLevel best_simd_level();
// What this machine can do, whatever is requested.
bool has_avx512();
// The level in use: "avx512", "avx2", "baseline", or "neon".
const char* simd_level();
// For tests: use this level from now on, but never more than the machine has.
void limit_simd_level(SimdLevel level);

namespace detail {

extern std::atomic<SimdLevel> simd_level;

#ifdef NB_SIMD_X86
#ifdef __clang__
#define NB_AVX512 "avx512f,avx512bw,avx512dq,avx512vl"
#else
// GCC's tuning for some processors would otherwise stay at 256 bits.
#define NB_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"
#endif
// flatten: everything the lambda calls is inlined here, so that it is compiled
// with this function's instructions. The lambda's captures come by reference and
// are copied here: by value they cost 20 ns (a stalled store-to-load forward),
// and left where they are, a store to y could change a captured float.
template <class F>
__attribute__((target(NB_AVX512))) NB_FLATTEN auto run_avx512(const F& f) {
  const F local = f;
  return local();
}
template <class F>
__attribute__((target("avx2"))) NB_FLATTEN auto run_avx2(const F& f) {
  const F local = f;
  return local();
}
#undef NB_AVX512
#endif

template <class F>
NB_FLATTEN auto run_baseline(const F& f) {
  const F local = f;
  return local();
}

}  // namespace detail

inline SimdLevel simd_level_in_use() { return detail::simd_level.load(std::memory_order_relaxed); }

// Runs the lambda compiled for the level in use.
template <class F>
inline auto simd(const F& f) {
#ifdef NB_SIMD_X86
  switch (simd_level_in_use()) {
    case SimdLevel::Avx512:
      return detail::run_avx512(f);
    case SimdLevel::Avx2:
      return detail::run_avx2(f);
    case SimdLevel::Baseline:
      break;
  }
#endif
  return detail::run_baseline(f);
}

#undef NB_FLATTEN
}  // namespace nb
