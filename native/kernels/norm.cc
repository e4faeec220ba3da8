// Normalization: of the columns of x [rows, cols] by the moments of a batch (batch norm; rows are
// examples, or all pixels of them, columns are channels), and of its rows by their own (layer
// norm).
//
// Sums are taken in float64, over blocks of rows that the shape alone decides on, and the blocks
// are added in their order. Squares are those of distances from the first row: from 0, the digits
// that tell the values of a column apart would be lost where its mean is large.
#include <cmath>

#include "activations.h"
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

void moments_check(In x, Out mean, Out variance, Inout running_mean, Inout running_var,
                   Doubles scratch, Size rows, Size cols, Double, Size correction) {
  if (rows == 0 && cols > 0) throw KernelFault("rows must be at least 1");
  flag("correction", correction);
  holds(x, product(rows, cols));
  for (const Out& moment : {mean, variance}) holds(moment, cols);
  for (const Inout& moment : {running_mean, running_var}) holds(moment, cols);
  sums_check(scratch, rows, cols);
}
// Of each block the means of its columns and the sums of squared distances from them: from 0, or
// from any one element, float32 would lose the digits that tell the values of a column apart.
void moments_run(In x, Out, Out, Inout, Inout, Doubles scratch, Size rows, Size cols, Double, Size,
                 Chunk chunk) noexcept {
  simd([=] {
    sum_blocks(scratch, rows, cols, chunk, [&](Range block, double* means) {
      double* squares = means + cols;
      const double n = static_cast<double>(block.second - block.first);
      for_stripes(block, cols, [&](const Stripe& stripe) {
        add_stripe(stripe, means, [&](size_t i, size_t) { return static_cast<double>(x[i]); });
      });
      for (size_t c = 0; c < cols; ++c) means[c] /= n;
      for_stripes(block, cols, [&](const Stripe& stripe) {
        float centre[kWidth];
        fill_lanes(stripe, centre, [&](size_t c) { return static_cast<float>(means[c]); });
        add_stripe(stripe, squares, [&](size_t i, size_t l) {
          const float d = x[i] - centre[l];
          return d * d;
        });
      });
      // The centre was rounded.
      for (size_t c = 0; c < cols; ++c) {
        const double off = means[c] - static_cast<double>(static_cast<float>(means[c]));
        squares[c] -= n * off * off;
      }
    });
  });
}
// Moments of blocks become those of all rows as in Chan, Golub and LeVeque 1979.
void moments_finish(In, Out mean, Out variance, Inout running_mean, Inout running_var,
                    Doubles scratch, Size rows, Size cols, Double momentum,
                    Size correction) noexcept {
  const double n = static_cast<double>(rows);
  const auto blend = [=](float before, double now) {
    return static_cast<float>((1 - momentum) * static_cast<double>(before) + momentum * now);
  };
  simd([=] {
    for_columns(scratch, rows, cols, [&](size_t c, const auto& blocks) {
      double sum = 0;
      blocks([&](double count, double m, double) { sum += count * m; });
      const double m = sum / n;
      double squares = 0;
      blocks([&](double count, double own, double within) {
        squares += within + count * ((own - m) * (own - m));
      });
      const double least = squares < 0 ? 0 : squares;  // NaN stays
      mean[c] = static_cast<float>(m);
      variance[c] = static_cast<float>(least / n);
      running_mean[c] = blend(running_mean[c], m);
      running_var[c] = blend(running_var[c], least / (n - static_cast<double>(correction)));
    });
  });
}
const Registration moments = kernel<moments_check, moments_run, moments_finish>(
    "batchNormMoments",
    "x mean variance runningMean runningVar scratch rows cols momentum correction");

// Runs of the chunk that begin with a whole row.
Range chunk_rows(Size rows, Size cols, Chunk chunk) {
  return cols == 0 ? Range{0, 0} : chunk.of(rows, rows_aside(cols));
}

void batch_norm_check(In x, In mean, In variance, In weight, In bias, Out y, Size rows, Size cols,
                      Double) {
  holds(x, product(rows, cols));
  for (const In& column : {mean, variance, weight, bias}) holds(column, cols);
  holds(y, product(rows, cols));
}
float identity(float x) { return x; }
// y = F((x - mean)·weight/√(variance + epsilon) + bias)
template <float (*F)(float)>
void batch_norm_run(In x, In mean, In variance, In weight, In bias, Out y, Size rows, Size cols,
                    Double epsilon, Chunk chunk) noexcept {
  const Range range = chunk_rows(rows, cols, chunk);
  simd([=] {
    for_stripes(range, cols, [&](const Stripe& stripe) {
      float centre[kWidth], scale[kWidth], shift[kWidth];
      fill_lanes(stripe, centre, [&](size_t c) { return mean[c]; });
      fill_lanes(stripe, scale, [&](size_t c) {
        return weight[c] * inverse_deviation(static_cast<double>(variance[c]), epsilon);
      });
      fill_lanes(stripe, shift, [&](size_t c) { return bias[c]; });
      map(stripe, y.data,
          [&](size_t i, size_t l) { return F((x[i] - centre[l]) * scale[l] + shift[l]); });
    });
  });
}
const Registration batch_norm = kernel<batch_norm_check, batch_norm_run<identity>>(
    "batchNorm", "x mean variance weight bias y rows cols epsilon");
const Registration batch_norm_relu = kernel<batch_norm_check, batch_norm_run<relu>>(
    "batchNormRelu", "x mean variance weight bias y rows cols epsilon");

void batch_norm_sums_check(In dy, In x, In mean, In variance, Out dweight, Out dbias,
                           Doubles scratch, Size rows, Size cols, Double) {
  for (const In& matrix : {dy, x}) holds(matrix, product(rows, cols));
  for (const In& column : {mean, variance}) holds(column, cols);
  for (const Out& column : {dweight, dbias}) holds(column, cols);
  sums_check(scratch, rows, cols);
}
void batch_norm_sums_run(In dy, In x, In mean, In, Out, Out, Doubles scratch, Size rows, Size cols,
                         Double, Chunk chunk) noexcept {
  simd([=] {
    sum_blocks(scratch, rows, cols, chunk, [&](Range block, double* sums) {
      for_stripes(block, cols, [&](const Stripe& stripe) {
        float centre[kWidth];
        fill_lanes(stripe, centre, [&](size_t c) { return mean[c]; });
        add_stripe(stripe, sums, [&](size_t i, size_t) { return dy[i]; });
        add_stripe(stripe, sums + cols,
                   [&](size_t i, size_t l) { return dy[i] * (x[i] - centre[l]); });
      });
    });
  });
}
// dbias = Σ dy, dweight = Σ dy·(x - mean)/√(variance + epsilon)
void batch_norm_sums_finish(In, In, In, In variance, Out dweight, Out dbias, Doubles scratch,
                            Size rows, Size cols, Double epsilon) noexcept {
  simd([=] {
    total_blocks(scratch, rows, cols, [&](size_t c, double sum, double products) {
      const double by = std::sqrt(static_cast<double>(variance[c]) + epsilon);
      dbias[c] = static_cast<float>(sum);
      dweight[c] = static_cast<float>(products / by);
    });
  });
}
const Registration batch_norm_sums =
    kernel<batch_norm_sums_check, batch_norm_sums_run, batch_norm_sums_finish>(
        "batchNormSums", "dy x mean variance dweight dbias scratch rows cols epsilon");

void batch_norm_grad_check(In dy, In x, In mean, In variance, In weight, In dweight, In dbias,
                           Out dx, Size rows, Size cols, Double) {
  for (const In& matrix : {dy, x}) holds(matrix, product(rows, cols));
  for (const In& column : {mean, variance, weight, dweight, dbias}) holds(column, cols);
  holds(dx, product(rows, cols));
}
// dx = weight/√(variance + epsilon)·(dy - dbias/rows - x̂·dweight/rows)
void batch_norm_grad_run(In dy, In x, In mean, In variance, In weight, In dweight, In dbias, Out dx,
                         Size rows, Size cols, Double epsilon, Chunk chunk) noexcept {
  const Range range = chunk_rows(rows, cols, chunk);
  const float share = 1 / static_cast<float>(rows);
  simd([=] {
    for_stripes(range, cols, [&](const Stripe& stripe) {
      float centre[kWidth], scale[kWidth], shift[kWidth], slope[kWidth];
      const auto inverse = [&](size_t c) {
        return inverse_deviation(static_cast<double>(variance[c]), epsilon);
      };
      fill_lanes(stripe, centre, [&](size_t c) { return mean[c]; });
      fill_lanes(stripe, scale, [&](size_t c) { return weight[c] * inverse(c); });
      fill_lanes(stripe, shift, [&](size_t c) { return dbias[c] * share; });
      fill_lanes(stripe, slope, [&](size_t c) { return inverse(c) * (dweight[c] * share); });
      map(stripe, dx.data, [&](size_t i, size_t l) {
        return scale[l] * (dy[i] - shift[l] - (x[i] - centre[l]) * slope[l]);
      });
    });
  });
}
const Registration batch_norm_grad = kernel<batch_norm_grad_check, batch_norm_grad_run>(
    "batchNormGrad", "dy x mean variance weight dweight dbias dx rows cols epsilon");

// Σ term(c) of a row, in float64: lane l takes the terms l, l + 16, ...; then they are added as a
// tree.
template <class Term>
NB_INLINE double row_sum(size_t cols, const Term& term) {
  constexpr size_t kRowLanes = 16;
  double lanes[kRowLanes] = {};
  size_t c = 0;
  for (; c + kRowLanes <= cols; c += kRowLanes) {
    for (size_t l = 0; l < kRowLanes; ++l) lanes[l] += static_cast<double>(term(c + l));
  }
  for (size_t l = 0; c + l < cols; ++l) lanes[l] += static_cast<double>(term(c + l));
  for (size_t width = kRowLanes / 2; width > 0; width /= 2) {
    for (size_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  return lanes[0];
}

void layer_norm_check(In x, In weight, In bias, Out y, Out mean, Out scale, Size rows, Size cols,
                      Double, Size centered) {
  flag("centered", centered);
  holds(x, product(rows, cols));
  for (const In& column : {weight, bias}) holds(column, cols);
  holds(y, product(rows, cols));
  for (const Out& row : {mean, scale}) holds(row, rows);
}
void layer_norm_run(In x, In weight, In bias, Out y, Out mean, Out scale, Size rows, Size cols,
                    Double epsilon, Size centered, Chunk chunk) noexcept {
  const Range range = chunk.of(rows, 1);
  const double n = static_cast<double>(cols);
  simd([=] {
    for (size_t r = range.first; r < range.second; ++r) {
      const float* row = x.data + r * cols;
      const double m = centered ? row_sum(cols, [=](size_t c) { return row[c]; }) / n : 0;
      const double squares = row_sum(cols, [=](size_t c) {
        const double d = static_cast<double>(row[c]) - m;
        return d * d;
      });
      const float centre = static_cast<float>(m);
      const float by = inverse_deviation(squares / n, epsilon);
      float* result = y.data + r * cols;
      for (size_t c = 0; c < cols; ++c) {
        result[c] = (row[c] - centre) * by * weight[c] + bias[c];
      }
      mean[r] = centre;
      scale[r] = by;
    }
  });
}
const Registration layer_norm = kernel<layer_norm_check, layer_norm_run>(
    "layerNorm", "x weight bias y mean scale rows cols epsilon centered");

void layer_norm_grad_check(In dy, In x, In weight, In mean, In scale, Out dx, Size rows, Size cols,
                           Size centered) {
  flag("centered", centered);
  for (const In& matrix : {dy, x}) holds(matrix, product(rows, cols));
  holds(weight, cols);
  for (const In& row : {mean, scale}) holds(row, rows);
  holds(dx, product(rows, cols));
}
// With g = dy·weight: dx = scale·(g - mean of g - x̂·mean of g·x̂); not centered, without mean of g.
void layer_norm_grad_run(In dy, In x, In weight, In mean, In scale, Out dx, Size rows, Size cols,
                         Size centered, Chunk chunk) noexcept {
  const Range range = chunk.of(rows, 1);
  const double n = static_cast<double>(cols);
  simd([=] {
    for (size_t r = range.first; r < range.second; ++r) {
      const size_t at = r * cols;
      const float centre = mean[r], by = scale[r];
      const auto gradient = [=](size_t c) { return dy[at + c] * weight[c]; };
      const auto normal = [=](size_t c) { return (x[at + c] - centre) * by; };
      const float shift = centered ? static_cast<float>(row_sum(cols, gradient) / n) : 0;
      const float slope =
          static_cast<float>(row_sum(cols, [=](size_t c) { return gradient(c) * normal(c); }) / n);
      for (size_t c = 0; c < cols; ++c) {
        dx[at + c] = by * (gradient(c) - shift - normal(c) * slope);
      }
    }
  });
}
const Registration layer_norm_grad = kernel<layer_norm_grad_check, layer_norm_grad_run>(
    "layerNormGrad", "dy x weight mean scale dx rows cols centered");

void layer_norm_sums_check(In dy, In x, In mean, In scale, Out dweight, Out dbias, Doubles scratch,
                           Size rows, Size cols) {
  for (const In& matrix : {dy, x}) holds(matrix, product(rows, cols));
  for (const In& row : {mean, scale}) holds(row, rows);
  for (const Out& column : {dweight, dbias}) holds(column, cols);
  sums_check(scratch, rows, cols);
}
void layer_norm_sums_run(In dy, In x, In mean, In scale, Out, Out, Doubles scratch, Size rows,
                         Size cols, Chunk chunk) noexcept {
  simd([=] {
    sum_blocks(scratch, rows, cols, chunk, [&](Range block, double* sums) {
      for (size_t r = block.first; r < block.second; ++r) {
        const size_t at = r * cols;
        const float centre = mean[r], by = scale[r];
        for (size_t c = 0; c < cols; ++c) {
          const double gradient = static_cast<double>(dy[at + c]);
          sums[c] += gradient;
          sums[cols + c] += gradient * static_cast<double>((x[at + c] - centre) * by);
        }
      }
    });
  });
}
// dbias = Σ dy, dweight = Σ dy·x̂
void layer_norm_sums_finish(In, In, In, In, Out dweight, Out dbias, Doubles scratch, Size rows,
                            Size cols) noexcept {
  simd([=] {
    total_blocks(scratch, rows, cols, [&](size_t c, double sum, double products) {
      dbias[c] = static_cast<float>(sum);
      dweight[c] = static_cast<float>(products);
    });
  });
}
const Registration layer_norm_sums =
    kernel<layer_norm_sums_check, layer_norm_sums_run, layer_norm_sums_finish>(
        "layerNormSums", "dy x mean scale dweight dbias scratch rows cols");

}  // namespace
}  // namespace nb
