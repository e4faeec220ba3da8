// A number of one dtype as another, the same on every machine and in JavaScript.
#pragma once

#include <cmath>

#include "dtype.h"
#include "simd/simd.h"

namespace nb {

// To an integer the fraction is cut off, as in C and NumPy, and what is out of range is taken
// modulo 2^bits, as by JavaScript's typed arrays; NaN and infinities become 0. To a truth value
// everything but zero is true, NaN too; as a number, true is 1.
template <typename To, typename From>
NB_INLINE To convert(From x) {
  if constexpr (std::is_same_v<From, Bool>) {
    return convert<To>(static_cast<uint8_t>(x != Bool{0}));
  } else if constexpr (std::is_same_v<To, Bool>) {
    return static_cast<Bool>(x != From{0});
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    double wide = x;
    // Beyond 2^53 doubles are integers, and the remainder is exact.
    if (!(std::fabs(wide) < 0x1p53)) wide = std::isfinite(wide) ? std::fmod(wide, 0x1p32) : 0;
    return static_cast<To>(static_cast<int64_t>(wide));
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace nb
