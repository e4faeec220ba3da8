// Whether the elements of an operand are known to be finite, so that the rows that meet a zero may
// be left out: zero times infinity or NaN is NaN, which must show.
#pragma once

#include "kernel.h"

namespace nb {

// Knowing takes a pass over the operand, so it is not asked for of what changes from call to call.
inline bool knows_finite(In x, size_t n, Chunk chunk) {
  Contents* contents = x.contents;
  if (contents == nullptr || contents->data != x.data || contents->length != n) return false;
  switch (contents->state.load(std::memory_order_relaxed)) {
    case Contents::finite:
      return true;
    case Contents::not_finite:
      return false;
    case Contents::changed:
      contents->state.store(Contents::seen, std::memory_order_relaxed);
      return false;
    case Contents::seen:
      break;
  }
  // The other chunks take the dense way meanwhile, which gives the same bits.
  if (chunk.index > 0) return false;
  const float* data = x.data;
  const bool finite = simd([=] {
    int any = 0;
    for (size_t i = 0; i < n; ++i) any |= !(data[i] - data[i] == 0);
    return any == 0;
  });
  contents->state.store(finite ? Contents::finite : Contents::not_finite,
                        std::memory_order_relaxed);
  return finite;
}

}  // namespace nb
