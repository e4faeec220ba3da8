// Convolutions of images [batch, height, width, channels] with weights [height, width,
// channels / groups, filters], forward and both gradients, by the passes of conv/pass.h.
#include <array>
#include <limits>
#include <utility>

#include "conv/pass.h"
#include "simd/simd.h"

namespace nb {
namespace {

// Multiplications below which another thread costs more than it saves.
constexpr double kChunkWork = 100e3;

// The gradients of so many weights are added up for parts of the images, and those of more are
// shared out by the weights: so the order of the sums follows from the shape.
constexpr size_t kFewWeights = size_t{1} << 13;
constexpr size_t kParts = 8;

constexpr size_t kExtents = 16;
using Extents = std::make_index_sequence<kExtents>;
template <size_t>
using SizeAt = Size;

ConvShape shape_of(const std::array<Size, kExtents>& n) {
  const auto [batch, height, width, channels, out_height, out_width, filters, kernel_height,
              kernel_width, stride_height, stride_width, pad_top, pad_left, dilation_height,
              dilation_width, groups] = n;
  return {batch,
          channels,
          filters,
          groups,
          {height, out_height, kernel_height, stride_height, pad_top, dilation_height},
          {width, out_width, kernel_width, stride_width, pad_left, dilation_width}};
}
#define NB_EXTENTS                                                                   \
  "batch height width channels outHeight outWidth filters kernelHeight kernelWidth " \
  "strideHeight strideWidth padTop padLeft dilationHeight dilationWidth groups"

size_t chunks_for(const ConvShape& shape, size_t most) noexcept {
  const double work = std::min(shape.work() / kChunkWork, static_cast<double>(most));
  return std::max(size_t{1}, static_cast<size_t>(work));
}

template <class Images, class Weights, class Results>
ConvShape check_extents(const ConvShape& s, const Images& images, const Weights& weights,
                        const Results& results) {
  holds(images, product(s.batch, s.height.in, s.width.in, s.channels));
  holds(results, product(s.batch, s.height.out, s.width.out, s.filters));
  check_shape(s);
  holds(weights, product(s.height.kernel, s.width.kernel, s.group_channels(), s.filters));
  return s;
}

Fault run_units(const ConvShape& shape, bool back, const float* x, const float* weights,
                const float* bias, bool relu, float* y, Chunk chunk) noexcept {
  const auto [begin, end] = chunk.of(units_of(shape, back), 1);
  const float floor = relu ? 0 : -std::numeric_limits<float>::infinity();
  return convolve_units(shape, back, x, weights, bias, floor, y, begin, end);
}
size_t unit_chunks(const ConvShape& shape, bool back, size_t threads) noexcept {
  return chunks_for(shape, std::min(units_of(shape, back), kChunksPerThread * threads));
}

template <class>
struct Conv;
template <size_t... I>
struct Conv<std::index_sequence<I...>> {
  // y = x * w
  static void check(In x, In w, Out y, SizeAt<I>... n) { check_extents(shape_of({n...}), x, w, y); }
  static Fault run(In x, In w, Out y, SizeAt<I>... n, Chunk chunk) noexcept {
    return run_units(shape_of({n...}), false, x.data, w.data, nullptr, false, y.data, chunk);
  }
  static size_t chunks(In, In, Out, SizeAt<I>... n, size_t threads) noexcept {
    return unit_chunks(shape_of({n...}), false, threads);
  }

  // y = x * w + bias, and its relu
  static void bias_check(In x, In w, In bias, Out y, SizeAt<I>... n) {
    holds(bias, check_extents(shape_of({n...}), x, w, y).filters);
  }
  template <bool kRelu>
  static Fault bias_run(In x, In w, In bias, Out y, SizeAt<I>... n, Chunk chunk) noexcept {
    return run_units(shape_of({n...}), false, x.data, w.data, bias.data, kRelu, y.data, chunk);
  }
  static size_t bias_chunks(In, In, In, Out, SizeAt<I>... n, size_t threads) noexcept {
    return unit_chunks(shape_of({n...}), false, threads);
  }

  // dx, from dy and the weights turned, [height, width, filters, channels / groups]
  static void input_grad_check(In dy, In turned, Out dx, SizeAt<I>... n) {
    check_extents(shape_of({n...}), dx, turned, dy);
  }
  static Fault input_grad_run(In dy, In turned, Out dx, SizeAt<I>... n, Chunk chunk) noexcept {
    return run_units(shape_of({n...}), true, dy.data, turned.data, nullptr, false, dx.data, chunk);
  }
  static size_t input_grad_chunks(In, In, Out, SizeAt<I>... n, size_t threads) noexcept {
    return unit_chunks(shape_of({n...}), true, threads);
  }

  static size_t parts_of(const ConvShape& s) noexcept {
    return s.weights() <= kFewWeights ? std::min(kParts, units_of(s, false)) : 1;
  }
  static void weight_grad_check(In x, In dy, Out dw, Scratch scratch, SizeAt<I>... n) {
    const ConvShape s = check_extents(shape_of({n...}), x, dw, dy);
    if (s.weights() <= kFewWeights) holds(scratch, product(kParts, s.weights()));
  }
  static Fault weight_grad_run(In x, In dy, Out dw, Scratch scratch, SizeAt<I>... n,
                               Chunk chunk) noexcept {
    const ConvShape s = shape_of({n...});
    const size_t units = units_of(s, false), parts = parts_of(s), blocks = blocks_of(s);
    if (units == 0) return {};
    if (s.weights() > kFewWeights) {
      const auto [begin, end] = chunk.of(blocks, 1);
      return weight_gradient_units(s, x.data, dy.data, dw.data, 0, units, begin, end);
    }
    const auto [begin, end] = chunk.of(parts, 1);
    Fault fault;
    for (size_t part = begin; part < end && !fault; ++part) {
      float* sums = parts == 1 ? dw.data : scratch.data + part * s.weights();
      fault = weight_gradient_units(s, x.data, dy.data, sums, units * part / parts,
                                    units * (part + 1) / parts, 0, blocks);
    }
    return fault;
  }
  // dw = the sums of the parts, in their order.
  static void weight_grad_finish(In, In, Out dw, Scratch scratch, SizeAt<I>... n) noexcept {
    const ConvShape s = shape_of({n...});
    const size_t parts = parts_of(s), size = s.weights();
    if (units_of(s, false) == 0) std::fill_n(dw.data, size, 0.0f);
    if (parts <= 1) return;
    simd([sums = scratch.data, dw = dw.data, parts, size] {
      for (size_t i = 0; i < size; ++i) dw[i] = sums[i] + sums[size + i];
      for (size_t part = 2; part < parts; ++part) {
        const float* more = sums + part * size;
        for (size_t i = 0; i < size; ++i) dw[i] += more[i];
      }
    });
  }
  static size_t weight_grad_chunks(In, In, Out, Scratch, SizeAt<I>... n, size_t threads) noexcept {
    const ConvShape s = shape_of({n...});
    const bool few = s.weights() <= kFewWeights;
    return chunks_for(s, few ? parts_of(s) : std::min(blocks_of(s), threads));
  }
};

using Kernels = Conv<Extents>;
[[maybe_unused]] const Registration registrations[] = {
    kernel<Kernels::check, Kernels::run, nullptr, Kernels::chunks>("conv", "x w y " NB_EXTENTS),
    kernel<Kernels::bias_check, Kernels::bias_run<false>, nullptr, Kernels::bias_chunks>(
        "convBias", "x w bias y " NB_EXTENTS),
    kernel<Kernels::bias_check, Kernels::bias_run<true>, nullptr, Kernels::bias_chunks>(
        "convBiasRelu", "x w bias y " NB_EXTENTS),
    kernel<Kernels::input_grad_check, Kernels::input_grad_run, nullptr, Kernels::input_grad_chunks>(
        "convInputGrad", "dy w dx " NB_EXTENTS),
    kernel<Kernels::weight_grad_check, Kernels::weight_grad_run, Kernels::weight_grad_finish,
           Kernels::weight_grad_chunks>("convWeightGrad", "x dy dw scratch " NB_EXTENTS),
};

}  // namespace
}  // namespace nb
