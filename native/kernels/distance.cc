// Distances between the rows of two matrices, a [outer, rowsA, cols] and b [outer, rowsB, cols].
// Differences and their squares are in float64: they neither cancel, overflow nor vanish.
#include <cmath>

#include "columns.h"
#include "rows.h"
#include "simd/reduce.h"

namespace nb {
namespace {

void cdist_check(In a, In b, Out y, Size outer, Size rows_a, Size rows_b, Size cols) {
  holds(a, product(outer, rows_a, cols));
  holds(b, product(outer, rows_b, cols));
  holds(y, product(outer, rows_a, rows_b));
}

NB_INLINE double distance(const float* a, const float* b, size_t cols) {
  const auto square = [=](size_t c) {
    const double difference = static_cast<double>(a[c]) - static_cast<double>(b[c]);
    return difference * difference;
  };
  // Few terms are faster one by one than in lanes.
  constexpr size_t kShort = 32;
  if (cols >= kShort) return std::sqrt(sum_of(cols, square));
  double sum = 0;
  for (size_t c = 0; c < cols; ++c) sum += square(c);
  return std::sqrt(sum);
}

void cdist_run(In a, In b, Out y, Size outer, Size rows_a, Size rows_b, Size cols,
               Chunk chunk) noexcept {
  const Range range = chunk.of(outer * rows_a * rows_b);
  simd([=] {
    for_pieces(range, rows_b, [=](size_t row, size_t from, size_t to) {
      const float* others = b.data + row / rows_a * rows_b * cols;
      for (size_t j = from; j < to; ++j) {
        y[row * rows_b + j] =
            static_cast<float>(distance(a.data + row * cols, others + j * cols, cols));
      }
    });
  });
}
const Registration cdist = kernel<cdist_check, cdist_run>("cdist", "a b y outer rowsA rowsB cols");

void cdist_grad_check(In a, In b, In y, In dy, Out da, Size outer, Size rows_a, Size rows_b,
                      Size cols) {
  holds(a, product(outer, rows_a, cols));
  holds(b, product(outer, rows_b, cols));
  holds(y, product(outer, rows_a, rows_b));
  holds(dy, product(outer, rows_a, rows_b));
  holds(da, product(outer, rows_a, cols));
}
// da[i] = Σ_j dy[i, j]·(a[i] - b[j]) / y[i, j]; of two equal rows nothing.
void cdist_grad_run(In a, In b, In y, In dy, Out da, Size outer, Size rows_a, Size rows_b,
                    Size cols, Chunk chunk) noexcept {
  const Range range = chunk.of(outer * rows_a * cols);
  simd([=] {
    for_pieces(range, cols, [=](size_t row, size_t from, size_t to) {
      const float* own = a.data + row * cols;
      const float* others = b.data + row / rows_a * rows_b * cols;
      for (size_t first = from; first < to; first += kColumns) {
        const size_t width = std::min(kColumns, to - first);
        double sum[kColumns];
        std::fill(sum, sum + width, 0.0);
        for (size_t j = 0; j < rows_b; ++j) {
          const double length = static_cast<double>(y[row * rows_b + j]);
          const double slope = static_cast<double>(dy[row * rows_b + j]);
          const double weight = length == 0 ? 0 : slope / length;
          for (size_t c = 0; c < width; ++c) {
            sum[c] += weight * (static_cast<double>(own[first + c]) -
                                static_cast<double>(others[j * cols + first + c]));
          }
        }
        for (size_t c = 0; c < width; ++c) {
          da[row * cols + first + c] = static_cast<float>(sum[c]);
        }
      }
    });
  });
}
const Registration cdist_grad =
    kernel<cdist_grad_check, cdist_grad_run>("cdistGrad", "a b y dy da outer rowsA rowsB cols");

}  // namespace
}  // namespace nb
