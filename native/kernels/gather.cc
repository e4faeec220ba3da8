// Elements picked, written and added by index: batches from a data set, embeddings, one-hot labels.
//
// Every chunk checks all indices before it writes, so all of them decide alike and a faulty call
// writes nothing.
#include <cstring>

#include "rows.h"
#include "words.h"

namespace nb {
namespace {

// The rows of a batch lie all over the data set, where no processor expects them: most of the time
// would be spent waiting for memory. So each row is asked for while an earlier one is copied, into
// the second-level cache, which waits for more of them at once than the first. Of a long row the
// beginning is enough, the processor sees by itself how it goes on.
constexpr size_t kRowsAhead = 8;
constexpr size_t kBytesAhead = 2048;
constexpr size_t kCacheLine = 64;

NB_INLINE void prefetch_row(const uint8_t* x, Ints indices, size_t row, size_t count,
                            size_t row_bytes) {
  if (row >= count) return;
  const uint8_t* source = x + static_cast<size_t>(indices[row]) * row_bytes;
  for (size_t i = 0; i < std::min(row_bytes, kBytesAhead); i += kCacheLine) {
    __builtin_prefetch(source + i, 0, 2);
  }
}

void gather_rows_check(Any x, Ints indices, AnyOut y, Size count, Size cols, Size source_rows) {
  holds(x, product(source_rows, cols));
  holds(indices, count);
  holds(y, product(count, cols));
}
Fault gather_rows_run(Any x, Ints indices, AnyOut y, Size count, Size cols, Size source_rows,
                      Chunk chunk) noexcept {
  if (const Fault fault = index_fault(indices, count, source_rows)) return fault;
  const size_t size = x.element_size;
  for_pieces(chunk.of(count * cols), cols, [=](size_t row, size_t from, size_t to) {
    prefetch_row(x.data, indices, row + kRowsAhead, count, cols * size);
    const size_t source = static_cast<size_t>(indices[row]) * cols;
    std::memcpy(y.data + (row * cols + from) * size, x.data + (source + from) * size,
                (to - from) * size);
  });
  return {};
}
const Registration gather_rows =
    kernel<gather_rows_check, gather_rows_run>("gatherRows", "x indices y count cols sourceRows");

void gather_bytes_check(Bytes x, Ints indices, Out y, Size count, Size cols, Size source_rows,
                        Float) {
  holds(x, product(source_rows, cols));
  holds(indices, count);
  holds(y, product(count, cols));
}
Fault gather_bytes_run(Bytes x, Ints indices, Out y, Size count, Size cols, Size source_rows,
                       Float scale, Chunk chunk) noexcept {
  if (const Fault fault = index_fault(indices, count, source_rows)) return fault;
  const Range range = chunk.of(count * cols);
  simd([=] {
    for_pieces(range, cols, [&](size_t row, size_t from, size_t to) {
      prefetch_row(x.data, indices, row + kRowsAhead, count, cols);
      const uint8_t* source = x.data + static_cast<size_t>(indices[row]) * cols;
      float* target = y.data + row * cols;
      for (size_t c = from; c < to; ++c) target[c] = scale * static_cast<float>(source[c]);
    });
  });
  return {};
}
const Registration gather_bytes = kernel<gather_bytes_check, gather_bytes_run>(
    "gatherBytes", "x indices y count cols sourceRows scale");

// Along the middle one of three dimensions. Where `each` is 1 every element has an index of its
// own, else one list of `count` serves all of them.
struct Indices {
  Ints indices;
  size_t count;
  size_t inner;
  bool each;
  // Of element [o, c, i].
  NB_INLINE size_t at(size_t o, size_t c, size_t i) const {
    return static_cast<size_t>(indices[each ? (o * count + c) * inner + i : c]);
  }
};

// x and indices lie along `length` in what is written or read.
template <typename Part, typename Whole>
void along_check(Part part, Ints indices, Whole whole, Size outer, Size length, Size count,
                 Size inner, Size each) {
  flag("each", each);
  const size_t size = product(outer, count, inner);
  holds(part, size);
  holds(indices, each != 0 ? size : count);
  holds(whole, product(outer, length, inner));
}
Fault along_fault(Ints indices, Size outer, Size length, Size count, Size inner, Size each) {
  return index_fault(indices, each != 0 ? outer * count * inner : count, length);
}

void gather_check(Any x, Ints indices, AnyOut y, Size outer, Size length, Size count, Size inner,
                  Size each) {
  along_check(y, indices, x, outer, length, count, inner, each);
}
Fault gather_run(Any x, Ints indices, AnyOut y, Size outer, Size length, Size count, Size inner,
                 Size each, Chunk chunk) noexcept {
  if (const Fault fault = along_fault(indices, outer, length, count, inner, each)) return fault;
  const Indices index{indices, count, inner, each != 0};
  const size_t size = x.element_size;
  with_word(size, [=](auto word) {
    using W = decltype(word);
    const W* source = reinterpret_cast<const W*>(x.data);
    W* target = reinterpret_cast<W*>(y.data);
    const Range range = chunk.of(outer * count * inner);
    // Along the last axis: one loop goes over many indices, not over one element each.
    if (inner == 1) {
      return for_pieces(range, count, [=](size_t o, size_t from, size_t to) {
        for (size_t c = from; c < to; ++c) {
          target[o * count + c] = source[o * length + index.at(o, c, 0)];
        }
      });
    }
    for_pieces(range, inner, [=](size_t row, size_t from, size_t to) {
      const size_t o = row / count;
      const size_t c = row % count;
      const W* own = source + o * length * inner;
      W* to_row = target + row * inner;
      if (each == 0) {
        std::memcpy(to_row + from, own + index.at(o, c, 0) * inner + from, (to - from) * size);
        return;
      }
      for (size_t i = from; i < to; ++i) to_row[i] = own[index.at(o, c, i) * inner + i];
    });
  });
  return {};
}
const Registration gather =
    kernel<gather_check, gather_run>("gather", "x indices y outer length count inner each");

// y[o, index, i] = combine(y[o, index, i], x[o, c, i]) in the order of c, as several may go to one
// place. Shares are columns, so that these are in one.
template <typename W, class Combine>
NB_INLINE void scatter_columns(const W* x, const Indices& index, W* y, size_t outer, size_t length,
                               Chunk chunk, const Combine& combine) {
  const size_t inner = index.inner;
  if (index.count == 0) return;  // then no buffer bounds the others
  for_pieces(chunk.of(outer * inner), inner, [&](size_t o, size_t from, size_t to) {
    W* target = y + o * length * inner;
    for (size_t c = 0; c < index.count; ++c) {
      const W* source = x + (o * index.count + c) * inner;
      for (size_t i = from; i < to; ++i) {
        W& place = target[index.at(o, c, i) * inner + i];
        place = combine(place, source[i]);
      }
    }
  });
}

void scatter_check(Any x, Ints indices, AnyInout y, Size outer, Size length, Size count, Size inner,
                   Size each) {
  along_check(x, indices, y, outer, length, count, inner, each);
}
Fault scatter_run(Any x, Ints indices, AnyInout y, Size outer, Size length, Size count, Size inner,
                  Size each, Chunk chunk) noexcept {
  if (const Fault fault = along_fault(indices, outer, length, count, inner, each)) return fault;
  with_word(x.element_size, [=](auto word) {
    using W = decltype(word);
    scatter_columns(reinterpret_cast<const W*>(x.data), {indices, count, inner, each != 0},
                    reinterpret_cast<W*>(y.data), outer, length, chunk, [](W, W x) { return x; });
  });
  return {};
}
const Registration scatter =
    kernel<scatter_check, scatter_run>("scatter", "x indices y outer length count inner each");

template <typename T>
void scatter_add_check(NumbersIn<T> x, Ints indices, NumbersInout<T> y, Size outer, Size length,
                       Size count, Size inner, Size each) {
  along_check(x, indices, y, outer, length, count, inner, each);
}
template <typename T>
Fault scatter_add_run(NumbersIn<T> x, Ints indices, NumbersInout<T> y, Size outer, Size length,
                      Size count, Size inner, Size each, Chunk chunk) noexcept {
  if (const Fault fault = along_fault(indices, outer, length, count, inner, each)) return fault;
  simd([=] {
    // Integers wrap around: unsigned ones may.
    using W = std::conditional_t<std::is_floating_point_v<T>, T, uint32_t>;
    const W* source = reinterpret_cast<const W*>(x.data);
    W* target = reinterpret_cast<W*>(y.data);
    const auto add = [](W a, W b) { return a + b; };
    // Apart, because a list for all lets the inner loop go over whole vectors.
    if (each == 0) {
      scatter_columns(source, {indices, count, inner, false}, target, outer, length, chunk, add);
    } else {
      scatter_columns(source, {indices, count, inner, true}, target, outer, length, chunk, add);
    }
  });
  return {};
}
template <typename T>
Registration scatter_add_of() {
  return kernel<scatter_add_check<T>, scatter_add_run<T>>(
      "scatterAdd", "x indices y outer length count inner each");
}
const Registration scatter_add_floats = scatter_add_of<float>();
const Registration scatter_add_ints = scatter_add_of<int32_t>();

void one_hot_check(Ints labels, Out y, Size rows, Size cols) {
  holds(labels, rows);
  holds(y, product(rows, cols));
}
Fault one_hot_run(Ints labels, Out y, Size rows, Size cols, Chunk chunk) noexcept {
  if (const Fault fault = index_fault(labels, rows, cols)) return fault;
  const Range range = chunk.of(rows);
  std::fill(y.data + range.first * cols, y.data + range.second * cols, 0.0f);
  for (size_t r = range.first; r < range.second; ++r) {
    y[r * cols + static_cast<size_t>(labels[r])] = 1;
  }
  return {};
}
const Registration one_hot = kernel<one_hot_check, one_hot_run>("oneHot", "labels y rows cols");

}  // namespace
}  // namespace nb
