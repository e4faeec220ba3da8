// Explicit vectors at one level of vector instructions, for loops whose partial results must stay
// in registers from one step to the next: the auto-vectoriser leaves arrays of them in memory. A
// file of such loops is compiled once for each level: it turns the level's instructions on, opens a
// namespace for it, defines kWidest, how many floats a register holds, and includes this file. So
// there is no include guard.
//
// What is computed in one lane must not depend on the others, so that all levels give the same
// bits.

template <size_t L>
struct Lanes {
  typedef float Floats __attribute__((vector_size(4 * L)));
  typedef int32_t Ints __attribute__((vector_size(4 * L)));
  typedef uint8_t Bytes __attribute__((vector_size(L)));
};
template <>
struct Lanes<1> {
  using Floats = float;
  using Ints = int32_t;
  using Bytes = uint8_t;
};

template <class Vector, typename T>
NB_INLINE Vector load(const T* from) {
  static_assert(sizeof(Vector) % sizeof(T) == 0);
  Vector vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}
template <class Vector, typename T>
NB_INLINE void store(T* to, Vector vector) {
  static_assert(sizeof vector % sizeof(T) == 0);
  std::memcpy(to, &vector, sizeof vector);
}

// Integers that are kept as bytes, or as they are.
template <size_t L>
NB_INLINE typename Lanes<L>::Ints load_ints(const int32_t* from) {
  return load<typename Lanes<L>::Ints>(from);
}
template <size_t L>
NB_INLINE typename Lanes<L>::Ints load_ints(const uint8_t* from) {
  if constexpr (L == 1) {
    return *from;
  } else {
    return __builtin_convertvector(load<typename Lanes<L>::Bytes>(from), typename Lanes<L>::Ints);
  }
}
template <size_t L>
NB_INLINE void store_ints(int32_t* to, typename Lanes<L>::Ints ints) {
  store(to, ints);
}
template <size_t L>
NB_INLINE void store_ints(uint8_t* to, typename Lanes<L>::Ints ints) {
  if constexpr (L == 1) {
    *to = static_cast<uint8_t>(ints);
  } else {
    store(to, __builtin_convertvector(ints, typename Lanes<L>::Bytes));
  }
}

// Calls f(Lanes, i, count) for the `count` elements from i on, in one register that may have idle
// lanes behind them.
template <size_t L, class F>
NB_INLINE void with_idle_lanes(size_t i, size_t count, const F& f) {
  if constexpr (L > 1) {
    if (count <= L / 2) return with_idle_lanes<L / 2>(i, count, f);
  }
  f(Lanes<L>(), i, count);
}

// Calls f(Lanes, i, count) for n elements, `count` of them from i on in each call: whole registers,
// and ever narrower ones for the rest. With room for idle lanes, which lie over less than n
// elements more, the rest is one register and comes first: what its idle lanes write is written
// again.
template <size_t L = kWidest, class F>
NB_INLINE void for_lanes(size_t n, bool has_room, const F& f, size_t i = 0) {
  const size_t rest = n % kWidest;
  if (has_room && L == kWidest && rest > 0) with_idle_lanes<L>(n - rest, rest, f);
  for (; i + L <= n; i += L) f(Lanes<L>(), i, L);
  if constexpr (L > 1) {
    if (!has_room) for_lanes<L / 2>(n, false, f, i);
  }
}
