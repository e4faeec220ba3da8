// Batch norm: the columns of x [rows, cols], which are channels, by the moments of the batch; rows
// are examples, or all pixels of them.
#include "norm.h"

#include "activations.h"

namespace nb {
namespace {

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

}  // namespace
}  // namespace nb
