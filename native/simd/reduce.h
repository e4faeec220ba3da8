// Sums and maxima of floating-point values that are accurate and the same bits at
// every SIMD level: the order of the additions is fixed here, not by the width
// of a register. For use inside simd() (sum_of, max_of), and whole (sum, max).
// Not here: which axis, threads. A sum split over threads must be cut at places
// that do not depend on their number.
#pragma once

#include <cstddef>
#include <limits>

#include "simd.h"

namespace nb {

namespace detail {

// Two AVX-512 registers, eight of SSE2: enough to hide the addition's latency.
constexpr size_t kLanes = 32;
// What is added straight into the lanes, 16 deep; blocks are added pairwise.
constexpr size_t kSumBlock = 16 * kLanes;

// Lane l takes the terms l, l + 32, ...; then the lanes are added as a tree.
template <class Term>
NB_INLINE auto sum_block(size_t begin, size_t end, const Term& term) {
  decltype(term(begin)) lanes[kLanes] = {};
  size_t i = begin;
  for (; i + kLanes <= end; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) lanes[l] += term(i + l);
  }
  for (size_t l = 0; i + l < end; ++l) lanes[l] += term(i + l);
  for (size_t width = kLanes / 2; width > 0; width /= 2) {
    for (size_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  return lanes[0];
}

}  // namespace detail

// The sum of term(0) ... term(n - 1), term an inlinable function of the index:
//
//   simd([=] { return sum_of(n, [=](size_t i) { return x[i] * x[i]; }); })
//
// Pairwise over blocks, so the error grows with log n.
template <class Term>
NB_INLINE auto sum_of(size_t n, const Term& term) {
  // partial[k] is the sum of 2^k blocks; bit k of `blocks` says whether it is
  // there, and another block carries over as in binary counting.
  decltype(term(n)) partial[64];
  size_t blocks = 0;
  size_t i = 0;
  for (; n - i > detail::kSumBlock; i += detail::kSumBlock, ++blocks) {
    auto sum = detail::sum_block(i, i + detail::kSumBlock, term);
    size_t k = 0;
    for (; blocks >> k & 1; ++k) sum = partial[k] + sum;
    partial[k] = sum;
  }
  auto sum = detail::sum_block(i, n, term);
  for (size_t k = 0; blocks >> k; ++k) {
    if (blocks >> k & 1) sum = partial[k] + sum;
  }
  return sum;
}

// The largest of term(0) ... term(n - 1); NaN if there is one, -inf if n is 0.
template <class Term>
NB_INLINE float max_of(size_t n, const Term& term) {
  float lanes[detail::kLanes];
  for (float& lane : lanes) lane = -std::numeric_limits<float>::infinity();
  // NaN is never replaced: nothing is greater than it.
  const auto larger = [](float m, float x) { return ((x > m) | (x != x)) ? x : m; };
  size_t i = 0;
  for (; i + detail::kLanes <= n; i += detail::kLanes) {
    for (size_t l = 0; l < detail::kLanes; ++l) lanes[l] = larger(lanes[l], term(i + l));
  }
  for (size_t l = 0; i + l < n; ++l) lanes[l] = larger(lanes[l], term(i + l));
  for (size_t width = detail::kLanes / 2; width > 0; width /= 2) {
    for (size_t l = 0; l < width; ++l) lanes[l] = larger(lanes[l], lanes[l + width]);
  }
  return lanes[0];
}

inline float sum(const float* x, size_t n) {
  return simd([=] { return sum_of(n, [=](size_t i) { return x[i]; }); });
}

inline float max(const float* x, size_t n) {
  return simd([=] { return max_of(n, [=](size_t i) { return x[i]; }); });
}

}  // namespace nb
