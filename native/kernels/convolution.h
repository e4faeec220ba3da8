// What the kernels of convolutions share: their extents, and how work is cut, by the passes of
// conv/pass.h.
#pragma once

#include <array>
#include <utility>

#include "conv/pass.h"
#include "simd/simd.h"

namespace nb {

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

inline ConvShape shape_of(const std::array<Size, kExtents>& n) {
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

inline size_t chunks_for(const ConvShape& shape, size_t most) noexcept {
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

inline size_t unit_chunks(const ConvShape& shape, size_t units, size_t threads) noexcept {
  return chunks_for(shape, std::min(units, kChunksPerThread * threads));
}

inline Fault run_input_gradient(const ConvShape& shape, const ResultGradient& dy,
                                const float* turned, float* dx, Chunk chunk) noexcept {
  const auto [begin, end] = chunk.of(units_of(shape, true), 1);
  return input_gradient_units(shape, dy, turned, dx, begin, end);
}
inline size_t input_gradient_chunks(const ConvShape& shape, size_t threads) noexcept {
  return unit_chunks(shape, units_of(shape, true), threads);
}

// The parts of the images that the gradient of the weights is added up for.
inline size_t parts_of(const ConvShape& s) noexcept {
  return s.weights() <= kFewWeights ? std::min(kParts, units_of(s, false)) : 1;
}
// Elements that it needs for their sums.
inline size_t part_sums(const ConvShape& s) {
  return s.weights() <= kFewWeights ? product(kParts, s.weights()) : 0;
}
inline Fault run_weight_gradient(const ConvShape& s, const float* x, const ResultGradient& dy,
                                 float* dw, float* scratch, Chunk chunk) noexcept {
  const size_t units = units_of(s, false), parts = parts_of(s), blocks = blocks_of(s);
  if (units == 0) return {};
  if (s.weights() > kFewWeights) {
    const auto [begin, end] = chunk.of(blocks, 1);
    return weight_gradient_units(s, x, dy, dw, 0, units, begin, end);
  }
  const auto [begin, end] = chunk.of(parts, 1);
  Fault fault;
  for (size_t part = begin; part < end && !fault; ++part) {
    float* sums = parts == 1 ? dw : scratch + part * s.weights();
    fault = weight_gradient_units(s, x, dy, sums, units * part / parts, units * (part + 1) / parts,
                                  0, blocks);
  }
  return fault;
}
// dw = the sums of the parts, in their order.
inline void finish_weight_gradient(const ConvShape& s, float* dw, const float* sums) noexcept {
  const size_t parts = parts_of(s), size = s.weights();
  if (units_of(s, false) == 0) std::fill_n(dw, size, 0.0f);
  if (parts <= 1) return;
  simd([=] {
    for (size_t i = 0; i < size; ++i) dw[i] = sums[i] + sums[size + i];
    for (size_t part = 2; part < parts; ++part) {
      const float* more = sums + part * size;
      for (size_t i = 0; i < size; ++i) dw[i] += more[i];
    }
  });
}
inline size_t weight_gradient_chunks(const ConvShape& s, size_t threads) noexcept {
  const bool few = s.weights() <= kFewWeights;
  return chunks_for(s, few ? parts_of(s) : std::min(blocks_of(s), threads));
}

}  // namespace nb
