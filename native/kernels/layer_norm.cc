// Layer norm and RMS norm: the rows of x [rows, cols] by their own moments.
#include "norm.h"

namespace nb {
namespace {

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
