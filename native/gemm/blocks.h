// The loops around the micro-kernel: which part of the operands is copied, and when. See
// level.h for where this is included.
//
//   for each block of rows                       copy its rows of op(a), where a is transposed
//     for each panel of 64 columns
//       for each slice of k                      copy its rows of op(b), where they lie badly
//         for each strip of up to kVectors vectors
//           for each tile of rows
//             for each block of k                the micro-kernel
//             after the last slice               the epilogue
#include "tile.h"

NB_INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

template <class T>
NB_INLINE void copy(const T* from, T* to, size_t n) {
  for (size_t i = 0; i < n; ++i) to[i] = from[i];
}

// The panel's rows one after another, each as wide as vectors need it, zeros beyond its columns.
template <class T>
void copy_padded(const T* x, size_t rows, size_t stride, size_t cols, size_t padded, T* y) {
  for (size_t r = 0; r < rows; ++r, x += stride, y += padded) {
    if (cols == kPanel) {
      copy(x, y, kPanel);  // a known length needs no loop
    } else {
      copy(x, y, cols);
      for (size_t c = cols; c < padded; ++c) y[c] = 0;
    }
  }
}

// The same of the transpose of x [cols, rows].
template <class T>
void copy_transposed(const T* x, size_t rows, size_t stride, size_t cols, size_t padded, T* y) {
  transpose(x, cols, rows, stride, y, padded);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = cols; c < padded; ++c) y[r * padded + c] = 0;
  }
}

// Sums of a slice: of the rows first to last of op(a), and of `width` columns.
template <class T>
struct Part {
  Rows<T> rows;
  const T* b;
  size_t b_stride;
  bool padded;  // its rows may be read in whole vectors
  size_t slice, slice_end;
};

// One tile over all blocks of the slice, added to what `sums` holds of the slices before.
template <class Level, size_t V, size_t R, bool kTogether, bool kPart>
NB_INLINE void add_blocks(const Part<typename Level::T>& part, size_t last,
                          typename Level::T* sums) {
  for (size_t q = part.slice; q < part.slice_end; q += kBlock) {
    const size_t depth = least(kBlock, part.slice_end - q), done = q - part.slice;
    Rows<typename Level::T> rows = part.rows;
    rows.a += done * rows.depth;
    tile<Level, V, R, kTogether, kPart>(depth, rows, part.b + done * part.b_stride, part.b_stride,
                                        last, sums, q > 0);
  }
}

// The same for rows that lie so or so, and a last vector of which only some columns are there.
template <class Level, size_t V, size_t R>
void add_slice(const Part<typename Level::T>& part, bool together, size_t cols,
               typename Level::T* sums) {
  const size_t last = part.padded ? Level::kLanes : cols - (V - 1) * Level::kLanes;
  if (Level::kReadsParts && last < Level::kLanes) {
    if (together) return add_blocks<Level, V, R, true, Level::kReadsParts>(part, last, sums);
    return add_blocks<Level, V, R, false, Level::kReadsParts>(part, last, sums);
  }
  if (together) return add_blocks<Level, V, R, true, false>(part, last, sums);
  add_blocks<Level, V, R, false, false>(part, last, sums);
}

// Hands the sums of a tile to the epilogue.
template <class T, class Epilogue>
__attribute__((noinline)) void finish(const Epilogue& epilogue, const T* sums, size_t stride,
                                      size_t rows, size_t row, size_t col, size_t cols) {
  const Epilogue e = epilogue;
  for (size_t i = 0; i < rows; ++i) {
    if (cols == kPanel) {
      e.row(sums + i * stride, row + i, col, kPanel);
    } else {
      e.row(sums + i * stride, row + i, col, cols);
    }
  }
}

template <class Level, class Epilogue>
class Multiplication {
 public:
  using T = typename Level::T;

  Multiplication(const Product<T>& p, const Epilogue& e, const Block& block)
      : p_(p), e_(e), block_(block), space_(Workspace<T>::of_this_thread()) {}

  void run() {
    // A single panel reads each row of op(a) once, so that a copy would not pay.
    const size_t room = Workspace<T>::kRoomForA / p_.k / kGroup * kGroup;
    copies_a_ = p_.trans_a && room > 0 && block_.col_end - block_.col > kPanel;
    size_t most = p_.k > kSlice ? kKeptRows : block_.row_end - block_.row;
    if (copies_a_) most = least(most, room);
    for (row_ = block_.row; row_ < block_.row_end; row_ += most) {
      row_end_ = least(row_ + most, block_.row_end);
      if (copies_a_) copy_a();
      for (size_t col = block_.col; col < block_.col_end; col += kPanel) {
        panel(col, least(kPanel, block_.col_end - col));
      }
    }
  }

 private:
  static constexpr size_t kLanes = Level::kLanes;

  void copy_a() const {
    for (size_t group = row_; group < row_end_; group += kGroup) {
      const size_t width = least(kGroup, row_end_ - group);
      T* to = space_.a + (group - row_) * p_.k;
      for (size_t q = 0; q < p_.k; ++q) {
        const T* from = p_.a + q * p_.m + group;
        if (width == kGroup) {
          copy(from, to + q * kGroup, kGroup);
        } else {
          copy(from, to + q * width, width);
        }
      }
    }
  }

  Rows<T> rows_at(size_t row, size_t slice) const {
    if (!p_.trans_a) return {p_.a + row * p_.k + slice, p_.k, 1};
    if (!copies_a_) return {p_.a + slice * p_.m + row, 1, p_.m};
    const size_t inside = row - row_, group = inside / kGroup * kGroup;
    const size_t width = least(kGroup, row_end_ - row_ - group);
    return {space_.a + group * p_.k + slice * width + (inside - group), 1, width};
  }

  // Rows of a group lie side by side, and a tile must not go beyond its group.
  size_t tile_end(size_t row) const {
    if (!copies_a_) return row_end_;
    return least(row_end_, row_ + ((row - row_) / kGroup + 1) * kGroup);
  }

  void panel(size_t col, size_t cols) const {
    for (size_t slice = 0; slice < p_.k; slice += kSlice) {
      const size_t slice_end = least(slice + kSlice, p_.k);
      Part<T> part{{}, nullptr, 0, true, slice, slice_end};
      lay_out_b(col, cols, part);
      constexpr size_t kStrip = Level::kVectors * kLanes;
      for (size_t j = 0; j < cols; j += kStrip) {
        strip(part, col, j, least(kStrip, cols - j));
      }
    }
  }

  // Where the slice's rows of the panel lie: as they are, or copied.
  void lay_out_b(size_t col, size_t cols, Part<T>& part) const {
    const size_t depth = part.slice_end - part.slice;
    const size_t padded = (cols + kLanes - 1) / kLanes * kLanes;
    part.b = space_.b;
    part.b_stride = padded;
    if (p_.trans_b && p_.b_in_panels) {
      // Rows of op(b) are columns of the weights, which lie in panels of them.
      for (size_t q = part.slice; q < part.slice_end; q += kPanel) {
        const size_t width = least(kPanel, p_.k - q);
        copy_transposed(p_.b + q * p_.n + col * width, width, width, cols, padded,
                        space_.b + (q - part.slice) * padded);
      }
    } else if (p_.trans_b) {
      copy_transposed(p_.b + col * p_.k + part.slice, depth, p_.k, cols, padded, space_.b);
    } else {
      const size_t stride = p_.b_in_panels ? cols : p_.n;
      const T* b =
          p_.b_in_panels ? p_.b + col * p_.k + part.slice * cols : p_.b + part.slice * p_.n + col;
      // A few rows of op(a) read it once or twice, wherever it lies.
      const bool lies_well = stride == cols || row_end_ - row_ <= 12;
      if (lies_well && (cols == padded || Level::kReadsParts)) {
        part.b = b;
        part.b_stride = stride;
        part.padded = cols == padded;
      } else {
        copy_padded(b, depth, stride, cols, padded, space_.b);
      }
    }
  }

  // Where the 64 elements of op(b) lie that come with the q-th of k, one way or the other.
  const T* source_of_b(size_t col, size_t q) const {
    if (!p_.trans_b) return p_.b + q * p_.n + col;
    const size_t begin = p_.b_in_panels ? q / kPanel * kPanel : 0;
    const size_t width = p_.b_in_panels ? least(kPanel, p_.k - begin) : p_.k;
    return p_.b + begin * p_.n + col * width + (q - begin) * kPanel;
  }

  // While a panel is multiplied, what the next one is copied from comes into the second cache: each
  // tile asks for its share.
  void prefetch_next_panel(size_t row, size_t rows, size_t col, size_t j) const {
    const size_t next = col + kPanel;
    if (j > 0 || next + kPanel > block_.col_end || (p_.b_in_panels && !p_.trans_b)) return;
    const size_t all = row_end_ - row_;
    const size_t end = p_.k * (row - row_ + rows) / all;
    for (size_t q = p_.k * (row - row_) / all; q < end; ++q) {
      const T* from = source_of_b(next, q);
      for (size_t i = 0; i < kPanel; i += 64 / sizeof(T)) __builtin_prefetch(from + i, 0, 2);
    }
  }

  // Narrow strips take taller tiles, which reads op(b) less often. Not where the rows of op(a) lie
  // apart: more than 6 of them, at a large power of two from each other, would push each other out
  // of the first cache.
  void strip(const Part<T>& part, size_t col, size_t j, size_t cols) const {
    static_assert(Level::kVectors == 2 || Level::kVectors == 4);
    const size_t vectors = (cols + kLanes - 1) / kLanes;
    if (vectors == 1)
      return p_.trans_a ? tiles<1, 12>(part, col, j, cols) : tiles<1, 6>(part, col, j, cols);
    if constexpr (Level::kVectors == 2) {
      tiles<2, 6>(part, col, j, cols);
    } else {
      if (vectors == 2)
        return p_.trans_a ? tiles<2, 12>(part, col, j, cols) : tiles<2, 6>(part, col, j, cols);
      if (vectors == 3) return tiles<3, 6>(part, col, j, cols);
      tiles<4, 6>(part, col, j, cols);
    }
  }

  template <size_t V, size_t R>
  void tiles(const Part<T>& part, size_t col, size_t j, size_t cols) const {
    for (size_t row = row_; row < row_end_;) {
      row = tiles_to<V, R>(part, row, tile_end(row), col, j, cols);
    }
  }

  // As many tiles of R rows as there are, then smaller ones; `end`.
  template <size_t V, size_t R>
  size_t tiles_to(const Part<T>& part, size_t row, size_t end, size_t col, size_t j,
                  size_t cols) const {
    for (; row + R <= end; row += R) one_tile<V, R>(part, row, col, j, cols);
    constexpr size_t kFewer = R == 6 ? 4 : R / 2;
    if constexpr (R > 1) row = tiles_to<V, kFewer>(part, row, end, col, j, cols);
    return row;
  }

  template <size_t V, size_t R>
  void one_tile(const Part<T>& part, size_t row, size_t col, size_t j, size_t cols) const {
    constexpr size_t kWidth = V * kLanes;
    alignas(64) T sums[R * kWidth];
    T* kept = space_.sums + j * (row_end_ - row_) + (row - row_) * kWidth;
    if (part.slice > 0) copy(kept, sums, R * kWidth);
    if (part.slice_end == p_.k) {
      for (size_t i = 0; i < R; ++i) e_.prefetch(row + i, col + j, cols);
    }
    prefetch_next_panel(row, R, col, j);
    Part<T> own = part;
    own.rows = rows_at(row, part.slice);
    own.b += j;
    add_slice<Level, V, R>(own, p_.trans_a, cols, sums);
    if (part.slice_end == p_.k) {
      finish(e_, sums, kWidth, R, row, col + j, cols);
    } else {
      copy(sums, kept, R * kWidth);
    }
  }

  const Product<T>& p_;
  const Epilogue& e_;
  const Block& block_;
  const Workspace<T>& space_;
  bool copies_a_ = false;
  size_t row_ = 0, row_end_ = 0;
};
