// Walking a chunk of rows × cols elements that lie one after another.
#pragma once

#include <algorithm>

#include "kernel.h"
#include "simd/simd.h"

namespace nb {

using Range = std::pair<size_t, size_t>;

// Calls f(row, from, to) for every piece of a row that lies in the elements of `range`. A chunk cut
// in elements, not in rows, is even for any shape.
template <class F>
NB_INLINE void for_pieces(Range range, size_t cols, const F& f) {
  if (range.first == range.second) return;
  size_t row = range.first / cols;
  size_t from = range.first % cols;
  for (size_t left = range.second - range.first; left > 0; ++row, from = 0) {
    const size_t to = std::min(cols, from + left);
    f(row, from, to);
    left -= to - from;
  }
}

}  // namespace nb
