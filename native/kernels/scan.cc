// Running sums and products along the middle one of three dimensions, x and y [outer, length,
// inner]. What has run up is kept in float64, one addition after the other, and rounded where it is
// stored; integers wrap around.
#include "columns.h"
#include "rows.h"

namespace nb {
namespace {

template <typename T>
void scan_check(NumbersIn<T> x, NumbersOut<T> y, Size outer, Size length, Size inner,
                Size reverse) {
  const size_t size = product(outer, length, inner);
  holds(x, size);
  holds(y, size);
  flag("reverse", reverse);
}

// Calls step(at, c, r) for all rows r of each block of at most kColumns columns of the chunk, from
// the first to the last or the other way round: column c of the block lies at `at` there.
template <class Begin, class Step>
NB_INLINE void for_scans(size_t outer, size_t length, size_t inner, bool reverse, Chunk chunk,
                         const Begin& begin, const Step& step) {
  if (length == 0) return;  // then no buffer bounds the others
  const auto block = [&](size_t first, size_t apart, size_t width) {
    begin(width);
    for (size_t i = 0; i < length; ++i) {
      const size_t r = reverse ? length - 1 - i : i;
      for (size_t c = 0; c < width; ++c) step(first + r * inner + c * apart, c, r);
    }
  };
  const Range range = chunk.of(outer * inner);
  if (inner == 1) {
    // Along the last axis some go side by side, as each addition waits for the one before.
    constexpr size_t kAbreast = 8;
    size_t o = range.first;
    for (; o + kAbreast <= range.second; o += kAbreast) block(o * length, length, kAbreast);
    for (; o < range.second; ++o) block(o * length, length, 1);
    return;
  }
  for_pieces(range, inner, [&](size_t o, size_t from, size_t to) {
    for (size_t first = from; first < to; first += kColumns) {
      block(o * length * inner + first, 1, std::min(kColumns, to - first));
    }
  });
}

template <typename T>
using Total = std::conditional_t<std::is_floating_point_v<T>, double, uint32_t>;

template <typename T, class Combine>
NB_INLINE void scan(NumbersIn<T> x, NumbersOut<T> y, size_t outer, size_t length, size_t inner,
                    bool reverse, Chunk chunk, Total<T> neutral, const Combine& combine) {
  simd([=] {
    Total<T> total[kColumns];
    for_scans(
        outer, length, inner, reverse, chunk,
        [&](size_t width) { std::fill(total, total + width, neutral); },
        [&](size_t at, size_t c, size_t) {
          total[c] = combine(total[c], static_cast<Total<T>>(x[at]));
          y[at] = static_cast<T>(total[c]);
        });
  });
}

template <typename T>
void cumsum_run(NumbersIn<T> x, NumbersOut<T> y, Size outer, Size length, Size inner, Size reverse,
                Chunk chunk) noexcept {
  scan<T>(x, y, outer, length, inner, reverse != 0, chunk, 0,
          [](Total<T> sum, Total<T> x) { return sum + x; });
}

template <typename T>
void cumprod_run(NumbersIn<T> x, NumbersOut<T> y, Size outer, Size length, Size inner, Size reverse,
                 Chunk chunk) noexcept {
  scan<T>(x, y, outer, length, inner, reverse != 0, chunk, 1,
          [](Total<T> product, Total<T> x) { return product * x; });
}

template <typename T>
void scans_of() {
  kernel<scan_check<T>, cumsum_run<T>>("cumsum", "x y outer length inner reverse");
  kernel<scan_check<T>, cumprod_run<T>>("cumprod", "x y outer length inner reverse");
}
const Registration scans = [] {
  scans_of<float>();
  scans_of<int32_t>();
  return Registration();
}();

void cumprod_grad_check(In x, In y, In dy, Out dx, Size outer, Size length, Size inner) {
  const size_t size = product(outer, length, inner);
  holds(x, size);
  holds(y, size);
  holds(dy, size);
  holds(dx, size);
}
// dx[i] = y[i-1]·s[i] with s[i] = dy[i] + x[i+1]·s[i+1], the sum over all y[k] that x[i] is a
// factor of: nothing is divided, so that factors of 0 are no exception.
void cumprod_grad_run(In x, In y, In dy, Out dx, Size outer, Size length, Size inner,
                      Chunk chunk) noexcept {
  simd([=] {
    double sum[kColumns];
    for_scans(
        outer, length, inner, true, chunk, [&](size_t width) { std::fill(sum, sum + width, 0.0); },
        [&](size_t at, size_t c, size_t r) {
          const double later = r + 1 < length ? static_cast<double>(x[at + inner]) * sum[c] : 0;
          sum[c] = static_cast<double>(dy[at]) + later;
          const double before = r > 0 ? static_cast<double>(y[at - inner]) : 1;
          dx[at] = static_cast<float>(before * sum[c]);
        });
  });
}
const Registration cumprod_grad =
    kernel<cumprod_grad_check, cumprod_grad_run>("cumprodGrad", "x y dy dx outer length inner");

}  // namespace
}  // namespace nb
