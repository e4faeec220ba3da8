// a·bᵀ for a small a: with bᵀ as op(b), all of b would be transposed for a few rows of a. Computed
// as (b·aᵀ)ᵀ instead, a and the result are. The sums are the same bits. Included by level.h, like
// that without an include guard.
#include "vectors.h"

// Turns blocks of the transposed sums, then hands them on by rows.
template <class T>
struct Turned {
  static constexpr bool kTakesVectors = false;
  const Sink<T>* sink;
  T* block;   // [kPanel, kPanel] of the sums as they come
  T* turned;  // the same, transposed
  size_t rows;

  NB_INLINE void prefetch(size_t, size_t, size_t) const {}
  NB_INLINE void row(const T* sums, size_t row, size_t col, size_t cols) const {
    copy(sums, block + row % kPanel * kPanel, cols);
    if ((row + 1) % kPanel == 0 || row + 1 == rows) {
      hand_on(row / kPanel * kPanel, row + 1, col, cols);
    }
  }
  void hand_on(size_t begin, size_t end, size_t col, size_t cols) const {
    transpose(block, end - begin, cols, kPanel, turned, kPanel);
    sink->finish(sink->epilogue, turned, kPanel, cols, col, begin, end - begin);
  }
};

// Whether it pays: transposing costs by far more than what else is done with an element once. Not
// of panels, whose rows lie in pieces.
template <class T>
bool pays_turned(const Product<T>& p) {
  return p.trans_b && !p.trans_a && !p.b_in_panels && 2 * p.m * (p.n + p.k) < p.n * p.k;
}

template <class Level>
void multiply_turned(const Product<typename Level::T>& p, const Sink<typename Level::T>& sink,
                     const Block& block) {
  using T = typename Level::T;
  alignas(64) T sums[kPanel * kPanel], turned_sums[kPanel * kPanel];
  const Turned<T> turned{&sink, sums, turned_sums, block.col_end};
  const Product<T> turned_product{false, true, p.n, p.m, p.k, p.b, p.a, p.ldb, p.lda};
  const Block turned_block{block.col, block.col_end, block.row, block.row_end};
  Multiplication<Level>(turned_product, sink_of<Level>(turned), turned_block).run();
}
