// The micro-kernel of the product engine, written once for all vector units.
//
// What a level (avx512.cc, avx2.cc, neon.cc) tells of its vectors; see level.h for where this is
// included.
//
//   struct Level {
//     using T = float;                          // the element
//     typedef T V __attribute__((vector_size(64)));
//     static constexpr size_t kLanes = 16;      // elements of a vector
//     static constexpr size_t kVectors = 4;     // vectors of a wide tile
//     static V all(T x);                        // x in every lane
//     static V fma(V a, V b, V c);              // a·b + c, rounded once
//     static constexpr bool kReadsParts = true; // has loads of the first n elements alone:
//     static Mask first(size_t n);
//     static V load(const T* p, Mask mask);     // zeros for the others, which are not touched
//   };

template <class Level>
using Vector = typename Level::V;

template <class Level>
NB_INLINE Vector<Level> load(const typename Level::T* p) {
  Vector<Level> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <class Level>
NB_INLINE void store(typename Level::T* p, Vector<Level> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// Rows of op(a): element (i, q) lies at a[i·row + q·depth].
template <class T>
struct Rows {
  const T* a;
  size_t row;
  size_t depth;
};

// sums [R, V·kLanes] (+)= rows · b for k rows of b, b_stride elements apart. Every sum is one chain
// of fused multiply-adds in the order of k that begins at zero, and is then added to what was
// there. kTogether: the rows lie side by side (row == 1), which takes the addresses out of
// registers. kPart: of the last vector only `last` elements may be read.
//
// Not inlined: its loop then has all registers, and the assembly can be found and checked.
template <class Level, size_t V, size_t R, bool kTogether, bool kPart>
__attribute__((noinline)) void tile(size_t k, Rows<typename Level::T> rows,
                                    const typename Level::T* b, size_t b_stride, size_t last,
                                    typename Level::T* sums, bool add) {
  using T = typename Level::T;
  Vector<Level> sum[R][V];
#pragma GCC unroll 24
  for (size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (size_t j = 0; j < V; ++j) sum[i][j] = Vector<Level>{};
  const T* a = rows.a;
  const size_t step = kTogether ? 1 : rows.row;
  [[maybe_unused]] const auto mask = Level::first(last);
  for (size_t q = 0; q < k; ++q) {
    Vector<Level> x[V];
#pragma GCC unroll 4
    for (size_t j = 0; j < V - kPart; ++j) x[j] = load<Level>(b + j * Level::kLanes);
    if constexpr (kPart) x[V - 1] = Level::load(b + (V - 1) * Level::kLanes, mask);
#pragma GCC unroll 24
    for (size_t i = 0; i < R; ++i) {
      const Vector<Level> factor = Level::all(a[i * step]);
#pragma GCC unroll 4
      for (size_t j = 0; j < V; ++j) sum[i][j] = Level::fma(factor, x[j], sum[i][j]);
    }
    a += rows.depth;
    b += b_stride;
  }
  constexpr size_t kWidth = V * Level::kLanes;
  if (add) {
#pragma GCC unroll 24
    for (size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
      for (size_t j = 0; j < V; ++j) {
        T* place = sums + i * kWidth + j * Level::kLanes;
        store<Level>(place, load<Level>(place) + sum[i][j]);
      }
  } else {
#pragma GCC unroll 24
    for (size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
      for (size_t j = 0; j < V; ++j) {
        store<Level>(sums + i * kWidth + j * Level::kLanes, sum[i][j]);
      }
  }
}
