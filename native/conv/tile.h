// The micro-kernel of convolutions, written once for all vector units. Included by a level's file
// in an unnamed namespace, as gemm/tile.h is, where a Level is described; no include guard.

// What a tile needs of its task, in single words.
struct ConvTile {
  const ConvTask& task;
  size_t col;   // the first one
  size_t part;  // elements of the last vector, where not all of it exists
};

// What tells a Level which elements of a vector exist.
template <class Level>
using Part = decltype(Level::first(0));

template <class Level>
NB_INLINE typename Level::V load_part(const float* p, Part<Level> part) {
  if constexpr (Level::kReadsParts) {
    return Level::load(p, part);
  } else {
    float copy[Level::kLanes] = {};
    for (size_t i = 0; i < part; ++i) copy[i] = p[i];
    return Level::load(copy);
  }
}

// A row of V vectors, of the last one a part.
template <class Level, size_t V, bool kPart>
NB_INLINE void load_row(const float* p, Part<Level> part, typename Level::V (&x)[V]) {
#pragma GCC unroll 4
  for (size_t j = 0; j < V - kPart; ++j) x[j] = Level::load(p + j * Level::kLanes);
  if constexpr (kPart) x[V - 1] = load_part<Level>(p + (V - 1) * Level::kLanes, part);
}

// The same, for n elements of the last one.
template <class Level, size_t V, bool kPart>
NB_INLINE void store_row(float* p, size_t n, const typename Level::V (&x)[V]) {
#pragma GCC unroll 4
  for (size_t j = 0; j < V - kPart; ++j) Level::store(p + j * Level::kLanes, x[j]);
  if constexpr (kPart) {
    float* last = p + (V - 1) * Level::kLanes;
    if constexpr (Level::kWritesParts) {
      Level::store(last, x[V - 1], Level::first(n));
    } else {
      float copy[Level::kLanes];
      Level::store(copy, x[V - 1]);
      for (size_t i = 0; i < n; ++i) last[i] = copy[i];
    }
  }
}

// Adds U products to each sum: of rows at an offset, and U rows of b.
template <class Level, size_t U, size_t V, size_t R, bool kByLane, bool kPart>
NB_INLINE void add_products(typename Level::V (&sum)[R][V], const float* const* rows, ptrdiff_t at,
                            size_t step, const float* b, size_t b_stride, Part<Level> part) {
  typename Level::V x[U][V];
#pragma GCC unroll 4
  for (size_t u = 0; u < U; ++u) load_row<Level, V, kPart>(b + u * b_stride, part, x[u]);
#pragma GCC unroll 24
  for (size_t i = 0; i < R; ++i) {
    const float* a = rows[i] + at;
#pragma GCC unroll 4
    for (size_t u = 0; u < U; ++u) {
      typename Level::V factor;
      if constexpr (!kByLane) {
        factor = Level::all(a[u * step]);
      } else if constexpr (kPart) {
        factor = load_part<Level>(a + u * step, part);
      } else {
        factor = Level::load(a + u * step);
      }
#pragma GCC unroll 4
      for (size_t j = 0; j < V; ++j) sum[i][j] = Level::fma(factor, x[u][j], sum[i][j]);
    }
  }
}

// Sums of R rows times V vectors of columns, of which the first `count` rows are stored. A pointer
// to a row that does not fit in a register serves U products.
//
// Not inlined: its loop then has all registers.
template <class Level, size_t V, size_t R, bool kGradient, bool kByLane, bool kPart>
__attribute__((noinline)) void conv_tile(const ConvTile& tile, Live live, const float* const* rows,
                                         float* const* to, size_t count) {
  using Vector = typename Level::V;
  // With 16 registers, a mask leaves no room for a second row of b.
  constexpr bool kOne = R <= 8 || (kByLane && !kGradient) || (kPart && Level::kVectors == 2);
  constexpr size_t U = kOne ? 1 : V == 1 && R == 24 ? 4 : 2;
  const ConvTask& task = tile.task;
  const size_t run = task.run, b_stride = task.b_stride, step = kGradient ? task.step : 1;
  const float* begin = task.b + tile.col;
  const ptrdiff_t* a_offsets = task.a_offsets;
  const size_t* b_offsets = task.b_offsets;
  [[maybe_unused]] const auto part = Level::first(tile.part);
  Vector sum[R][V];
#pragma GCC unroll 24
  for (size_t i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (size_t j = 0; j < V; ++j) sum[i][j] = Vector{};
  for (size_t t = live.first; t < live.last; ++t) {
    const float* b = begin + b_offsets[t];
    ptrdiff_t at = a_offsets[t];
    size_t left = run;
    for (; left >= U; left -= U) {
      add_products<Level, U, V, R, kByLane, kPart>(sum, rows, at, step, b, b_stride, part);
      at += static_cast<ptrdiff_t>(U * step);
      b += U * b_stride;
    }
    if constexpr (U > 1) {
      for (; left > 0; --left) {
        add_products<Level, 1, V, R, kByLane, kPart>(sum, rows, at, step, b, b_stride, part);
        at += static_cast<ptrdiff_t>(step);
        b += b_stride;
      }
    }
  }
  if constexpr (kGradient) {
    const bool adds = task.adds;
#pragma GCC unroll 24
    for (size_t i = 0; i < R; ++i) {
      if (i >= count) break;
      if (adds) {
        Vector before[V];
        load_row<Level, V, kPart>(to[i], part, before);
#pragma GCC unroll 4
        for (size_t j = 0; j < V; ++j) sum[i][j] = before[j] + sum[i][j];
      }
      store_row<Level, V, kPart>(to[i], tile.part, sum[i]);
    }
  } else {
    // -0 leaves every sum as it is.
    Vector bias[V];
#pragma GCC unroll 4
    for (size_t j = 0; j < V; ++j) bias[j] = Level::all(-0.0f);
    if (task.bias != nullptr) load_row<Level, V, kPart>(task.bias + tile.col, part, bias);
    const Vector floor = Level::all(task.floor);
#pragma GCC unroll 24
    for (size_t i = 0; i < R; ++i) {
      if (i >= count) break;
#pragma GCC unroll 4
      for (size_t j = 0; j < V; ++j) {
        const Vector v = sum[i][j] + bias[j];
        sum[i][j] = floor > v ? floor : v;  // NaN stays
      }
      store_row<Level, V, kPart>(to[i], tile.part, sum[i]);
    }
  }
}
