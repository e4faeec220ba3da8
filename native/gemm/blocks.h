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
#include "sink.h"

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

template <class Level>
class Multiplication {
 public:
  using T = typename Level::T;

  Multiplication(const Product<T>& p, const Sink<T>& sink, const Block& block)
      : p_(p), sink_(sink), block_(block), space_(Workspace<T>::of_this_thread()) {}

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
        const T* from = p_.a + q * p_.lda + group;
        if (width == kGroup) {
          copy(from, to + q * kGroup, kGroup);
        } else {
          copy(from, to + q * width, width);
        }
      }
    }
  }

  // Where the row of op(a) begins at a slice, and how far apart rows or their elements are
  // (tile.h).
  const T* row_of_a(size_t row, size_t slice) const {
    if (!p_.trans_a) return p_.a + row * p_.lda + slice;
    if (!copies_a_) return p_.a + slice * p_.lda + row;
    const size_t inside = row - row_, group = inside / kGroup * kGroup;
    return space_.a + group * p_.k + slice * width_of(group) + (inside - group);
  }
  size_t stride_of_a(size_t row) const {
    return copies_a_ ? width_of((row - row_) / kGroup * kGroup) : p_.lda;
  }
  // How many rows a group of the copy has.
  size_t width_of(size_t group) const { return least(kGroup, row_end_ - row_ - group); }

  // Rows of a group lie side by side, and a tile must not go beyond its group.
  size_t tile_end(size_t row) const {
    if (!copies_a_) return row_end_;
    return least(row_end_, row_ + ((row - row_) / kGroup + 1) * kGroup);
  }

  void panel(size_t col, size_t cols) const {
    for (size_t slice = 0; slice < p_.k; slice += kSlice) {
      const size_t slice_end = least(slice + kSlice, p_.k);
      Slice<T> o{nullptr, 0, true, slice, slice_end};
      lay_out_b(col, cols, o);
      constexpr size_t kStrip = Level::kVectors * kLanes;
      for (size_t j = 0; j < cols; j += kStrip) {
        strip(o, col, j, least(kStrip, cols - j));
      }
    }
  }

  // Where the slice's rows of the panel lie: as they are, or copied.
  void lay_out_b(size_t col, size_t cols, Slice<T>& o) const {
    const size_t depth = o.end - o.begin;
    const size_t padded = (cols + kLanes - 1) / kLanes * kLanes;
    o.b = space_.b;
    o.b_stride = padded;
    if (p_.trans_b && p_.b_in_panels) {
      // Rows of op(b) are columns of the weights, which lie in panels of them.
      for (size_t q = o.begin; q < o.end; q += kPanel) {
        const size_t width = least(kPanel, p_.k - q);
        copy_transposed(p_.b + q * p_.n + col * width, width, width, cols, padded,
                        space_.b + (q - o.begin) * padded);
      }
    } else if (p_.trans_b) {
      copy_transposed(p_.b + col * p_.ldb + o.begin, depth, p_.ldb, cols, padded, space_.b);
    } else {
      const size_t stride = p_.b_in_panels ? cols : p_.ldb;
      const T* b =
          p_.b_in_panels ? p_.b + col * p_.k + o.begin * cols : p_.b + o.begin * p_.ldb + col;
      // A few rows of op(a) read it once or twice, wherever it lies.
      const bool lies_well = stride == cols || row_end_ - row_ <= 12;
      if (lies_well && (cols == padded || Level::kReadsParts)) {
        o.b = b;
        o.b_stride = stride;
        o.padded = cols == padded;
      } else {
        copy_padded(b, depth, stride, cols, padded, space_.b);
      }
    }
  }

  // Where the 64 elements of op(b) lie that come with the q-th of k, one way or the other.
  const T* source_of_b(size_t col, size_t q) const {
    if (!p_.trans_b) return p_.b + q * p_.ldb + col;
    const size_t begin = p_.b_in_panels ? q / kPanel * kPanel : 0;
    const size_t width = p_.b_in_panels ? least(kPanel, p_.k - begin) : p_.ldb;
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
  void strip(const Slice<T>& o, size_t col, size_t j, size_t cols) const {
    static_assert(Level::kVectors == 2 || Level::kVectors == 4);
    const size_t vectors = (cols + kLanes - 1) / kLanes;
    if (vectors == 1)
      return p_.trans_a ? tiles<1, 12>(o, col, j, cols) : tiles<1, 6>(o, col, j, cols);
    if constexpr (Level::kVectors == 2) {
      tiles<2, 6>(o, col, j, cols);
    } else {
      if (vectors == 2)
        return p_.trans_a ? tiles<2, 12>(o, col, j, cols) : tiles<2, 6>(o, col, j, cols);
      if (vectors == 3) return tiles<3, 6>(o, col, j, cols);
      tiles<4, 6>(o, col, j, cols);
    }
  }

  template <size_t V, size_t R>
  void tiles(const Slice<T>& o, size_t col, size_t j, size_t cols) const {
    for (size_t row = row_; row < row_end_;) {
      row = tiles_to<V, R>(o, row, tile_end(row), col, j, cols);
    }
  }

  // As many tiles of R rows as there are, then smaller ones; `end`.
  template <size_t V, size_t R>
  size_t tiles_to(const Slice<T>& o, size_t row, size_t end, size_t col, size_t j,
                  size_t cols) const {
    for (; row + R <= end; row += R) one_tile<V, R>(o, row, col, j, cols);
    constexpr size_t kFewer = R == 6 ? 4 : R / 2;
    if constexpr (R > 1) row = tiles_to<V, kFewer>(o, row, end, col, j, cols);
    return row;
  }

  template <size_t V, size_t R>
  void one_tile(const Slice<T>& o, size_t row, size_t col, size_t j, size_t cols) const {
    constexpr size_t kWidth = V * kLanes;
    alignas(64) T sums[R * kWidth];
    T* kept = space_.sums + j * (row_end_ - row_) + (row - row_) * kWidth;
    if (o.begin > 0) copy(kept, sums, R * kWidth);
    if (o.end == p_.k) sink_.prefetch(sink_.epilogue, R, row, col + j, cols);
    prefetch_next_panel(row, R, col, j);
    const bool is_last = o.end == p_.k;
    const T* a = row_of_a(row, o.begin);
    const size_t a_stride = stride_of_a(row);
    // Sums of a wide tile that is a gradient of weights need not go through memory.
    if constexpr (V == Level::kVectors && R == 6) {
      if (sink_.wide_tile && is_last && p_.trans_a && cols == kWidth) {
        return sink_.wide_tile(sink_.epilogue, o, a, a_stride, o.b + j, sums, row, col + j);
      }
    }
    add_slice<Level, V, R>(o, a, a_stride, o.b + j, p_.trans_a, cols, sums);
    if (is_last) {
      sink_.finish(sink_.epilogue, sums, kWidth, R, row, col + j, cols);
    } else {
      copy(sums, kept, R * kWidth);
    }
  }

  const Product<T>& p_;
  const Sink<T>& sink_;
  const Block& block_;
  const Workspace<T>& space_;
  bool copies_a_ = false;
  size_t row_ = 0, row_end_ = 0;
};
