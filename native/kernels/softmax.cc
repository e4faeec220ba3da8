// Softmax over the rows of a matrix, its logarithm, the cross-entropy of it, and their gradients.
// The largest logit of a row is subtracted first, so that no power overflows.
//
// Each is written once, for a Group of rows that are computed side by side. Short rows go 16 at a
// time through a transposed tile: a row of 10 would leave most of a vector register empty.
#include "rows.h"
#include "simd/reduce.h"
#include "simd/vmath.h"

namespace nb {
namespace {

constexpr size_t kTileRows = 16;
constexpr size_t kTileCols = 64;  // longer rows are computed by themselves

// L rows: element c of row l is at position c·L + l of a, b (the operands) and y (the result).
template <size_t L>
struct Group {
  static constexpr size_t kRows = L;
  const float* a;
  const float* b;
  float* y;
  size_t cols;
  size_t row;   // the first row
  size_t rows;  // how many of the L rows are there
};

// A value for each row of a group.
template <size_t L>
struct PerRow {
  float value[L] = {};
  NB_INLINE float operator[](size_t l) const { return value[l]; }
};

// values[row] of each row; those of rows that are not there are 0.
template <size_t L>
NB_INLINE PerRow<L> per_row(const Group<L>& g, In values) {
  PerRow<L> result;
  for (size_t l = 0; l < g.rows; ++l) result.value[l] = values[g.row + l];
  return result;
}

// term(position, l) is an element of row l.
template <size_t L, class Term>
NB_INLINE PerRow<L> row_sums(const Group<L>& g, const Term& term) {
  PerRow<L> sums;
  if constexpr (L == 1) {
    sums.value[0] = sum_of(g.cols, [&](size_t c) { return term(c, 0); });
  } else {
    for (size_t c = 0; c < g.cols; ++c) {
      for (size_t l = 0; l < L; ++l) sums.value[l] += term(c * L + l, l);
    }
  }
  return sums;
}

// The largest of a's rows.
template <size_t L>
NB_INLINE PerRow<L> row_maxima(const Group<L>& g) {
  PerRow<L> most;
  if constexpr (L == 1) {
    most.value[0] = max_of(g.cols, [&](size_t c) { return g.a[c]; });
  } else {
    for (size_t l = 0; l < L; ++l) most.value[l] = g.a[l];
    for (size_t i = L; i < g.cols * L; i += L) {
      for (size_t l = 0; l < L; ++l) {
        const float x = g.a[i + l];
        most.value[l] = (x > most[l]) | (x != x) ? x : most[l];
      }
    }
  }
  return most;
}

// y = f(position, l)
template <size_t L, class F>
NB_INLINE void map(const Group<L>& g, const F& f) {
  for (size_t c = 0; c < g.cols; ++c) {
    for (size_t l = 0; l < L; ++l) g.y[c * L + l] = f(c * L + l, l);
  }
}

// Loads a group's rows into a tile; a row that is not there is a copy of the last.
NB_INLINE void load_tile(const float* x, size_t rows, size_t cols, float* tile) {
  for (size_t l = 0; l < kTileRows; ++l) {
    const float* row = x + std::min(l, rows - 1) * cols;
    for (size_t c = 0; c < cols; ++c) tile[c * kTileRows + l] = row[c];
  }
}

NB_INLINE void store_tile(const float* tile, size_t rows, size_t cols, float* y) {
  for (size_t l = 0; l < rows; ++l) {
    for (size_t c = 0; c < cols; ++c) y[l * cols + c] = tile[c * kTileRows + l];
  }
}

// Calls compute(group) for all rows of the chunk; b and y may be nullptr.
template <class Compute>
void for_groups(const float* a, const float* b, float* y, size_t rows, size_t cols, Chunk chunk,
                const Compute& compute) {
  if (cols == 0) return;
  const Range range = chunk.of(rows);
  const auto at = [=](auto* matrix, size_t row) { return matrix ? matrix + row * cols : nullptr; };
  simd([=] {
    if (cols > kTileCols) {
      for (size_t r = range.first; r < range.second; ++r) {
        compute(Group<1>{at(a, r), at(b, r), at(y, r), cols, r, 1});
      }
      return;
    }
    float tiles[3][kTileCols * kTileRows];
    for (size_t r = range.first; r < range.second; r += kTileRows) {
      const size_t count = std::min(kTileRows, range.second - r);
      load_tile(at(a, r), count, cols, tiles[0]);
      if (b) load_tile(at(b, r), count, cols, tiles[1]);
      compute(Group<kTileRows>{tiles[0], tiles[1], tiles[2], cols, r, count});
      if (y) store_tile(tiles[2], count, cols, at(y, r));
    }
  });
}

void rows_check(In x, Out y, Size rows, Size cols) {
  const size_t size = product(rows, cols);
  holds(x, size);
  holds(y, size);
}

void rows_grad_check(In y, In dy, Out dx, Size rows, Size cols) {
  rows_check(y, dx, rows, cols);
  rows_check(dy, dx, rows, cols);
}

// y = softmax of a's rows
template <size_t L>
NB_INLINE void softmax_group(const Group<L>& g) {
  const auto most = row_maxima(g);
  map(g, [&](size_t i, size_t l) { return v_exp(g.a[i] - most[l]); });
  const auto sums = row_sums(g, [&](size_t i, size_t) { return g.y[i]; });
  map(g, [&](size_t i, size_t l) { return g.y[i] / sums[l]; });
}

// log Σ e^(a - most) of each row
template <size_t L>
NB_INLINE PerRow<L> log_sums(const Group<L>& g, const PerRow<L>& most) {
  auto logs = row_sums(g, [&](size_t i, size_t l) { return v_exp(g.a[i] - most[l]); });
  for (size_t l = 0; l < L; ++l) logs.value[l] = v_log(logs[l]);
  return logs;
}

void softmax_run(In x, Out y, Size rows, Size cols, Chunk chunk) noexcept {
  for_groups(x.data, nullptr, y.data, rows, cols, chunk, [](const auto& g) { softmax_group(g); });
}
const Registration softmax = kernel<rows_check, softmax_run>("softmax", "x y rows cols");

void log_softmax_run(In x, Out y, Size rows, Size cols, Chunk chunk) noexcept {
  for_groups(x.data, nullptr, y.data, rows, cols, chunk, [](const auto& g) {
    const auto most = row_maxima(g);
    const auto logs = log_sums(g, most);
    map(g, [&](size_t i, size_t l) { return g.a[i] - most[l] - logs[l]; });
  });
}
const Registration log_softmax = kernel<rows_check, log_softmax_run>("logSoftmax", "x y rows cols");

// dx = y·(dy - Σ y·dy)
void softmax_grad_run(In y, In dy, Out dx, Size rows, Size cols, Chunk chunk) noexcept {
  for_groups(y.data, dy.data, dx.data, rows, cols, chunk, [](const auto& g) {
    const auto dots = row_sums(g, [&](size_t i, size_t) { return g.a[i] * g.b[i]; });
    map(g, [&](size_t i, size_t l) { return g.a[i] * (g.b[i] - dots[l]); });
  });
}
const Registration softmax_grad =
    kernel<rows_grad_check, softmax_grad_run>("softmaxGrad", "y dy dx rows cols");

// dx = dy - e^y·Σ dy
void log_softmax_grad_run(In y, In dy, Out dx, Size rows, Size cols, Chunk chunk) noexcept {
  for_groups(y.data, dy.data, dx.data, rows, cols, chunk, [](const auto& g) {
    const auto sums = row_sums(g, [&](size_t i, size_t) { return g.b[i]; });
    map(g, [&](size_t i, size_t l) { return g.b[i] - v_exp(g.a[i]) * sums[l]; });
  });
}
const Registration log_softmax_grad =
    kernel<rows_grad_check, log_softmax_grad_run>("logSoftmaxGrad", "y dy dx rows cols");

void softmax_cross_entropy_check(In logits, Ints labels, Out losses, Size rows, Size cols) {
  holds(logits, product(rows, cols));
  holds(labels, rows);
  holds(losses, rows);
}
Fault softmax_cross_entropy_run(In logits, Ints labels, Out losses, Size rows, Size cols,
                                Chunk chunk) noexcept {
  if (const Fault fault = index_fault(labels, rows, cols)) return fault;
  for_groups(logits.data, nullptr, nullptr, rows, cols, chunk, [=](const auto& g) {
    const auto most = row_maxima(g);
    const auto logs = log_sums(g, most);
    for (size_t l = 0; l < g.rows; ++l) {
      const size_t label = static_cast<size_t>(labels[g.row + l]);
      losses[g.row + l] = logs[l] - (g.a[label * g.kRows + l] - most[l]);
    }
  });
  return {};
}
const Registration softmax_cross_entropy =
    kernel<softmax_cross_entropy_check, softmax_cross_entropy_run>(
        "softmaxCrossEntropy", "logits labels losses rows cols");

void softmax_cross_entropy_grad_check(In logits, Ints labels, In dlosses, Out dlogits, Size rows,
                                      Size cols) {
  rows_check(logits, dlogits, rows, cols);
  holds(labels, rows);
  holds(dlosses, rows);
}
Fault softmax_cross_entropy_grad_run(In logits, Ints labels, In dlosses, Out dlogits, Size rows,
                                     Size cols, Chunk chunk) noexcept {
  if (const Fault fault = index_fault(labels, rows, cols)) return fault;
  for_groups(logits.data, nullptr, dlogits.data, rows, cols, chunk, [=](const auto& g) {
    softmax_group(g);
    for (size_t l = 0; l < g.rows; ++l) {
      g.y[static_cast<size_t>(labels[g.row + l]) * g.kRows + l] -= 1;
    }
    const auto dloss = per_row(g, dlosses);
    map(g, [&](size_t i, size_t l) { return g.y[i] * dloss[l]; });
  });
  return {};
}
const Registration softmax_cross_entropy_grad =
    kernel<softmax_cross_entropy_grad_check, softmax_cross_entropy_grad_run>(
        "softmaxCrossEntropyGrad", "logits labels dlosses dlogits rows cols");

}  // namespace
}  // namespace nb
