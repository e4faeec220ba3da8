// The order of elements along the middle one of three dimensions.
//
// Keys are unsigned numbers in the order of the elements, NaN above all; with the position below
// them every number is different, so that equal elements stay in their order whatever the
// algorithm.
#include <cmath>
#include <cstring>

#include "rows.h"

namespace nb {
namespace {

NB_INLINE uint32_t key_of(int32_t x) { return static_cast<uint32_t>(x) ^ 0x80000000u; }
NB_INLINE uint32_t key_of(float x) {
  const float number = x + 0.0f;  // -0 is 0
  uint32_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  const uint32_t key = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return x != x ? 0xFFFFFFFFu : key;
}

using Keys = Span<double, Use::scratch>;

template <typename T>
void argsort_check(InOf<T> x, IntsOut indices, Keys keys, Size outer, Size length, Size inner,
                   Size count, Size descending) {
  const size_t size = product(outer, length, inner);
  holds(x, size);
  holds(indices, product(outer, count, inner));
  holds(keys, size);
  flag("descending", descending);
  if (count > length) throw KernelFault("count must be at most length");
  if (length > INT32_MAX) throw KernelFault("length must be below 2^31");
}

template <typename T>
void argsort_run(InOf<T> x, IntsOut indices, Keys keys, Size outer, Size length, Size inner,
                 Size count, Size descending, Chunk chunk) noexcept {
  if (count == 0) return;
  const uint32_t turned = descending != 0 ? 0xFFFFFFFFu : 0;
  const Range range = chunk.of(outer * inner, 1);
  for (size_t line = range.first; line < range.second; ++line) {
    const size_t o = line / inner;
    const size_t i = line % inner;
    const T* source = x.data + o * length * inner + i;
    // As wide as a double; nothing else is ever in there.
    uint64_t* const first = reinterpret_cast<uint64_t*>(keys.data) + line * length;
    simd([=] {
      for (size_t j = 0; j < length; ++j) {
        first[j] = uint64_t{key_of(source[j * inner]) ^ turned} << 32 | j;
      }
    });
    uint64_t* const wanted = first + count;
    uint64_t* const last = first + length;
    // Few of many are kept apart while all go by; else those that are not wanted are left unsorted.
    if (count * 64 <= length) {
      std::partial_sort(first, wanted, last);
    } else {
      if (wanted != last) std::nth_element(first, wanted, last);
      std::sort(first, wanted);
    }
    int32_t* target = indices.data + o * count * inner + i;
    for (size_t j = 0; j < count; ++j) target[j * inner] = static_cast<int32_t>(first[j]);
  }
}

template <typename T>
Registration argsort_of() {
  return kernel<argsort_check<T>, argsort_run<T>>(
      "argsort", "x indices keys outer length inner count descending");
}
const Registration argsort_floats = argsort_of<float>();
const Registration argsort_ints = argsort_of<int32_t>();

}  // namespace
}  // namespace nb
