// Tiles over a slice of k, and where their sums go. See level.h for where this is included.
#include "tile.h"

// A slice of k, and how its rows of a panel of op(b) lie: b_stride apart, and padded where they may
// be read in whole vectors.
template <class T>
struct Slice {
  const T* b;
  size_t b_stride;
  bool padded;
  size_t begin, end;  // of k
};

// One tile over all blocks of the slice; the sums go to memory, or after the last block to
// `epilogue`.
template <class Level, size_t V, size_t R, bool kTogether, bool kPart, class Epilogue>
NB_INLINE void add_blocks(const Slice<typename Level::T>& o, const typename Level::T* a,
                          size_t a_stride, const typename Level::T* b, size_t last,
                          typename Level::T* sums, const Epilogue* epilogue, size_t row,
                          size_t col) {
  const NoEpilogue* none = nullptr;
  size_t q = o.begin;
  for (; q + kBlock < o.end; q += kBlock) {
    tile<Level, V, R, kTogether, kPart>(kBlock, a, a_stride, b, o.b_stride, last, sums, q > 0, none,
                                        row, col);
    a += kBlock * (kTogether ? a_stride : 1);
    b += kBlock * o.b_stride;
  }
  tile<Level, V, R, kTogether, kPart>(o.end - q, a, a_stride, b, o.b_stride, last, sums, q > 0,
                                      epilogue, row, col);
}

// The same for rows that lie so or so, and a last vector of which only some columns are there.
template <class Level, size_t V, size_t R>
void add_slice(const Slice<typename Level::T>& o, const typename Level::T* a, size_t a_stride,
               const typename Level::T* b, bool together, size_t cols, typename Level::T* sums) {
  const NoEpilogue* none = nullptr;
  const size_t last = o.padded ? Level::kLanes : cols - (V - 1) * Level::kLanes;
  constexpr bool kPart = Level::kReadsParts;
  if (kPart && last < Level::kLanes) {
    if (together)
      return add_blocks<Level, V, R, true, kPart>(o, a, a_stride, b, last, sums, none, 0, 0);
    return add_blocks<Level, V, R, false, kPart>(o, a, a_stride, b, last, sums, none, 0, 0);
  }
  if (together)
    return add_blocks<Level, V, R, true, false>(o, a, a_stride, b, last, sums, none, 0, 0);
  add_blocks<Level, V, R, false, false>(o, a, a_stride, b, last, sums, none, 0, 0);
}

// An epilogue by its functions, so that the loops are compiled once for all of them.
template <class T>
struct Sink {
  const void* epilogue;
  // Asks for what `rows` rows from (row, col) on will touch.
  void (*prefetch)(const void* epilogue, size_t rows, size_t row, size_t col, size_t cols);
  // Takes the sums of a tile, rows of which are `stride` apart.
  void (*finish)(const void* epilogue, const T* sums, size_t stride, size_t rows, size_t row,
                 size_t col, size_t cols);
  // Computes a wide tile of rows that lie side by side, of whole vectors, and takes the sums from
  // the registers; null where the epilogue takes none.
  void (*wide_tile)(const void* epilogue, const Slice<T>& slice, const T* a, size_t a_stride,
                    const T* b, T* sums, size_t row, size_t col);
};

template <class T, class Epilogue>
void prefetch_rows(const void* epilogue, size_t rows, size_t row, size_t col, size_t cols) {
  const Epilogue e = *static_cast<const Epilogue*>(epilogue);
  for (size_t i = 0; i < rows; ++i) e.prefetch(row + i, col, cols);
}

template <class T, class Epilogue>
void finish_rows(const void* epilogue, const T* sums, size_t stride, size_t rows, size_t row,
                 size_t col, size_t cols) {
  const Epilogue e = *static_cast<const Epilogue*>(epilogue);
  for (size_t i = 0; i < rows; ++i) {
    if (cols == kPanel) {
      e.row(sums + i * stride, row + i, col, kPanel);
    } else {
      e.row(sums + i * stride, row + i, col, cols);
    }
  }
}

template <class Level, class Epilogue>
void wide_tile(const void* epilogue, const Slice<typename Level::T>& slice,
               const typename Level::T* a, size_t a_stride, const typename Level::T* b,
               typename Level::T* sums, size_t row, size_t col) {
  const auto* e = static_cast<const Epilogue*>(epilogue);
  add_blocks<Level, Level::kVectors, 6, true, false>(slice, a, a_stride, b, Level::kLanes, sums, e,
                                                     row, col);
}

template <class Level, class Epilogue>
Sink<typename Level::T> sink_of(const Epilogue& epilogue) {
  using T = typename Level::T;
  Sink<T> sink{&epilogue, prefetch_rows<T, Epilogue>, finish_rows<T, Epilogue>, nullptr};
  if constexpr (Epilogue::kTakesVectors) sink.wide_tile = wide_tile<Level, Epilogue>;
  return sink;
}
