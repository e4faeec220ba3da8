// Binary elementwise kernels over three levels of broadcasting; see `binary` in
// backend/kernels/elementwise.ts.
#pragma once

#include "rows.h"

namespace nb {

// The walk over n[0] × n[1] × n[2] elements with the operands' steps in each, 0 where an operand is
// repeated. The innermost steps are 0 or 1.
struct Broadcast {
  size_t n[3] = {1, 1, 1};
  size_t a[3] = {};
  size_t b[3] = {};
};

// Dimensions of 1 go, and neighbours that both operands treat alike become one, so that the inner
// loop is as long as it can be.
inline Broadcast collapse(const size_t (&n)[3], size_t a_mask, size_t b_mask) {
  Broadcast result;
  size_t level = 3, a_size = 1, b_size = 1;
  bool a_before = false, b_before = false;
  for (size_t i = 3; i-- > 0;) {
    if (n[i] == 1) continue;
    const bool in_a = a_mask >> i & 1, in_b = b_mask >> i & 1;
    if (level < 3 && in_a == a_before && in_b == b_before) {
      result.n[level] *= n[i];
    } else {
      result.n[--level] = n[i];
      result.a[level] = in_a ? a_size : 0;
      result.b[level] = in_b ? b_size : 0;
    }
    if (in_a) a_size *= n[i];
    if (in_b) b_size *= n[i];
    a_before = in_a;
    b_before = in_b;
  }
  return result;
}

// One operand: its extent, and that it is not the result when elements of it are read repeatedly.
template <typename A, typename Y>
void broadcast_operand(const A& operand, const Y& y, const size_t (&n)[3], size_t mask) {
  size_t extent = 1;
  bool repeated = false;
  for (size_t i = 0; i < 3; ++i) {
    if (mask >> i & 1) {
      extent = product(extent, n[i]);
    } else if (n[i] != 1) {
      repeated = true;
    }
  }
  holds(operand, extent);
  if (repeated) distinct(y, operand);
}

// A and Y are types of spans.
template <typename A, typename Y>
void binary_check(A a, A b, InPlace<Y> y, Size n0, Size n1, Size n2, Size a_mask, Size b_mask) {
  for (size_t mask : {a_mask, b_mask}) {
    if (mask > 7) throw KernelFault("a mask must be from 0 to 7, got " + std::to_string(mask));
  }
  holds(y, product(n0, n1, n2));
  broadcast_operand(a, y, {n0, n1, n2}, a_mask);
  broadcast_operand(b, y, {n0, n1, n2}, b_mask);
}

// One row; a loop per combination of steps, because only those of a fixed step are vectorised.
template <auto F, typename T, typename R>
NB_INLINE void binary_row(const T* a, const T* b, R* y, size_t n, bool a_moves, bool b_moves) {
  if (a_moves && b_moves) {
    for (size_t i = 0; i < n; ++i) y[i] = F(a[i], b[i]);
  } else if (a_moves) {
    const T constant = *b;
    for (size_t i = 0; i < n; ++i) y[i] = F(a[i], constant);
  } else if (b_moves) {
    const T constant = *a;
    for (size_t i = 0; i < n; ++i) y[i] = F(constant, b[i]);
  } else {
    std::fill_n(y, n, F(*a, *b));
  }
}

// Wide: in vectors, which a call of the C library in each element keeps it from.
template <typename A, typename Y, auto F, bool kWide = true>
void binary_run(A a, A b, Y y, Size n0, Size n1, Size n2, Size a_mask, Size b_mask,
                Chunk chunk) noexcept {
  const Broadcast w = collapse({n0, n1, n2}, a_mask, b_mask);
  const Range range = chunk.of(n0 * n1 * n2);
  const auto compute = [=] {
    for_pieces(range, w.n[2], [&](size_t row, size_t from, size_t to) {
      const size_t i0 = row / w.n[1], i1 = row % w.n[1];
      binary_row<F>(a.data + i0 * w.a[0] + i1 * w.a[1] + from * w.a[2],
                    b.data + i0 * w.b[0] + i1 * w.b[1] + from * w.b[2],
                    y.data + row * w.n[2] + from, to - from, w.a[2] != 0, w.b[2] != 0);
    });
  };
  // What is not float is compiled once alone: that keeps the binary small.
  if constexpr (kWide && std::is_same_v<std::remove_cv_t<typename A::Element>, float>) {
    simd(compute);
  } else {
    detail::run_baseline(compute);
  }
}

template <typename A, typename Y, auto F, bool kWide = true>
Registration binary(const char* name) {
  return kernel<binary_check<A, Y>, binary_run<A, Y, F, kWide>>(name, "a b y n0 n1 n2 aMask bMask");
}

}  // namespace nb
