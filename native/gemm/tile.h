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
//     static V load(const T* p);
//     static void store(T* p, V v);
//     static V fma(V a, V b, V c);              // a·b + c, rounded once
//     static constexpr bool kReadsParts = true; // has loads of the first n elements alone:
//     static Mask first(size_t n);
//     static V load(const T* p, Mask mask);     // zeros for the others, which are not touched
//   };

template <class Level>
using Vector = typename Level::V;

// For sums that go to memory.
struct NoEpilogue {};

// Sums of R rows of op(a) times V vectors of b, over k of each. The rows of op(a) lie a_stride
// elements apart or, kTogether, side by side, what follows in a row a_stride elements on; the rows
// of b lie b_stride elements apart. Every sum is one chain of fused multiply-adds in the order of k
// that begins at zero. It is added to what lies in `sums` [R, V·kLanes], where there is something
// (`add`), and stored there or handed to the epilogue, as that of the elements from (row, col) on.
//
// kPart: of the last vector only `last` elements may be read.
//
// Not inlined: its loop then has all registers, and the assembly can be found and checked. Its
// arguments are single words, because a struct that was just made is copied in vectors, which wait
// for its stores: 50 ns a tile.
template <class Level, size_t V, size_t R, bool kTogether, bool kPart, class Epilogue>
__attribute__((noinline)) void tile(size_t k, const typename Level::T* a, size_t a_stride,
                                    const typename Level::T* b, size_t b_stride, size_t last,
                                    typename Level::T* sums, bool add, const Epilogue* given,
                                    size_t row, size_t col) {
  Vector<Level> sum[R][V];
#pragma GCC unroll 24
  for (size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (size_t j = 0; j < V; ++j) sum[i][j] = Vector<Level>{};
  const size_t to_row = kTogether ? 1 : a_stride, to_next = kTogether ? a_stride : 1;
  [[maybe_unused]] const auto mask = Level::first(last);
  for (size_t q = 0; q < k; ++q) {
    Vector<Level> x[V];
#pragma GCC unroll 4
    for (size_t j = 0; j < V - kPart; ++j) x[j] = Level::load(b + j * Level::kLanes);
    if constexpr (kPart) x[V - 1] = Level::load(b + (V - 1) * Level::kLanes, mask);
#pragma GCC unroll 24
    for (size_t i = 0; i < R; ++i) {
      const Vector<Level> factor = Level::all(a[i * to_row]);
#pragma GCC unroll 4
      for (size_t j = 0; j < V; ++j) sum[i][j] = Level::fma(factor, x[j], sum[i][j]);
    }
    a += to_next;
    b += b_stride;
  }
  constexpr size_t kWidth = V * Level::kLanes;
  if (add) {
#pragma GCC unroll 24
    for (size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
      for (size_t j = 0; j < V; ++j) {
        sum[i][j] = Level::load(sums + i * kWidth + j * Level::kLanes) + sum[i][j];
      }
  }
  if constexpr (std::is_same_v<Epilogue, NoEpilogue>) {
#pragma GCC unroll 24
    for (size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
      for (size_t j = 0; j < V; ++j) {
        Level::store(sums + i * kWidth + j * Level::kLanes, sum[i][j]);
      }
  } else {
    // Hidden from the compiler, which else keeps fields of it in the loop's registers.
    asm volatile("" : "+r"(given) : : "memory");
    const Epilogue epilogue = *given;
#pragma GCC unroll 24
    for (size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
      for (size_t j = 0; j < V; ++j) {
        epilogue.vector(sum[i][j], row + i, col + j * Level::kLanes);
      }
  }
}
