#include "buffers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

namespace nb {
namespace {

constexpr size_t kSlots = size_t{1} << 22;
constexpr size_t kNoSlot = SIZE_MAX;
constexpr uint32_t kLastGeneration = (uint32_t{1} << 31) - 1;  // 22 + 31 bits fit a double
constexpr size_t kAlignment = 64;
constexpr size_t kClasses = 4 * 40;  // up to 2^45 bytes
// Released memory beyond this goes back to the system.
constexpr size_t kPoolLimit = size_t{512} << 20;

// Four classes per power of two: at most a quarter is wasted. Class 0 is 64 bytes.
constexpr size_t class_bytes(uint8_t size_class) {
  const size_t power = size_t{256} << (size_class / 4);
  if (size_class < 4) return kAlignment * (size_class + 1);
  return power / 2 + power / 8 * (size_class % 4 + 1);
}

uint8_t class_of(size_t bytes) {
  if (bytes <= 256) return bytes == 0 ? 0 : static_cast<uint8_t>((bytes - 1) / kAlignment);
  const int log2 = 63 - __builtin_clzll(bytes - 1);  // 2^log2 <= bytes - 1
  const size_t quarter = (bytes - 1 - (size_t{1} << log2)) >> (log2 - 2);
  return static_cast<uint8_t>(4 * (log2 - 7) + quarter);
}

// Blocks of 2 MiB and more are asked for in pages of that size: a batch's rows, which lie all over
// the data set, and large weights then need few entries of the processor's page cache.
void* system_memory(size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr size_t kHugePage = size_t{2} << 20;
  if (bytes >= kHugePage) {
    // Not aligned_alloc, which wants a multiple of the alignment.
    void* data = nullptr;
    if (posix_memalign(&data, kHugePage, bytes) != 0) return nullptr;
    madvise(data, bytes, MADV_HUGEPAGE);  // no matter if it is refused
    return data;
  }
#endif
  return std::aligned_alloc(kAlignment, bytes);
}

size_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_size <= 0) return SIZE_MAX;
  return static_cast<size_t>(pages) * static_cast<size_t>(page_size);
}

}  // namespace

Buffers::Buffers() : slots_(1), pool_(kClasses), limit_(physical_memory()) {}

Buffers::~Buffers() {
  for (size_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].root == slot) std::free(slots_[slot].data);
  }
  trim();
}

double Buffers::allocate(size_t length, DType dtype) {
  size_t bytes;
  // The system may promise memory it does not have and kill the process when it is touched.
  if (__builtin_mul_overflow(length, element_size(dtype), &bytes) || bytes > limit_ ||
      memory_.live > limit_ - bytes) {
    throw std::bad_alloc();
  }
  const size_t slot = free_slot();
  const uint8_t size_class = class_of(bytes);
  void* data = take(size_class);
  free_slots_.pop_back();
  Buffer& buffer = slots_[slot];
  buffer.data = data;
  buffer.length = length;
  buffer.root = static_cast<uint32_t>(slot);
  buffer.dtype = dtype;
  buffer.size_class = size_class;
  memory_.live += class_bytes(size_class);
  if (memory_.live > memory_.peak) memory_.peak = memory_.live;
  ++memory_.buffers;
  return handle_of(slot);
}

double Buffers::view(double handle, size_t offset, size_t length) {
  const size_t whole = slot_of(handle);
  if (whole == kNoSlot) throw std::invalid_argument("the handle is not a buffer in use");
  const size_t most = slots_[whole].length;
  if (offset > most || length > most - offset) {
    throw std::invalid_argument("elements past the end of a buffer of " + std::to_string(most));
  }
  const size_t slot = free_slot();
  free_slots_.pop_back();
  Buffer& buffer = slots_[slot];
  const Buffer& of = slots_[whole];
  buffer.data = static_cast<char*>(of.data) + offset * element_size(of.dtype);
  buffer.length = length;
  buffer.root = of.root;
  buffer.dtype = of.dtype;
  ++slots_[of.root].pins;
  return handle_of(slot);
}

// A slot that is free; it stays the last of the free ones until it is taken.
size_t Buffers::free_slot() {
  if (free_slots_.empty()) {
    if (slots_.size() == kSlots) throw std::bad_alloc();
    slots_.emplace_back();
    free_slots_.push_back(static_cast<uint32_t>(slots_.size() - 1));
  }
  return free_slots_.back();
}

double Buffers::handle_of(size_t slot) const {
  return static_cast<double>(slot) + static_cast<double>(slots_[slot].generation) * kSlots;
}

void* Buffers::take(uint8_t size_class) {
  auto& free = pool_[size_class];
  if (!free.empty()) {
    void* data = free.back();
    free.pop_back();
    memory_.pooled -= class_bytes(size_class);
    return data;
  }
  const size_t bytes = class_bytes(size_class);
  void* data = system_memory(bytes);
  if (data == nullptr) {
    trim();
    data = system_memory(bytes);
  }
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

bool Buffers::release(double handle) {
  const size_t slot = slot_of(handle);
  if (slot == kNoSlot) return false;
  Buffer& buffer = slots_[slot];
  if (buffer.root != slot) {
    free(slot);
    unpin(buffer.root);
  } else if (buffer.pins > 0) {
    buffer.released = true;
  } else {
    give_back(slot);
  }
  return true;
}

void Buffers::give_back(size_t slot) {
  const Buffer& buffer = slots_[slot];
  const size_t bytes = class_bytes(buffer.size_class);
  memory_.live -= bytes;
  --memory_.buffers;
  if (memory_.pooled + bytes > kPoolLimit) {
    std::free(buffer.data);
  } else {
    pool_[buffer.size_class].push_back(buffer.data);
    memory_.pooled += bytes;
  }
  free(slot);
}

void Buffers::free(size_t slot) {
  Buffer& buffer = slots_[slot];
  buffer.data = nullptr;
  buffer.released = false;
  // A slot whose generations are used up is retired: a handle is never given out twice.
  if (buffer.generation++ < kLastGeneration) free_slots_.push_back(static_cast<uint32_t>(slot));
}

uint32_t Buffers::pin(double handle) {
  const size_t slot = slot_of(handle);
  if (slot == kNoSlot) throw std::invalid_argument("the handle is not a buffer in use");
  const uint32_t root = slots_[slot].root;
  ++slots_[root].pins;
  return root;
}

void Buffers::unpin(uint32_t root) {
  Buffer& buffer = slots_[root];
  if (--buffer.pins == 0 && buffer.released) give_back(root);
}

bool Buffers::occupy(const std::vector<Hold>& holds) {
  for (const Hold& hold : holds) {
    if (is_busy(slots_[hold.root], hold.writes)) return false;
  }
  for (const Hold& hold : holds) {
    Buffer& root = slots_[hold.root];
    ++root.pins;
    if (hold.writes) {
      root.written = true;
    } else {
      ++root.readers;
    }
  }
  return true;
}

void Buffers::vacate(const std::vector<Hold>& holds) {
  for (const Hold& hold : holds) {
    Buffer& root = slots_[hold.root];
    if (hold.writes) {
      root.written = false;
    } else {
      --root.readers;
    }
    unpin(hold.root);
  }
}

size_t Buffers::slot_of(double handle) const {
  if (!(handle >= 0 && handle <= kMaxInteger)) return kNoSlot;
  const uint64_t bits = static_cast<uint64_t>(handle);
  const size_t slot = bits % kSlots;
  if (static_cast<double>(bits) != handle || slot >= slots_.size()) return kNoSlot;
  const Buffer& buffer = slots_[slot];
  const bool in_use = buffer.data != nullptr && !buffer.released;
  return in_use && buffer.generation == bits / kSlots ? slot : kNoSlot;
}

const Buffer* Buffers::find(double handle) const {
  const size_t slot = slot_of(handle);
  return slot == kNoSlot ? nullptr : &slots_[slot];
}

void Buffers::trim() {
  for (auto& blocks : pool_) {
    for (void* block : blocks) std::free(block);
    blocks.clear();
  }
  memory_.pooled = 0;
}

}  // namespace nb
