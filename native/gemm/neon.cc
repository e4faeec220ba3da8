// The product engine for NEON (64-bit ARM): 32 registers of 4 floats, of which a tile of 6 × 16
// takes 24.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <algorithm>
#include <type_traits>

#include "conv/task.h"
#include "engine.h"
#include "transpose.h"

namespace nb {
namespace {

#include "conv/level.h"
#include "level.h"

struct Floats {
  using T = float;
  using V = float32x4_t;
  using Narrow = Floats;
  static constexpr size_t kLanes = 4, kVectors = 4;
  static NB_INLINE V all(float x) { return vdupq_n_f32(x); }
  static NB_INLINE V load(const float* p) { return vld1q_f32(p); }
  static NB_INLINE void store(float* p, V v) { vst1q_f32(p, v); }
  static NB_INLINE V fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
  static constexpr bool kReadsParts = false, kWritesParts = false;
  static NB_INLINE size_t first(size_t n) { return n; }
};

struct Doubles {
  using T = double;
  using V = float64x2_t;
  static constexpr size_t kLanes = 2, kVectors = 4;
  static NB_INLINE V all(double x) { return vdupq_n_f64(x); }
  static NB_INLINE V load(const double* p) { return vld1q_f64(p); }
  static NB_INLINE void store(double* p, V v) { vst1q_f64(p, v); }
  static NB_INLINE V fma(V a, V b, V c) { return vfmaq_f64(c, a, b); }
  static constexpr bool kReadsParts = false;
  static NB_INLINE size_t first(size_t n) { return n; }
};

}  // namespace

#define NB_PRODUCTS NB_EACH_PRODUCT
namespace neon {
#include "conv/instances.h"
#include "instances.h"
}  // namespace neon
}  // namespace nb

#endif
