// Pools over images: the largest element of each window with its place, the average, and the
// gradients of both. x is [batch, height, width, channels], y [batch, outHeight, outWidth,
// channels]; the first window begins `top` and `left` outside the image.
//
// Channels go side by side in blocks. The last ones are narrower, so that few channels are computed
// as vectors, too.
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

template <size_t L>
struct Block {
  static constexpr size_t kWidth = L;
};

// Calls f(Block, c) for blocks of channels from c on.
template <class F>
NB_INLINE void for_blocks(size_t channels, const F& f) {
  size_t c = 0;
  for (; c + 16 <= channels; c += 16) f(Block<16>(), c);
  if (channels & 8) f(Block<8>(), c), c += 8;
  if (channels & 4) f(Block<4>(), c), c += 4;
  if (channels & 2) f(Block<2>(), c), c += 2;
  if (channels & 1) f(Block<1>(), c);
}

// Calls f(Block, rows, cols, source, target) for the blocks of every window of the chunk: the
// element of x that its image's channels begin with, and that of y.
template <class F>
NB_INLINE void for_windows(const Geometry& g, Range range, const F& f) {
  for (size_t i = range.first; i < range.second; ++i) {
    const size_t image = i / g.out_height * g.height * g.row();
    const Clipped rows = clip_rows(g, i % g.out_height);
    for (size_t col = 0; col < g.out_width; ++col) {
      const Clipped cols = clip_cols(g, col);
      const size_t target = i * g.out_row() + col * g.channels;
      for_blocks(g.channels,
                 [&](auto block, size_t c) { f(block, rows, cols, image + c, target + c); });
    }
  }
}

// Calls f(Block, rows, cols, place row, source, target) for every row of the image in the chunk,
// and the blocks of the windows that it is part of, in their order: the element of y, and that of x
// at the first of the window's columns.
template <class F>
NB_INLINE void for_covering(const Geometry& g, Range range, const F& f) {
  for (size_t i = range.first; i < range.second; ++i) {
    const size_t row = i % g.height + g.top;
    const size_t out_image = i / g.height * g.out_height;
    const size_t first = row < g.window_height ? 0 : (row - g.window_height) / g.stride_height + 1;
    const size_t end = std::min(g.out_height, row / g.stride_height + 1);
    for (size_t out = first; out < end; ++out) {
      const Clipped rows = clip_rows(g, out);
      for (size_t col = 0; col < g.out_width; ++col) {
        const Clipped cols = clip_cols(g, col);
        const size_t source = (out_image + out) * g.out_row() + col * g.channels;
        const size_t target = i * g.row() + cols.begin * g.channels;
        for_blocks(g.channels, [&](auto block, size_t c) {
          f(block, rows, cols, row - out * g.stride_height, source + c, target + c);
        });
      }
    }
  }
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
// As PyTorch: of equal ones the first wins, and NaN wins over what is before it.
template <typename Place>
void max_run(const Geometry& g, In x, Out y, OutOf<Place> places, Chunk chunk) noexcept {
  const Range range = out_rows(g, chunk);
  simd([=] {
    for_windows(g, range,
                [&](auto block, Clipped rows, Clipped cols, size_t source, size_t target) {
                  constexpr size_t L = decltype(block)::kWidth;
                  float most[L];
                  int32_t winner[L];
                  const size_t first = rows.first * g.window_width + cols.first;
                  for (size_t l = 0; l < L; ++l) most[l] = -std::numeric_limits<float>::infinity();
                  for (size_t l = 0; l < L; ++l) winner[l] = static_cast<int32_t>(first);
                  for (size_t h = rows.begin; h < rows.end; ++h) {
                    const float* p = x.data + source + h * g.row() + cols.begin * g.channels;
                    int32_t place = static_cast<int32_t>((h - rows.begin) * g.window_width + first);
                    for (size_t w = cols.begin; w < cols.end; ++w, p += g.channels, ++place) {
                      for (size_t l = 0; l < L; ++l) {
                        const bool wins = (p[l] > most[l]) | (p[l] != p[l]);
                        most[l] = wins ? p[l] : most[l];
                        winner[l] = wins ? place : winner[l];
                      }
                    }
                  }
                  for (size_t l = 0; l < L; ++l) y[target + l] = most[l];
                  for (size_t l = 0; l < L; ++l) places[target + l] = static_cast<Place>(winner[l]);
                });
  });
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
  const Range range = in_rows(g, chunk);
  std::fill(dx.data + range.first * g.row(), dx.data + range.second * g.row(), 0.0f);
  simd([=] {
    for_covering(g, range,
                 [&](auto block, Clipped, Clipped cols, size_t row, size_t source, size_t target) {
                   constexpr size_t L = decltype(block)::kWidth;
                   int32_t winner[L];
                   for (size_t l = 0; l < L; ++l)
                     winner[l] = static_cast<int32_t>(places[source + l]);
                   float* p = dx.data + target;
                   int32_t place = static_cast<int32_t>(row * g.window_width + cols.first);
                   for (size_t w = cols.begin; w < cols.end; ++w, p += g.channels, ++place) {
                     for (size_t l = 0; l < L; ++l) p[l] += winner[l] == place ? dy[source + l] : 0;
                   }
                 });
  });
}

// What the sum of a window is divided by.
NB_INLINE float divisor(const Geometry& g, size_t count_padding, Clipped rows, Clipped cols) {
  const size_t within = (rows.end - rows.begin) * (cols.end - cols.begin);
  return static_cast<float>(count_padding ? g.window_height * g.window_width : within);
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
// Row by row, so that the error of a large window's sum grows with its sides and not with its area.
void average_run(const Geometry& g, In x, Out y, Size count_padding, Chunk chunk) noexcept {
  const Range range = out_rows(g, chunk);
  simd([=] {
    for_windows(g, range,
                [&](auto block, Clipped rows, Clipped cols, size_t source, size_t target) {
                  constexpr size_t L = decltype(block)::kWidth;
                  float sum[L] = {};
                  for (size_t h = rows.begin; h < rows.end; ++h) {
                    const float* p = x.data + source + h * g.row() + cols.begin * g.channels;
                    float part[L] = {};
                    for (size_t w = cols.begin; w < cols.end; ++w, p += g.channels) {
                      for (size_t l = 0; l < L; ++l) part[l] += p[l];
                    }
                    for (size_t l = 0; l < L; ++l) sum[l] += part[l];
                  }
                  const float by = divisor(g, count_padding, rows, cols);
                  for (size_t l = 0; l < L; ++l) y[target + l] = sum[l] / by;
                });
  });
}

void average_grad_check(const Geometry& g, In dy, Out dx, Size count_padding) {
  divisor_check(g, count_padding);
  holds(dy, g.outputs());
  holds(dx, g.inputs());
}
// dx = Σ dy / divisor of the windows that it is part of
void average_grad_run(const Geometry& g, In dy, Out dx, Size count_padding, Chunk chunk) noexcept {
  const Range range = in_rows(g, chunk);
  std::fill(dx.data + range.first * g.row(), dx.data + range.second * g.row(), 0.0f);
  simd([=] {
    for_covering(g, range,
                 [&](auto block, Clipped rows, Clipped cols, size_t, size_t source, size_t target) {
                   constexpr size_t L = decltype(block)::kWidth;
                   const float by = divisor(g, count_padding, rows, cols);
                   float share[L];
                   for (size_t l = 0; l < L; ++l) share[l] = dy[source + l] / by;
                   float* p = dx.data + target;
                   for (size_t w = cols.begin; w < cols.end; ++w, p += g.channels) {
                     for (size_t l = 0; l < L; ++l) p[l] += share[l];
                   }
                 });
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
