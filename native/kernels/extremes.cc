// The smallest along the middle dimension of x [outer, length, inner], and the places that
// comparisons alone find: see argmaxInOrder of the kernel table. The largest is in reduce.cc.
#include "columns.h"
#include "rows.h"

namespace nb {
namespace {

template <typename X, typename Y>
void shape_check(X x, Y y, Size outer, Size length, Size inner) {
  holds(x, product(outer, length, inner));
  holds(y, product(outer, inner));
  if (length == 0 && outer > 0 && inner > 0) {
    throw KernelFault("length must be at least 1: there is none of nothing");
  }
  if (length > INT32_MAX) throw KernelFault("length must be below 2^31");
}

// Calls f(x, o · inner + c, width) for every block of columns of the chunk: x at the first of the
// rows that are `inner` apart.
template <typename T, class F>
NB_INLINE void for_columns(NumbersIn<T> x, Range range, size_t length, size_t inner, const F& f) {
  for_pieces(range, inner, [&](size_t o, size_t from, size_t to) {
    for (size_t c = from; c < to; c += kColumns) {
      f(x.data + o * length * inner + c, o * inner + c, std::min(kColumns, to - c));
    }
  });
}

// NaN takes the place of anything, and keeps it.
template <typename T>
NB_INLINE bool smaller(T x, T least) {
  return (x < least) | ((x != x) & (least == least));
}

template <typename T>
void min_run(NumbersIn<T> x, NumbersOut<T> y, Size outer, Size length, Size inner,
             Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  simd([=] {
    for_columns<T>(x, range, length, inner, [&](const T* px, size_t at, size_t width) {
      T least[kColumns];
      std::copy(px, px + width, least);
      for (size_t r = 1; r < length; ++r) {
        const T* row = px + r * inner;
        for (size_t c = 0; c < width; ++c) least[c] = smaller(row[c], least[c]) ? row[c] : least[c];
      }
      std::copy(least, least + width, y.data + at);
    });
  });
}

template <typename T, bool kGreatest>
void place_run(NumbersIn<T> x, IntsOut y, Size outer, Size length, Size inner,
               Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  simd([=] {
    for_columns<T>(x, range, length, inner, [&](const T* px, size_t at, size_t width) {
      T best[kColumns];
      int32_t places[kColumns] = {};
      std::copy(px, px + width, best);
      for (size_t r = 1; r < length; ++r) {
        const T* row = px + r * inner;
        for (size_t c = 0; c < width; ++c) {
          const bool takes = kGreatest ? row[c] > best[c] : row[c] < best[c];
          best[c] = takes ? row[c] : best[c];
          places[c] = takes ? static_cast<int32_t>(r) : places[c];
        }
      }
      std::copy(places, places + width, y.data + at);
    });
  });
}

template <typename T>
void extremes() {
  constexpr auto names = "x y outer length inner";
  kernel<shape_check<NumbersIn<T>, NumbersOut<T>>, min_run<T>>("min", names);
  kernel<shape_check<NumbersIn<T>, IntsOut>, place_run<T, true>>("argmaxInOrder", names);
  kernel<shape_check<NumbersIn<T>, IntsOut>, place_run<T, false>>("argminInOrder", names);
}
const Registration registrations = [] {
  extremes<float>();
  extremes<int32_t>();
  return Registration();
}();

}  // namespace
}  // namespace nb
