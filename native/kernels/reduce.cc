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
template <typename Y>
void reduction_check(In x, Y y, Size outer, Size length, Size inner) {
  holds(x, product(outer, length, inner));
  holds(y, product(outer, inner));
}

// Calls f(x, y, width) for every block of columns of the chunk: x at the first of `length` rows
// that are `inner` apart.
template <typename Y, class F>
NB_INLINE void for_columns(In x, Y y, Range range, size_t length, size_t inner, const F& f) {
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
NB_INLINE bool larger(float x, float most) { return (x > most) | ((x != x) & (most == most)); }

NB_INLINE float max_row(const float* x, size_t n) {
  if (n >= kShort) return max_of(n, [=](size_t i) { return x[i]; });
  float most = x[0];
  for (size_t i = 1; i < n; ++i) most = larger(x[i], most) ? x[i] : most;
  return most;
}

void refuse_empty(Size outer, Size length, Size inner) {
  if (length == 0 && outer > 0 && inner > 0) {
    throw KernelFault("length must be at least 1: there is no largest of nothing");
  }
}

void max_check(In x, Out y, Size outer, Size length, Size inner) {
  reduction_check(x, y, outer, length, inner);
  refuse_empty(outer, length, inner);
}
void max_run(In x, Out y, Size outer, Size length, Size inner, Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  simd([=] {
    if (inner == 1) {
      for (size_t o = range.first; o < range.second; ++o) {
        y[o] = max_row(x.data + o * length, length);
      }
      return;
    }
    for_columns(x, y, range, length, inner, [&](const float* px, float* py, size_t width) {
      std::copy(px, px + width, py);
      for (size_t r = 1; r < length; ++r) {
        const float* row = px + r * inner;
        for (size_t c = 0; c < width; ++c) py[c] = larger(row[c], py[c]) ? row[c] : py[c];
      }
    });
  });
}
const Registration max = kernel<max_check, max_run>("max", "x y outer length inner");

NB_INLINE int32_t argmax_row(const float* x, size_t n) {
  const float most = max_row(x, n);
  size_t i = 0;
  while (most == most ? x[i] != most : x[i] == x[i]) ++i;
  return static_cast<int32_t>(i);
}

void argmax_check(In x, IntsOut y, Size outer, Size length, Size inner) {
  reduction_check(x, y, outer, length, inner);
  refuse_empty(outer, length, inner);
  if (length > INT32_MAX) throw KernelFault("length must be below 2^31");
}
void argmax_run(In x, IntsOut y, Size outer, Size length, Size inner, Chunk chunk) noexcept {
  const Range range = chunk.of(outer * inner);
  simd([=] {
    if (inner == 1) {
      for (size_t o = range.first; o < range.second; ++o) {
        y[o] = argmax_row(x.data + o * length, length);
      }
      return;
    }
    for_columns(x, y, range, length, inner, [&](const float* px, int32_t* py, size_t width) {
      float most[kColumns];
      std::copy(px, px + width, most);
      std::fill(py, py + width, 0);
      for (size_t r = 1; r < length; ++r) {
        const float* row = px + r * inner;
        for (size_t c = 0; c < width; ++c) {
          const bool found = larger(row[c], most[c]);
          most[c] = found ? row[c] : most[c];
          py[c] = found ? static_cast<int32_t>(r) : py[c];
        }
      }
    });
  });
}
const Registration argmax = kernel<argmax_check, argmax_run>("argmax", "x y outer length inner");

}  // namespace
}  // namespace nb
