// What becomes of the sums of a product, as soon as a tile of them is there: so that a gradient is
// never stored, and a bias or an activation costs no pass of its own. Each rounds as the kernels do
// that do the same on a whole matrix (bias.cc, optim.cc): the results are the same bits.
//
// An epilogue has `row(sums, row, col, cols)`, which takes `cols` sums that lie in one row and one
// panel, and `ignores_zeros()`: whether a sum of zero leaves everything as it is. Rows of a panel
// come in order, and a thread has 16 of them from a multiple of 16 on. `prefetch(row, col, cols)`
// asks for what `row` will touch, while the sums are computed. `watch(row, col, cols)` comes after
// `row` in products of a column and a row alone, which leave most of the result as it is. Where
// `kTakesVectors`, it also has `vector(sum, row, col)` for sums that are still in a
// register.
#pragma once

#include "kernels/activations.h"
#include "kernels/columns.h"
#include "kernels/updates.h"
#include "product.h"

namespace nb {

// c = the product
template <class T>
struct Store {
  static constexpr bool kTakesVectors = false;
  T* c;
  size_t stride;

  NB_INLINE bool ignores_zeros() const { return false; }
  NB_INLINE void prefetch(size_t row, size_t col, size_t cols) const {
    nb::prefetch(c + row * stride + col, cols);
  }
  NB_INLINE void watch(size_t, size_t, size_t) const {}
  NB_INLINE void row(const T* sums, size_t row, size_t col, size_t cols) const {
    T* to = c + row * stride + col;
#pragma GCC ivdep
    for (size_t i = 0; i < cols; ++i) to[i] = sums[i];
  }
};

// c = alpha·product + beta·c; what c held does not matter for beta = 0.
template <class T>
struct StoreScaled {
  static constexpr bool kTakesVectors = false;
  T alpha;
  T beta;
  T* c;
  size_t stride;

  NB_INLINE bool ignores_zeros() const { return beta == 1; }
  NB_INLINE void prefetch(size_t row, size_t col, size_t cols) const {
    nb::prefetch(c + row * stride + col, cols);
  }
  NB_INLINE void watch(size_t, size_t, size_t) const {}
  NB_INLINE void row(const T* sums, size_t row, size_t col, size_t cols) const {
    T* to = c + row * stride + col;
    if (beta == 0) {
#pragma GCC ivdep
      for (size_t i = 0; i < cols; ++i) to[i] = alpha * sums[i];
    } else {
#pragma GCC ivdep
      for (size_t i = 0; i < cols; ++i) to[i] = alpha * sums[i] + beta * to[i];
    }
  }
};

// y = F(product + bias)
template <float (*F)(float)>
struct BiasActivation {
  static constexpr bool kTakesVectors = false;
  const float* bias;
  float* y;
  size_t stride;

  NB_INLINE bool ignores_zeros() const { return false; }
  NB_INLINE void prefetch(size_t row, size_t col, size_t cols) const {
    nb::prefetch(y + row * stride + col, cols);
  }
  NB_INLINE void watch(size_t, size_t, size_t) const {}
  NB_INLINE void row(const float* sums, size_t row, size_t col, size_t cols) const {
    float* to = y + row * stride + col;
    const float* b = bias + col;
#pragma GCC ivdep
    for (size_t i = 0; i < cols; ++i) to[i] = F(sums[i] + b[i]);
  }
};

// dx = F(y, product), and the sums of its columns over runs of rows, as bias.cc has them.
template <float (*F)(float, float)>
struct ActivationGradient {
  static constexpr bool kTakesVectors = false;
  const float* y;
  float* dx;
  float* runs;
  size_t stride;

  NB_INLINE bool ignores_zeros() const { return false; }
  NB_INLINE void prefetch(size_t row, size_t col, size_t cols) const {
    nb::prefetch(y + row * stride + col, cols);
    nb::prefetch(dx + row * stride + col, cols);
  }
  NB_INLINE void watch(size_t, size_t, size_t) const {}
  NB_INLINE void row(const float* sums, size_t row, size_t col, size_t cols) const {
    const size_t at = row * stride + col;
    const float* from = y + at;
    float* to = dx + at;
    float* run = runs + row / kRun * stride + col;
    if (row % kRun == 0) {
#pragma GCC ivdep
      for (size_t i = 0; i < cols; ++i) run[i] = to[i] = F(from[i], sums[i]);
    } else {
#pragma GCC ivdep
      for (size_t i = 0; i < cols; ++i) run[i] += to[i] = F(from[i], sums[i]);
    }
  }
};

// One step of an optimizer with the product as the gradient of weights; what is kept for them lies
// in rows.
template <class Update>
struct Updated {
  static constexpr bool kTakesVectors = Update::kTakesVectors;
  Update update;
  Layout layout;
  Contents* contents;  // of the weights

  NB_INLINE bool ignores_zeros() const { return update.ignores_zeros(); }
  NB_INLINE void prefetch(size_t row, size_t col, size_t cols) const {
    update.prefetch(layout.at(row, col), row * layout.cols + col, cols);
  }
  template <class V>
  NB_INLINE V vector(V sum, size_t row, size_t col) const {
    return update.move(layout.at(row, col), row * layout.cols + col, sum);
  }
  // That all weights are finite stays known as long as those that move are.
  NB_INLINE void watch(size_t row, size_t col, size_t cols) const {
    const float* w = update.w + layout.at(row, col);
    int any = 0;
    for (size_t i = 0; i < cols; ++i) any |= !(w[i] - w[i] == 0);
    if (any) forget();
  }
  NB_INLINE void forget() const {
    if (contents != nullptr) contents->forget();
  }
  NB_INLINE void row(const float* sums, size_t row, size_t col, size_t cols) const {
    move_each(update, layout.at(row, col), row * layout.cols + col, sums, cols);
  }
};

}  // namespace nb
