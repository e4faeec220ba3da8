// Room for the copies that a product makes of its operands, kept by each thread.
#pragma once

#include <cstddef>

namespace nb {

// A slice of k that is multiplied before the next one: its rows of a panel, 256 KiB of floats, stay
// in the second-level cache. A multiple of kBlock (product.h).
constexpr size_t kSlice = 1024;

// Rows of op(a) that are copied side by side.
constexpr size_t kGroup = 48;

// Rows whose sums are kept from slice to slice.
constexpr size_t kKeptRows = 20 * kGroup;

template <class T>
struct Workspace {
  static constexpr size_t kRoomForA = size_t{1} << 19;
  static constexpr size_t kRoomForB = kSlice * 64;
  static constexpr size_t kRoomForSums = kKeptRows * 64;

  T* a;
  T* b;
  T* sums;

  // This thread's; null pointers when there is no memory.
  static const Workspace& of_this_thread() noexcept;
};

}  // namespace nb
