// Functions of angles, their inverses, and the hyperbolic ones. They are computed in double by the
// C library, one after the other: rounded to float once, whatever the vector level.
#include <cmath>

#include "broadcast.h"

namespace nb {
namespace {

void check(In x, InPlace<Out> y, Size n) {
  holds(x, n);
  holds(y, n);
}
template <double (*F)(double)>
void run(In x, Out y, Size n, Chunk chunk) noexcept {
  const auto [begin, end] = chunk.of(n);
  for (size_t i = begin; i < end; ++i) y[i] = static_cast<float>(F(static_cast<double>(x[i])));
}
template <double (*F)(double)>
Registration of(const char* name) {
  return kernel<check, run<F>>(name, "x y n");
}

[[maybe_unused]] const Registration registrations[] = {
    of<std::tan>("tan"),     of<std::asin>("asin"),   of<std::acos>("acos"),
    of<std::atan>("atan"),   of<std::sinh>("sinh"),   of<std::cosh>("cosh"),
    of<std::asinh>("asinh"), of<std::acosh>("acosh"), of<std::atanh>("atanh"),
};

float angle(float a, float b) {
  return static_cast<float>(std::atan2(static_cast<double>(a), static_cast<double>(b)));
}
const Registration atan2 = binary<In, Out, angle, false>("atan2");

}  // namespace
}  // namespace nb
