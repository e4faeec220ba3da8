// Elements of any dtype as whole numbers of their width, for what moves them without looking at
// them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nb {

// Calls f(E()) for an unsigned integer as wide as an element.
template <class F>
void with_word(size_t element_size, const F& f) {
  switch (element_size) {
    case 1:
      return f(uint8_t());
    case 2:
      return f(uint16_t());
    case 4:
      return f(uint32_t());
    default:
      return f(uint64_t());
  }
}

}  // namespace nb
