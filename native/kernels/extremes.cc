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

// What is not float is compiled once alone: that keeps the binary small.
template <typename T, class F>
NB_INLINE void vectorized(const F& compute) {
  if constexpr (std::is_same_v<T, float>) {
    simd(compute);
  } else {
    detail::run_baseline(compute);
  }
}

template <typename T>
void min_run(NumbersIn<T> x, NumbersOut<T> y, Size outer, Size length, Size inner,
             Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  vectorized<T>([=] {
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

// The least of x is the greatest of its complement: -x, and of integers -1 - x, which none is too
// small for.
template <typename T>
NB_INLINE T turned(T x, bool turns) {
  if constexpr (std::is_floating_point_v<T>) {
    return turns ? -x : x;
  } else {
    return turns ? ~x : x;
  }
}

template <typename T>
__attribute__((noinline)) void places_of(NumbersIn<T> x, IntsOut y, Range range, size_t length,
                                         size_t inner, bool turns) {
  vectorized<T>([=] {
    for_columns<T>(x, range, length, inner, [&](const T* px, size_t at, size_t width) {
      T best[kColumns];
      int32_t places[kColumns] = {};
      for (size_t c = 0; c < width; ++c) best[c] = turned(px[c], turns);
      for (size_t r = 1; r < length; ++r) {
        const T* row = px + r * inner;
        for (size_t c = 0; c < width; ++c) {
          const T candidate = turned(row[c], turns);
          const bool takes = candidate > best[c];
          best[c] = takes ? candidate : best[c];
          places[c] = takes ? static_cast<int32_t>(r) : places[c];
        }
      }
      std::copy(places, places + width, y.data + at);
    });
  });
}
template <typename T, bool kLeast>
void place_run(NumbersIn<T> x, IntsOut y, Size outer, Size length, Size inner,
               Chunk chunk) noexcept {
  places_of<T>(x, y, chunk.of(outer * inner), length, inner, kLeast);
}

template <typename T>
void extremes() {
  constexpr auto names = "x y outer length inner";
  kernel<shape_check<NumbersIn<T>, NumbersOut<T>>, min_run<T>>("min", names);
  kernel<shape_check<NumbersIn<T>, IntsOut>, place_run<T, false>>("argmaxInOrder", names);
  kernel<shape_check<NumbersIn<T>, IntsOut>, place_run<T, true>>("argminInOrder", names);
}
const Registration registrations = [] {
  extremes<float>();
  extremes<int32_t>();
  return Registration();
}();

}  // namespace
}  // namespace nb
