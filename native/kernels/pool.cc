// Pools over images: the largest element of each window with its place, the average, and the
// gradients of both. x is [batch, height, width, channels], y [batch, outHeight, outWidth,
// channels]; the first window begins `top` and `left` outside the image.
#include <cstring>
#include <limits>

#include "rows.h"

namespace nb {
namespace {

struct Geometry {
  size_t batch, height, width, channels;
  size_t window_height, window_width, stride_height, stride_width, top, left;
  size_t out_height, out_width;

  size_t inputs() const { return product(batch, height, width, channels); }
  size_t outputs() const { return product(batch, out_height, out_width, channels); }
  size_t row() const { return width * channels; }
  size_t out_row() const { return out_width * channels; }
};

// One axis: every window has at least one element of the image, and no position overflows.
void axis_check(size_t extent, size_t window, size_t stride, size_t before, size_t windows) {
  if (window == 0 || stride == 0) throw KernelFault("windows and strides must be at least 1");
  if (before >= window) throw KernelFault("padding must be smaller than the window");
  if (windows == 0 || product(windows - 1, stride) >= total(extent, before)) {
    throw KernelFault("there must be windows, and all of them must touch the image");
  }
  total(product(windows, stride), window);
}

void check(const Geometry& g) {
  axis_check(g.height, g.window_height, g.stride_height, g.top, g.out_height);
  axis_check(g.width, g.window_width, g.stride_width, g.left, g.out_width);
}

// What of one axis of a window lies within the image.
struct Clipped {
  size_t begin, end;  // in the image
  size_t first;       // of the window's places
};
NB_INLINE Clipped clip(size_t extent, size_t window, size_t stride, size_t before, size_t out) {
  const size_t start = out * stride;
  const size_t begin = start < before ? 0 : start - before;
  return {begin, std::min(extent, start + window - before), begin + before - start};
}
NB_INLINE Clipped clip_rows(const Geometry& g, size_t out) {
  return clip(g.height, g.window_height, g.stride_height, g.top, out);
}
NB_INLINE Clipped clip_cols(const Geometry& g, size_t out) {
  return clip(g.width, g.window_width, g.stride_width, g.left, out);
}

// What the sum of a window is divided by.
NB_INLINE float divisor(const Geometry& g, bool counts_padding, Clipped rows, Clipped cols) {
  const size_t within = (rows.end - rows.begin) * (cols.end - cols.begin);
  return static_cast<float>(counts_padding ? g.window_height * g.window_width : within);
}

#ifdef NB_SIMD_X86
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
namespace avx512 {
constexpr size_t kWidest = 16;
#include "pool_loops.h"
}  // namespace avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
constexpr size_t kWidest = 8;
#include "pool_loops.h"
}  // namespace avx2
#pragma GCC pop_options
#endif

namespace baseline {
constexpr size_t kWidest = 4;
#include "pool_loops.h"
}  // namespace baseline

// Calls f with the loops of the level in use.
template <class F>
void with_loops(const F& f) {
#ifdef NB_SIMD_X86
  switch (simd_level_in_use()) {
    case SimdLevel::Avx512:
      return f(avx512::Loops());
    case SimdLevel::Avx2:
      return f(avx2::Loops());
    case SimdLevel::Baseline:
      break;
  }
#endif
  f(baseline::Loops());
}

// The chunk's rows of windows, or of the image; none where no buffer bounds their number.
Range rows_of(size_t batch, size_t height, size_t row, Chunk chunk) {
  return row == 0 ? Range{0, 0} : chunk.of(batch * height, 1);
}
Range out_rows(const Geometry& g, Chunk chunk) {
  return rows_of(g.batch, g.out_height, g.out_row(), chunk);
}
Range in_rows(const Geometry& g, Chunk chunk) { return rows_of(g.batch, g.height, g.row(), chunk); }

// The places of a window must be numbers of the dtype that keeps them.
template <typename Place>
void max_check(const Geometry& g, In x, Out y, OutOf<Place> places) {
  check(g);
  const size_t most = static_cast<size_t>(std::numeric_limits<Place>::max()) + 1;
  if (product(g.window_height, g.window_width) > most) {
    throw KernelFault("windows must have at most " + std::to_string(most) + " places");
  }
  holds(x, g.inputs());
  holds(y, g.outputs());
  holds(places, g.outputs());
}
template <typename Place>
void max_run(const Geometry& g, In x, Out y, OutOf<Place> places, Chunk chunk) noexcept {
  with_loops([&](auto loops) { loops.max(g, out_rows(g, chunk), x.data, y.data, places.data); });
}

template <typename Place>
void max_grad_check(const Geometry& g, In dy, InOf<Place> places, Out dx) {
  check(g);
  holds(dy, g.outputs());
  holds(places, g.outputs());
  holds(dx, g.inputs());
}
// dx = Σ dy of the windows that it won
template <typename Place>
void max_grad_run(const Geometry& g, In dy, InOf<Place> places, Out dx, Chunk chunk) noexcept {
  with_loops(
      [&](auto loops) { loops.max_grad(g, in_rows(g, chunk), dy.data, places.data, dx.data); });
}

void divisor_check(const Geometry& g, Size count_padding) {
  check(g);
  product(g.window_height, g.window_width);
  flag("countPadding", count_padding);
}

void average_check(const Geometry& g, In x, Out y, Size count_padding) {
  divisor_check(g, count_padding);
  holds(x, g.inputs());
  holds(y, g.outputs());
}
void average_run(const Geometry& g, In x, Out y, Size count_padding, Chunk chunk) noexcept {
  with_loops(
      [&](auto loops) { loops.average(g, out_rows(g, chunk), count_padding > 0, x.data, y.data); });
}

void average_grad_check(const Geometry& g, In dy, Out dx, Size count_padding) {
  divisor_check(g, count_padding);
  holds(dy, g.outputs());
  holds(dx, g.inputs());
}
// dx = Σ dy / divisor of the windows that it is part of
void average_grad_run(const Geometry& g, In dy, Out dx, Size count_padding, Chunk chunk) noexcept {
  with_loops([&](auto loops) {
    loops.average_grad(g, in_rows(g, chunk), count_padding > 0, dy.data, dx.data);
  });
}

// A kernel of these functions, whose arguments are followed by those of the geometry.
template <auto Check, auto Run, typename... Args>
struct Pool {
  static void check(Args... args, Size batch, Size height, Size width, Size channels,
                    Size window_height, Size window_width, Size stride_height, Size stride_width,
                    Size top, Size left, Size out_height, Size out_width) {
    Check({batch, height, width, channels, window_height, window_width, stride_height, stride_width,
           top, left, out_height, out_width},
          args...);
  }
  static void run(Args... args, Size batch, Size height, Size width, Size channels,
                  Size window_height, Size window_width, Size stride_height, Size stride_width,
                  Size top, Size left, Size out_height, Size out_width, Chunk chunk) noexcept {
    Run({batch, height, width, channels, window_height, window_width, stride_height, stride_width,
         top, left, out_height, out_width},
        args..., chunk);
  }
};

template <auto Check, auto Run, typename... Args>
Registration define_pool(const char* name, std::string arguments,
                         void (*)(const Geometry&, Args...)) {
  arguments +=
      " batch height width channels windowHeight windowWidth strideHeight strideWidth top left"
      " outHeight outWidth";
  using Functions = Pool<Check, Run, Args...>;
  return kernel<Functions::check, Functions::run>(name, arguments.c_str());
}

template <auto Check, auto Run>
Registration pool(const char* name, const char* arguments) {
  return define_pool<Check, Run>(name, arguments, Check);
}

[[maybe_unused]] const Registration registrations[] = {
    pool<max_check<uint8_t>, max_run<uint8_t>>("maxPool", "x y places"),
    pool<max_check<int32_t>, max_run<int32_t>>("maxPool", "x y places"),
    pool<max_grad_check<uint8_t>, max_grad_run<uint8_t>>("maxPoolGrad", "dy places dx"),
    pool<max_grad_check<int32_t>, max_grad_run<int32_t>>("maxPoolGrad", "dy places dx"),
    pool<average_check, average_run>("averagePool", "x y countPadding"),
    pool<average_grad_check, average_grad_run>("averagePoolGrad", "dy dx countPadding"),
};

}  // namespace
}  // namespace nb
