// Convolutions where there are no fused multiply-adds: vectors of 4 floats, which every 64-bit
// processor has, each product and each sum rounded.
#include <algorithm>
#include <cstring>

#include "task.h"

namespace nb {
namespace {

#include "level.h"

struct Floats {
  using T = float;
  typedef float V __attribute__((vector_size(16)));
  using Narrow = Floats;
  static constexpr size_t kLanes = 4, kVectors = 2;
  static constexpr bool kReadsParts = false, kWritesParts = false;
  static NB_INLINE size_t first(size_t n) { return n; }
  static NB_INLINE V all(float x) { return V{x, x, x, x}; }
  static NB_INLINE V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static NB_INLINE void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
  static NB_INLINE V fma(V a, V b, V c) { return a * b + c; }
};

}  // namespace

namespace baseline {
#include "instances.h"
}  // namespace baseline
}  // namespace nb
