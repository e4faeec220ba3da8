// The element types of buffers, in one table. A row's position is the dtype's code, as in
// src/backend/dtype.ts; the two tables are compared when the addon is loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace nb {

// A truth value as a buffer holds it: false where the byte is 0. Not C++'s own, of which only the
// bytes 0 and 1 are valid.
enum class Bool : uint8_t {};

// row(identifier, name, C++ type, which of JavaScript's typed arrays)
#define NB_DTYPES(row)                                                             \
  row(float32, "float32", float, float32) row(float64, "float64", double, float64) \
      row(int32, "int32", int32_t, int32) row(uint8, "uint8", uint8_t, uint8)      \
          row(boolean, "bool", Bool, uint8)

enum class DType : uint8_t {
#define NB_ROW(identifier, name, Type, array) identifier,
  NB_DTYPES(NB_ROW)
#undef NB_ROW
};

struct DTypeFacts {
  const char* name;
  size_t bytes;
  bool is_float;
};

constexpr DTypeFacts kDTypes[] = {
#define NB_ROW(identifier, name, Type, array) {name, sizeof(Type), std::is_floating_point_v<Type>},
    NB_DTYPES(NB_ROW)
#undef NB_ROW
};
constexpr size_t kDTypeCount = sizeof kDTypes / sizeof kDTypes[0];

constexpr const DTypeFacts& facts(DType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }
constexpr size_t element_size(DType dtype) { return facts(dtype).bytes; }
constexpr const char* dtype_name(DType dtype) { return facts(dtype).name; }

// The dtype whose elements are of this C++ type.
template <typename T>
constexpr DType dtype_of();
#define NB_ROW(identifier, name, Type, array) \
  template <>                                 \
  constexpr DType dtype_of<Type>() {          \
    return DType::identifier;                 \
  }
NB_DTYPES(NB_ROW)
#undef NB_ROW

// Calls f(T()) for the C++ type of every dtype.
template <class F>
void for_dtypes(const F& f) {
#define NB_ROW(identifier, name, Type, array) f(Type());
  NB_DTYPES(NB_ROW)
#undef NB_ROW
}

}  // namespace nb
