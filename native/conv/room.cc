#include "room.h"

#include <cstdlib>
#include <memory>

namespace nb {

char* Room::of_this_thread(size_t bytes) noexcept {
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  static thread_local std::unique_ptr<char, Free> kept;
  static thread_local size_t size = 0;
  if (size < bytes) {
    const size_t pages = (bytes + 4095) / 4096 * 4096;
    kept.reset();
    kept.reset(static_cast<char*>(std::aligned_alloc(64, pages)));
    size = kept ? pages : 0;
  }
  return kept.get();
}

}  // namespace nb
