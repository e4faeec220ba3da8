// Reductions over the middle dimension of x [outer, length, inner] in float64: variances, products,
// and whether any or all elements are true. The others are in reduce.cc.
#include "columns.h"
#include "rows.h"
#include "simd/reduce.h"

namespace nb {
namespace {

template <typename X, typename Y>
void shape_check(const X& x, const Y& y, Size outer, Size length, Size inner) {
  holds(x, product(outer, length, inner));
  holds(y, product(outer, inner));
}

NB_INLINE double square(double x) { return x * x; }

// Two passes: the mean first, then the squares of what differs from it.
NB_INLINE float variance_row(const float* x, size_t n, double freedom) {
  const double mean =
      sum_of(n, [=](size_t i) { return static_cast<double>(x[i]); }) / static_cast<double>(n);
  const double squares =
      sum_of(n, [=](size_t i) { return square(static_cast<double>(x[i]) - mean); });
  return static_cast<float>(squares / freedom);
}

// The same of columns side by side, rows `stride` apart.
NB_INLINE void variance_columns(const float* x, size_t rows, size_t stride, size_t width,
                                double freedom, float* y) {
  double mean[kColumns], squares[kColumns];
  std::fill(mean, mean + width, 0.0);
  std::fill(squares, squares + width, 0.0);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < width; ++c) mean[c] += static_cast<double>(x[r * stride + c]);
  }
  for (size_t c = 0; c < width; ++c) mean[c] /= static_cast<double>(rows);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < width; ++c) {
      squares[c] += square(static_cast<double>(x[r * stride + c]) - mean[c]);
    }
  }
  for (size_t c = 0; c < width; ++c) y[c] = static_cast<float>(squares[c] / freedom);
}

void variance_check(In x, Out y, Size outer, Size length, Size inner, Float) {
  shape_check(x, y, outer, length, inner);
}
void variance_run(In x, Out y, Size outer, Size length, Size inner, Float correction,
                  Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  const double left = static_cast<double>(length) - static_cast<double>(correction);
  const double freedom = left > 0 ? left : 0;
  simd([=] {
    if (inner == 1) {
      for (size_t o = range.first; o < range.second; ++o) {
        y[o] = variance_row(x.data + o * length, length, freedom);
      }
      return;
    }
    for_pieces(range, inner, [&](size_t o, size_t from, size_t to) {
      for (size_t c = from; c < to; c += kColumns) {
        variance_columns(x.data + o * length * inner + c, length, inner, std::min(kColumns, to - c),
                         freedom, y.data + o * inner + c);
      }
    });
  });
}
const Registration variance =
    kernel<variance_check, variance_run>("variance", "x y outer length inner correction");

// Products in the order of the elements, because what overflows on the way depends on it.

template <typename T>
void prod_check(NumbersIn<T> x, NumbersOut<T> y, Size outer, Size length, Size inner) {
  shape_check(x, y, outer, length, inner);
}
template <typename T>
void prod_run(NumbersIn<T> x, NumbersOut<T> y, Size outer, Size length, Size inner,
              Chunk chunk) noexcept {
  // Integers wrap around.
  using Product = std::conditional_t<std::is_floating_point_v<T>, double, uint32_t>;
  const Range range = chunk.of(outer * inner);
  if (range.first == range.second) return;
  simd([=] {
    for_pieces(range, inner, [&](size_t o, size_t from, size_t to) {
      for (size_t c = from; c < to; c += kColumns) {
        const size_t width = std::min(kColumns, to - c);
        Product products[kColumns];
        std::fill(products, products + width, Product{1});
        const T* px = x.data + o * length * inner + c;
        for (size_t r = 0; r < length; ++r) {
          for (size_t i = 0; i < width; ++i) products[i] *= static_cast<Product>(px[r * inner + i]);
        }
        for (size_t i = 0; i < width; ++i) y[o * inner + c + i] = static_cast<T>(products[i]);
      }
    });
  });
}
const Registration prod =
    kernel<prod_check<float>, prod_run<float>>("prod", "x y outer length inner");
const Registration prod_of_ints =
    kernel<prod_check<int32_t>, prod_run<int32_t>>("prod", "x y outer length inner");

// dx = dy times the product of the other elements.
void prod_grad_check(In x, In dy, Out dx, Size outer, Size length, Size inner) {
  shape_check(x, dy, outer, length, inner);
  holds(dx, product(outer, length, inner));
}
void prod_grad_run(In x, In dy, Out dx, Size outer, Size length, Size inner, Chunk chunk) noexcept {
  const auto [begin, end] = chunk.of(outer * inner, 1);
  for (size_t i = begin; i < end; ++i) {
    const size_t at = i / inner * length * inner + i % inner;
    double rest = 1;  // the product of all that are not 0
    size_t zeros = 0;
    for (size_t r = 0; r < length; ++r) {
      const double v = x[at + r * inner];
      zeros += v == 0;
      rest *= v == 0 ? 1 : v;
    }
    for (size_t r = 0; r < length; ++r) {
      const double v = x[at + r * inner];
      const double others = v == 0 ? (zeros == 1 ? rest : 0) : (zeros == 0 ? rest / v : 0);
      dx[at + r * inner] = static_cast<float>(dy[i] * others);
    }
  }
}
const Registration prod_grad =
    kernel<prod_grad_check, prod_grad_run>("prodGrad", "x dy dx outer length inner");

void truth_check(Truths x, TruthsOut y, Size outer, Size length, Size inner) {
  shape_check(x, y, outer, length, inner);
}
// Whether an element is found that is `kWanted`, by columns side by side.
template <bool kWanted>
void truth_run(Truths x, TruthsOut y, Size outer, Size length, Size inner, Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner, 64);
  if (range.first == range.second) return;
  simd([=] {
    for_pieces(range, inner, [&](size_t o, size_t from, size_t to) {
      for (size_t c = from; c < to; c += kColumns) {
        const size_t width = std::min(kColumns, to - c);
        uint8_t found[kColumns] = {};
        const Bool* px = x.data + o * length * inner + c;
        for (size_t r = 0; r < length; ++r) {
          for (size_t i = 0; i < width; ++i) found[i] |= (px[r * inner + i] != Bool{0}) == kWanted;
        }
        for (size_t i = 0; i < width; ++i) y[o * inner + c + i] = Bool{found[i] == kWanted};
      }
    });
  });
}
const Registration any = kernel<truth_check, truth_run<true>>("any", "x y outer length inner");
const Registration all = kernel<truth_check, truth_run<false>>("all", "x y outer length inner");

}  // namespace
}  // namespace nb
