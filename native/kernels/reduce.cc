// Reductions over the middle dimension of x [outer, length, inner].
//
// With inner = 1 a result is the sum or maximum of a row; else neighbouring columns are reduced
// side by side. The order of additions depends on the shape alone, so every chunk count gives the
// same.
#include "simd/reduce.h"

#include <cmath>

#include "columns.h"
#include "rows.h"

namespace nb {
namespace {

// Rows shorter than this are reduced one by one: setting up the lanes of reduce.h costs more.
constexpr size_t kShort = 32;
template <typename X, typename Y>
void reduction_check(X x, Y y, Size outer, Size length, Size inner) {
  holds(x, product(outer, length, inner));
  holds(y, product(outer, inner));
}

// Calls f(x, y, width) for every block of columns of the chunk: x at the first of `length` rows
// that are `inner` apart.
template <typename X, typename Y, class F>
NB_INLINE void for_columns(X x, Y y, Range range, size_t length, size_t inner, const F& f) {
  for_pieces(range, inner, [&](size_t o, size_t from, size_t to) {
    for (size_t c = from; c < to; c += kColumns) {
      f(x.data + o * length * inner + c, y.data + o * inner + c, std::min(kColumns, to - c));
    }
  });
}

NB_INLINE float sum_row(const float* x, size_t n) {
  if (n >= kShort) return sum_of(n, [=](size_t i) { return x[i]; });
  float sum = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}

void sum_check(In x, Out y, Size outer, Size length, Size inner, Float) {
  reduction_check(x, y, outer, length, inner);
}
void sum_run(In x, Out y, Size outer, Size length, Size inner, Float scale, Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  simd([=] {
    if (inner == 1) {
      for (size_t o = range.first; o < range.second; ++o) {
        y[o] = sum_row(x.data + o * length, length) * scale;
      }
    } else {
      for_columns(x, y, range, length, inner, [&](const float* px, float* py, size_t width) {
        sum_columns(length, width, scale, py,
                    [=](size_t r, size_t c) { return px[r * inner + c]; });
      });
    }
  });
}
const Registration sum = kernel<sum_check, sum_run>("sum", "x y outer length inner scale");

// Squares in float64: those of float32 can neither overflow nor vanish there.
NB_INLINE double square(float x) { return static_cast<double>(x) * static_cast<double>(x); }

// Lane l takes the elements l, l + 32, ...; then the lanes are added as a tree.
NB_INLINE float norm_row(const float* x, size_t n) {
  constexpr size_t kLanes = 32;
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) lanes[l] += square(x[i + l]);
  }
  for (size_t l = 0; i + l < n; ++l) lanes[l] += square(x[i + l]);
  for (size_t width = kLanes / 2; width > 0; width /= 2) {
    for (size_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  return static_cast<float>(std::sqrt(lanes[0]));
}

void norm_check(In x, Out y, Size outer, Size length, Size inner) {
  reduction_check(x, y, outer, length, inner);
}
void norm_run(In x, Out y, Size outer, Size length, Size inner, Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  simd([=] {
    if (inner == 1) {
      for (size_t o = range.first; o < range.second; ++o) {
        y[o] = norm_row(x.data + o * length, length);
      }
      return;
    }
    for_columns(x, y, range, length, inner, [&](const float* px, float* py, size_t width) {
      double total[kColumns];
      std::fill(total, total + width, 0.0);
      for (size_t r = 0; r < length; ++r) {
        for (size_t c = 0; c < width; ++c) total[c] += square(px[r * inner + c]);
      }
      for (size_t c = 0; c < width; ++c) py[c] = static_cast<float>(std::sqrt(total[c]));
    });
  });
}
const Registration norm = kernel<norm_check, norm_run>("norm", "x y outer length inner");

// Whether x takes the place of the largest so far; NaN does, and keeps it.
template <typename T>
NB_INLINE bool larger(T x, T most) {
  return (x > most) | ((x != x) & (most == most));
}

template <typename T>
NB_INLINE T max_row(const T* x, size_t n) {
  if constexpr (std::is_floating_point_v<T>) {
    if (n >= kShort) return max_of(n, [=](size_t i) { return x[i]; });
  }
  T most = x[0];
  for (size_t i = 1; i < n; ++i) most = larger(x[i], most) ? x[i] : most;
  return most;
}

void refuse_empty(Size outer, Size length, Size inner) {
  if (length == 0 && outer > 0 && inner > 0) {
    throw KernelFault("length must be at least 1: there is no largest of nothing");
  }
}

template <typename T>
void max_check(NumbersIn<T> x, NumbersOut<T> y, Size outer, Size length, Size inner) {
  reduction_check(x, y, outer, length, inner);
  refuse_empty(outer, length, inner);
}
template <typename T>
void max_run(NumbersIn<T> x, NumbersOut<T> y, Size outer, Size length, Size inner,
             Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  simd([=] {
    if (inner == 1) {
      for (size_t o = range.first; o < range.second; ++o) {
        y[o] = max_row(x.data + o * length, length);
      }
      return;
    }
    for_columns(x, y, range, length, inner, [&](const T* px, T* py, size_t width) {
      std::copy(px, px + width, py);
      for (size_t r = 1; r < length; ++r) {
        const T* row = px + r * inner;
        for (size_t c = 0; c < width; ++c) py[c] = larger(row[c], py[c]) ? row[c] : py[c];
      }
    });
  });
}

template <typename T>
NB_INLINE int32_t argmax_row(const T* x, size_t n) {
  const T most = max_row(x, n);
  size_t i = 0;
  while (most == most ? x[i] != most : x[i] == x[i]) ++i;
  return static_cast<int32_t>(i);
}

template <typename T>
void argmax_check(NumbersIn<T> x, IntsOut y, Size outer, Size length, Size inner) {
  reduction_check(x, y, outer, length, inner);
  refuse_empty(outer, length, inner);
  if (length > INT32_MAX) throw KernelFault("length must be below 2^31");
}
template <typename T>
void argmax_run(NumbersIn<T> x, IntsOut y, Size outer, Size length, Size inner,
                Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  simd([=] {
    if (inner == 1) {
      for (size_t o = range.first; o < range.second; ++o) {
        y[o] = argmax_row(x.data + o * length, length);
      }
      return;
    }
    for_columns(x, y, range, length, inner, [&](const T* px, int32_t* py, size_t width) {
      T most[kColumns];
      std::copy(px, px + width, most);
      std::fill(py, py + width, 0);
      for (size_t r = 1; r < length; ++r) {
        const T* row = px + r * inner;
        for (size_t c = 0; c < width; ++c) {
          const bool found = larger(row[c], most[c]);
          most[c] = found ? row[c] : most[c];
          py[c] = found ? static_cast<int32_t>(r) : py[c];
        }
      }
    });
  });
}

template <typename T>
void largest() {
  kernel<max_check<T>, max_run<T>>("max", "x y outer length inner");
  kernel<argmax_check<T>, argmax_run<T>>("argmax", "x y outer length inner");
}
const Registration largests = [] {
  largest<float>();
  largest<int32_t>();
  return Registration();
}();

// Of integers, which wrap around beyond their range.
void sum_int32_check(Ints x, IntsOut y, Size outer, Size length, Size inner) {
  reduction_check(x, y, outer, length, inner);
}
void sum_int32_run(Ints x, IntsOut y, Size outer, Size length, Size inner, Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  if (range.first == range.second) return;
  simd([=] {
    if (inner == 1) {
      for (size_t o = range.first; o < range.second; ++o) {
        uint32_t total = 0;
        for (size_t i = 0; i < length; ++i) total += static_cast<uint32_t>(x[o * length + i]);
        y[o] = static_cast<int32_t>(total);
      }
      return;
    }
    for_columns(x, y, range, length, inner, [&](const int32_t* px, int32_t* py, size_t width) {
      uint32_t total[kColumns] = {};
      for (size_t r = 0; r < length; ++r) {
        for (size_t c = 0; c < width; ++c) total[c] += static_cast<uint32_t>(px[r * inner + c]);
      }
      for (size_t c = 0; c < width; ++c) py[c] = static_cast<int32_t>(total[c]);
    });
  });
}
const Registration sum_int32 =
    kernel<sum_int32_check, sum_int32_run>("sumInt32", "x y outer length inner");

}  // namespace
}  // namespace nb
