#include "pools.h"

#include <cstring>

#include "kernels/columns.h"

namespace nb {
namespace {

// Where the pools of an image's row of windows are.
struct Pools {
  const ConvShape& shape;
  const size_t height = shape.height.out / kWindow, width = shape.width.out / kWindow;

  size_t row(size_t image, size_t row) const {
    return (image * height + row) * width * shape.filters;
  }
};

#ifdef NB_SIMD_X86
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
namespace avx512_pools {
constexpr size_t kWidest = 16;
#include "pools_loops.h"
}  // namespace avx512_pools
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2_pools {
constexpr size_t kWidest = 8;
#include "pools_loops.h"
}  // namespace avx2_pools
#pragma GCC pop_options
#endif

namespace baseline_pools {
constexpr size_t kWidest = 4;
#include "pools_loops.h"
}  // namespace baseline_pools

// Calls f with the loops of the level in use.
template <class F>
void with_loops(const F& f) {
#ifdef NB_SIMD_X86
  switch (simd_level_in_use()) {
    case SimdLevel::Avx512:
      return f(avx512_pools::Loops());
    case SimdLevel::Avx2:
      return f(avx2_pools::Loops());
    case SimdLevel::Baseline:
      break;
  }
#endif
  f(baseline_pools::Loops());
}

}  // namespace

void max_pool(const float* x, size_t rows, size_t windows, size_t channels, float* y,
              uint8_t* places) noexcept {
  with_loops([&](auto loops) { loops.max(x, rows, windows, channels, y, places); });
}

void unpool_row(const ConvShape& shape, const ResultGradient& pools, size_t image, size_t row,
                float* to) noexcept {
  with_loops([&](auto loops) { loops.unpool(shape, pools, image, row, to); });
}

void unpool_padded(const ConvShape& shape, const ResultGradient& pools, size_t image,
                   const Bands& bands, int64_t first_row, size_t rows, float* to) noexcept {
  const ConvShape used = shape.pooled();
  const size_t line = bands.width * shape.filters;
  const size_t before = static_cast<size_t>(bands.left) * shape.filters;
  const size_t pixels = used.width.out * shape.filters;
  for (size_t r = 0; r < rows; ++r, to += line) {
    const int64_t row = first_row + static_cast<int64_t>(r);
    if (row < 0 || row >= static_cast<int64_t>(used.height.out)) {
      std::memset(to, 0, line * sizeof(float));
      continue;
    }
    std::memset(to, 0, before * sizeof(float));
    unpool_row(shape, pools, image, static_cast<size_t>(row), to + before);
    std::memset(to + before + pixels, 0, (line - before - pixels) * sizeof(float));
  }
}

void sum_pooled_runs(const ConvShape& shape, const ResultGradient& pools, size_t run, size_t end,
                     float* sums) noexcept {
  with_loops([&](auto loops) { loops.sum_runs(shape, pools, run, end, sums); });
}

}  // namespace nb
