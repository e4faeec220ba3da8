// What the norms share: sums over the columns of x [rows, cols], and maps of its elements by
// numbers of their columns.
//
// Sums are taken in float64, over blocks of rows that the shape alone decides on, and the blocks
// are added in their order.
#pragma once

#include <cmath>

#include "rows.h"

namespace nb {
namespace {

using Doubles = Span<double, Use::scratch>;

// Neighbouring columns that are computed together at most.
constexpr size_t kWidth = 1024;

// Blocks and runs are multiples of so many rows.
constexpr size_t kRun = 16;

// Rows that count as one, so that a few columns make whole vectors, too; a divisor of kRun.
NB_INLINE size_t rows_aside(size_t cols) {
  const size_t shared = std::min(kRun, cols & (~cols + 1));
  return cols < kWidth / kRun ? kRun / shared : 1;
}

// Rows that are added up by one thread.
NB_INLINE size_t block_rows(size_t cols) { return kRun * ((kWidth + cols - 1) / cols); }
size_t blocks_of(size_t rows, size_t cols) {
  return cols == 0 ? 0 : rows / block_rows(cols) + (rows % block_rows(cols) > 0);
}

// Neighbouring columns of some rows: `count` runs of `width` elements that are `step` apart, and
// the beginning of one more. Element l of a run is of column (column + l) mod cols.
struct Stripe {
  size_t begin, width, step, count, rest, column, cols;
};

// Calls f for stripes of all columns of the rows.
template <class F>
NB_INLINE void for_stripes(Range rows, size_t cols, const F& f) {
  if (cols == 0) return;
  const size_t count = rows.second - rows.first;
  const size_t begin = rows.first * cols;
  const size_t aside = rows_aside(cols);
  if (aside > 1) {
    f(Stripe{begin, aside * cols, aside * cols, count / aside, count % aside * cols, 0, cols});
    return;
  }
  for (size_t c = 0; c < cols; c += kWidth) {
    f(Stripe{begin + c, std::min(kWidth, cols - c), cols, count, 0, c, cols});
  }
}

// lanes[l] = f(column of l)
template <class F>
NB_INLINE void fill_lanes(const Stripe& s, float* lanes, const F& f) {
  const size_t own = std::min(s.width, s.cols);
  for (size_t l = 0; l < own; ++l) lanes[l] = f(s.column + l);
  for (size_t l = own; l < s.width; ++l) lanes[l] = lanes[l - own];
}

// y[i] = f(i, l) for the elements of a stripe.
template <class F>
NB_INLINE void map(const Stripe& s, float* y, const F& f) {
  size_t at = s.begin;
  for (size_t run = 0; run < s.count; ++run, at += s.step) {
    for (size_t l = 0; l < s.width; ++l) y[at + l] = f(at + l, l);
  }
  for (size_t l = 0; l < s.rest; ++l) y[at + l] = f(at + l, l);
}

// sums[c] += Σ term(i, l) over the elements of each column; runs of four are added as the term has
// them, in float32 or float64.
template <class Term>
NB_INLINE void add_stripe(const Stripe& s, double* sums, const Term& term) {
  double total[kWidth];
  std::fill(total, total + s.width, 0.0);
  size_t run = 0, at = s.begin;
  for (const size_t d = s.step; run + 4 <= s.count; run += 4, at += 4 * d) {
    for (size_t l = 0, i = at; l < s.width; ++l, ++i) {
      const auto four = (term(i, l) + term(i + d, l)) + (term(i + 2 * d, l) + term(i + 3 * d, l));
      total[l] += static_cast<double>(four);
    }
  }
  for (; run < s.count; ++run, at += s.step) {
    for (size_t l = 0; l < s.width; ++l) total[l] += static_cast<double>(term(at + l, l));
  }
  for (size_t l = 0; l < s.rest; ++l) total[l] += static_cast<double>(term(at + l, l));
  const size_t own = std::min(s.width, s.cols);
  for (size_t l = 0; l < s.width; l += s.cols) {
    for (size_t c = 0; c < own; ++c) sums[s.column + c] += total[l + c];
  }
}

void sums_check(Doubles scratch, Size rows, Size cols) {
  holds(scratch, product(2, cols, blocks_of(rows, cols)));
}

// The sums of the chunk's blocks of rows, each [2, cols], into scratch.
template <class Add>
NB_INLINE void sum_blocks(Doubles scratch, size_t rows, size_t cols, Chunk chunk, const Add& add) {
  const Range blocks = chunk.of(blocks_of(rows, cols), 1);
  for (size_t block = blocks.first; block < blocks.second; ++block) {
    double* sums = scratch.data + 2 * cols * block;
    std::fill(sums, sums + 2 * cols, 0.0);
    const size_t begin = block * block_rows(cols);
    add(Range{begin, std::min(rows, begin + block_rows(cols))}, sums);
  }
}

// Calls f(c, blocks) for every column, where blocks(g) calls g(rows, first sum, second sum) for
// each block in order.
template <class F>
NB_INLINE void for_columns(Doubles scratch, size_t rows, size_t cols, const F& f) {
  if (cols == 0) return;
  const size_t height = block_rows(cols);
  for (size_t c = 0; c < cols; ++c) {
    f(c, [=](const auto& g) {
      const double* sums = scratch.data + c;
      for (size_t begin = 0; begin < rows; begin += height, sums += 2 * cols) {
        g(static_cast<double>(std::min(height, rows - begin)), sums[0], sums[cols]);
      }
    });
  }
}

// Calls f(c, first sum, second sum) for every column.
template <class F>
NB_INLINE void total_blocks(Doubles scratch, size_t rows, size_t cols, const F& f) {
  for_columns(scratch, rows, cols, [&](size_t c, const auto& blocks) {
    double a = 0, b = 0;
    blocks([&](double, double first, double second) {
      a += first;
      b += second;
    });
    f(c, a, b);
  });
}

NB_INLINE float inverse_deviation(double variance, double epsilon) {
  return static_cast<float>(1 / std::sqrt(variance + epsilon));
}

}  // namespace
}  // namespace nb
