// Rows picked and added by index: batches from a data set, embeddings, one-hot labels.
//
// Every chunk checks all indices before it writes, so all of them decide alike and a faulty call
// writes nothing.
#include <cstring>

#include "rows.h"

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

void scatter_add_rows_check(In dy, Ints indices, Inout dx, Size count, Size cols,
                            Size target_rows) {
  holds(dy, product(count, cols));
  holds(indices, count);
  holds(dx, product(target_rows, cols));
}
// Shares are columns: an index may come twice, and its rows are added in their order.
Fault scatter_add_rows_run(In dy, Ints indices, Inout dx, Size count, Size cols, Size target_rows,
                           Chunk chunk) noexcept {
  if (const Fault fault = index_fault(indices, count, target_rows)) return fault;
  const Range range = chunk.of(cols);
  simd([=] {
    for (size_t r = 0; r < count; ++r) {
      const float* source = dy.data + r * cols;
      float* target = dx.data + static_cast<size_t>(indices[r]) * cols;
      for (size_t c = range.first; c < range.second; ++c) target[c] += source[c];
    }
  });
  return {};
}
const Registration scatter_add_rows = kernel<scatter_add_rows_check, scatter_add_rows_run>(
    "scatterAddRows", "dy indices dx count cols targetRows");

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
