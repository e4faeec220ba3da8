// Scratch memory of a thread, which grows and is kept.
#pragma once

#include <cstddef>

namespace nb {

class Room {
 public:
  // Room for so many bytes, and 64 for each of the `parts` that are taken from it.
  Room(size_t bytes, size_t parts) noexcept : next_(of_this_thread(bytes + 64 * parts)) {}

  // Whether there is memory.
  explicit operator bool() const { return next_ != nullptr; }

  // The next n elements, aligned to 64 bytes; undefined.
  template <class T>
  T* take(size_t n) noexcept {
    T* taken = reinterpret_cast<T*>(next_);
    next_ += (n * sizeof(T) + 63) / 64 * 64;
    return taken;
  }

 private:
  static char* of_this_thread(size_t bytes) noexcept;
  char* next_;
};

}  // namespace nb
