// Products with a single row, and those of a column and a row: nothing is copied for them, and
// zeros among the inputs, most of an image or of what a relu lets through, cost nothing. The order
// is that of the tiles. See level.h for where this is included.
#include "blocks.h"

// sums [V·kLanes] (+)= the products a[q]·b[q] of the rows q that are listed.
template <class Level, size_t V>
__attribute__((noinline)) void add_rows(size_t count, const uint32_t* listed,
                                        const typename Level::T* a, const typename Level::T* b,
                                        size_t b_stride, typename Level::T* sums, bool add) {
  Vector<Level> sum[V];
#pragma GCC unroll 8
  for (size_t j = 0; j < V; ++j) sum[j] = Vector<Level>{};
  for (size_t i = 0; i < count; ++i) {
    const size_t q = listed[i];
    const Vector<Level> factor = Level::all(a[q]);
    const typename Level::T* row = b + q * b_stride;
#pragma GCC unroll 8
    for (size_t j = 0; j < V; ++j) {
      sum[j] = Level::fma(factor, Level::load(row + j * Level::kLanes), sum[j]);
    }
  }
#pragma GCC unroll 8
  for (size_t j = 0; j < V; ++j) {
    typename Level::T* place = sums + j * Level::kLanes;
    Level::store(place, add ? Level::load(place) + sum[j] : sum[j]);
  }
}

// One row of op(a) times b [k, n], n >= kLanes.
template <class Level>
class RowProduct {
 public:
  using T = typename Level::T;

  RowProduct(const Product<T>& p, const Sink<T>& sink) : p_(p), sink_(sink) {}

  void run(size_t col, size_t col_end) const {
    for (; col < col_end; col += kWidest) strip(col, least(kWidest, col_end - col));
  }

 private:
  static constexpr size_t kLanes = Level::kLanes;
  static constexpr size_t kWidest = 8 * kLanes;

  void strip(size_t col, size_t cols) const {
    alignas(64) T sums[kWidest];
    uint32_t listed[kBlock];
    for (size_t q = 0; q < p_.k; q += kBlock) {
      const size_t depth = least(kBlock, p_.k - q);
      const size_t count = list(p_.a + q, depth, listed);
      const T* b = p_.b + q * p_.ldb;
      size_t j = 0;
      if (cols == kWidest) {
        add<8>(count, listed, q, b + col, sums);
        continue;
      }
      for (; j + 4 * kLanes <= cols; j += 4 * kLanes)
        add<4>(count, listed, q, b + col + j, sums + j);
      for (; j + kLanes <= cols; j += kLanes) add<1>(count, listed, q, b + col + j, sums + j);
      // The last vector reaches back over columns that are done, so that it stays inside the row.
      const size_t back = j < cols ? kLanes - (cols - j) : 0;
      if (back > 0) add<1>(count, listed, q, b + (p_.n - kLanes), sums + j);
    }
    const size_t whole = cols / kLanes * kLanes;
    if (whole < cols) copy(sums + whole + (kLanes - (cols - whole)), sums + whole, cols - whole);
    for (size_t j = 0; j < cols; j += kPanel) {
      sink_.finish(sink_.epilogue, sums + j, 0, 1, 0, col + j, least(kPanel, cols - j));
    }
  }

  template <size_t V>
  void add(size_t count, const uint32_t* listed, size_t q, const T* b, T* sums) const {
    add_rows<Level, V>(count, listed, p_.a + q, b, p_.ldb, sums, q > 0);
  }

  // Those of the rows that count.
  size_t list(const T* a, size_t depth, uint32_t* listed) const {
    size_t count = 0;
    for (size_t q = 0; q < depth; ++q) {
      listed[count] = static_cast<uint32_t>(q);
      count += !p_.skips_zeros || a[q] != 0;
    }
    return count;
  }

  const Product<T>& p_;
  const Sink<T>& sink_;
};

// The rows of a product of a column and a row that are not left out: those of zeros are where they
// leave everything as it is.
template <class T, class Epilogue, class Use>
NB_INLINE void for_outer_rows(const Product<T>& p, const Epilogue& e, const Block& block,
                              const Use& use) {
  bool skips = e.ignores_zeros();
  for (size_t c = block.col; skips && c < block.col_end; ++c) skips = p.b[c] - p.b[c] == 0;
  for (size_t row = block.row; row < block.row_end; ++row) {
    if (!(skips && p.a[row] == 0)) use(row, p.a[row]);
  }
}

// A column times a row, k == 1. A chain begins at +0, which a product of -0 does not change.
template <class Level, class Epilogue>
void outer_product(const Product<typename Level::T>& p, const Epilogue& epilogue,
                   const Block& block) {
  using T = typename Level::T;
  const Epilogue e = epilogue;
  if constexpr (Epilogue::kTakesVectors) {
    const Vector<Level> zero{};
    // Of each lane, whether a weight that moved there is not finite.
    auto bad = zero != zero;
    for_outer_rows(p, e, block, [&](size_t row, T factor) {
      size_t col = block.col;
      for (; col + Level::kLanes <= block.col_end; col += Level::kLanes) {
        const Vector<Level> sum = Level::all(factor) * Level::load(p.b + col) + zero;
        const Vector<Level> moved = e.vector(sum, row, col);
        bad |= moved - moved != zero;
      }
      for (; col < block.col_end; ++col) {
        const T moved = e.vector(factor * p.b[col] + 0, row, col);
        if (!(moved - moved == 0)) bad |= zero == zero;
      }
    });
    bool any = false;
    for (size_t i = 0; i < Level::kLanes; ++i) any |= bad[i] != 0;
    if (any) e.forget();
  } else {
    for_outer_rows(p, e, block, [&](size_t row, T factor) {
      for (size_t col = block.col; col < block.col_end; col += kPanel) {
        const size_t cols = least(kPanel, block.col_end - col);
        T sums[kPanel];
        for (size_t c = 0; c < cols; ++c) sums[c] = factor * p.b[col + c] + 0;
        e.row(sums, row, col, cols);
        e.watch(row, col, cols);
      }
    });
  }
}
