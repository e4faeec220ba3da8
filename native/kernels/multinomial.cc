// Categories drawn by their weights. All arithmetic is in doubles and in one order, so that the
// JavaScript backend draws the same.
#include <cmath>

#include "philox.h"

namespace nb {
namespace {

using Doubles = Span<double, Use::scratch>;

void multinomial_check(In weights, IntsOut y, IntsInout state, Doubles scratch, Size rows,
                       Size cols, Size count, Size replacement) {
  flag("replacement", replacement);
  if (cols > INT32_MAX) throw KernelFault("cols must be below 2^31");
  holds(weights, product(rows, cols));
  holds(y, product(rows, count));
  holds(state, kState);
  holds(scratch, product(rows, cols));
}

// Where a row cannot be drawn from.
Fault weights_fault(In weights, size_t row, size_t cols, size_t needed) {
  size_t positive = 0;
  for (size_t c = 0; c < cols; ++c) {
    const float weight = weights[row * cols + c];
    if (!(weight >= 0 && std::isfinite(weight))) {
      const char* found = weight < 0 ? "one below 0" : weight > 0 ? "Infinity" : "NaN";
      return Fault::of("weights[%zu]: expected a finite number from 0 on, got %s", row * cols + c,
                       found);
    }
    positive += weight > 0;
  }
  if (positive >= needed) return {};
  return Fault::of("weights: expected at least %zu above 0 in row %zu, got %zu", needed, row,
                   positive);
}

// From 0 to below 1, all 53 bits of a double.
double unit(uint32_t high, uint32_t low) {
  return (static_cast<double>(high >> 5) * 0x1p26 + static_cast<double>(low >> 6)) * 0x1p-53;
}

// Two words for each draw, made a block at a time.
class Draws {
 public:
  explicit Draws(const Generator& generator) : generator_(generator) {}
  double at(size_t draw) {
    const size_t first = 2 * draw / kWords * kWords;
    if (first != first_) {
      first_ = first;
      simd([this, target = &words_[0]] { philox(generator_, first_, target); });
    }
    return unit(words_[2 * draw - first], words_[2 * draw - first + 1]);
  }

 private:
  Generator generator_;
  size_t first_ = SIZE_MAX;
  uint32_t words_[kWords];
};

// The first category at which the sums of the weights so far exceed a share of all of them.
void draw_with_replacement(const float* weights, size_t cols, double* sums, int32_t* y,
                           size_t count, Draws& draws, size_t first) {
  double sum = 0;
  for (size_t c = 0; c < cols; ++c) sums[c] = sum += static_cast<double>(weights[c]);
  // A share that is rounded up to all of it is the last category's that has a weight.
  const auto last = std::lower_bound(sums, sums + cols, sum) - sums;
  for (size_t i = 0; i < count; ++i) {
    const auto found = std::upper_bound(sums, sums + cols, draws.at(first + i) * sum) - sums;
    y[i] = static_cast<int32_t>(std::min(found, last));
  }
}

// The same, and what was drawn has no weight any more.
void draw_without_replacement(const float* weights, size_t cols, double* rest, int32_t* y,
                              size_t count, Draws& draws, size_t first) {
  std::copy(weights, weights + cols, rest);
  for (size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (size_t c = 0; c < cols; ++c) sum += rest[c];
    const double share = draws.at(first + i) * sum;
    double passed = 0;
    size_t found = 0;
    for (size_t c = 0; c < cols && passed <= share; ++c) {
      if (rest[c] > 0) found = c;
      passed += rest[c];
    }
    rest[found] = 0;
    y[i] = static_cast<int32_t>(found);
  }
}

Fault multinomial_run(In weights, IntsOut y, IntsInout state, Doubles scratch, Size rows, Size cols,
                      Size count, Size replacement, Chunk chunk) noexcept {
  if (count == 0) return {};
  for (size_t row = 0; row < rows; ++row) {
    if (const Fault fault = weights_fault(weights, row, cols, replacement ? 1 : count)) {
      return fault;
    }
  }
  Draws draws(generator_of(state));
  const auto [begin, end] = chunk.of(rows, 1);
  for (size_t row = begin; row < end; ++row) {
    const auto draw = replacement ? draw_with_replacement : draw_without_replacement;
    draw(weights.data + row * cols, cols, scratch.data + row * cols, y.data + row * count, count,
         draws, row * count);
  }
  return {};
}
void multinomial_finish(In, IntsOut, IntsInout state, Doubles, Size rows, Size, Size count,
                        Size) noexcept {
  advance(state, 2 * rows * count);
}
const Registration multinomial = kernel<multinomial_check, multinomial_run, multinomial_finish>(
    "multinomial", "weights y state scratch rows cols count replacement");

}  // namespace
}  // namespace nb
