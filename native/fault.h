// What a kernel found wrong while it computed, in words; made and passed on without allocating.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace nb {

class Fault {
 public:
  Fault() noexcept { text_[0] = '\0'; }
  Fault(const Fault& other) noexcept { *this = other; }
  Fault& operator=(const Fault& other) noexcept {
    std::memmove(text_, other.text_, std::strlen(other.text_) + 1);
    return *this;
  }

  // As printf; what is too long is cut off.
#if defined(__GNUC__)
  __attribute__((format(printf, 1, 2)))
#endif
  static Fault
  of(const char* format, ...) noexcept {
    Fault fault;
    va_list values;
    va_start(values, format);
    std::vsnprintf(fault.text_, sizeof fault.text_, format, values);
    va_end(values);
    return fault;
  }

  // Whether anything is wrong.
  explicit operator bool() const { return text_[0] != '\0'; }
  // The error message as it goes on after the kernel's name.
  const char* text() const { return text_; }

 private:
  char text_[160];
};

}  // namespace nb
