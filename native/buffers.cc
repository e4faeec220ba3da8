#include "buffers.h"

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "gemm/panels.h"

namespace nb {
namespace {

constexpr size_t kSlots = size_t{1} << 22;
constexpr size_t kNoSlot = SIZE_MAX;
constexpr uint32_t kLastGeneration = (uint32_t{1} << 31) - 1;  // 22 + 31 bits fit a double
constexpr size_t kAlignment = 64;
constexpr size_t kClasses = 4 * 40;
constexpr size_t kMostBytes = size_t{1} << 45;

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

}  // namespace

Buffers::Buffers(Available available)
    : slots_(1), contents_(1), pool_(kClasses), available_(std::move(available)) {}

Buffers::~Buffers() {
  for (size_t slot = 0; slot < slots_.size(); ++slot) {
    const Buffer& buffer = slots_[slot];
    if (buffer.root == slot && buffer.data != nullptr) {
      give_memory(buffer.data, class_bytes(buffer.size_class));
    }
  }
  trim(0);
}

double Buffers::allocate(size_t length, DType dtype) {
  size_t bytes;
  if (__builtin_mul_overflow(length, element_size(dtype), &bytes) || bytes > kMostBytes) {
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
  buffer.contents = &contents_[slot];
  buffer.contents->data = data;
  buffer.contents->length = length;
  buffer.contents->forget();
  buffer.contents->panels = {};
  buffer.contents->in_panels.store(false, std::memory_order_relaxed);
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
  buffer.contents = of.contents;
  ++slots_[of.root].pins;
  return handle_of(slot);
}

// A slot that is free; it stays the last of the free ones until it is taken.
size_t Buffers::free_slot() {
  if (free_slots_.empty()) {
    if (slots_.size() == kSlots) throw std::bad_alloc();
    contents_.emplace_back();
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
  void* data = take_memory(bytes, available_);
  if (data == nullptr && trim(0) > 0) data = take_memory(bytes, available_);
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
  if (memory_.pooled + bytes > pool_limit()) {
    give_memory(buffer.data, bytes);
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
  buffer.owner = 0;
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

void Buffers::bring_into_rows(const Buffer& buffer) const {
  if (!lay_out(*buffer.contents, {})) throw std::bad_alloc();
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

Buffer* Buffers::find_own(double handle) {
  const size_t slot = slot_of(handle);
  return slot == kNoSlot ? nullptr : &slots_[slot];
}

size_t Buffers::bytes_of(const Buffer& buffer) const {
  const bool is_root = &slots_[buffer.root] == &buffer;
  return is_root ? class_bytes(buffer.size_class) : 0;
}

size_t Buffers::trim(size_t most) {
  const size_t before = memory_.pooled;
  // The largest first: the fewest are to be made anew.
  for (size_t size_class = kClasses; size_class-- > 0 && memory_.pooled > most;) {
    auto& blocks = pool_[size_class];
    const size_t bytes = class_bytes(static_cast<uint8_t>(size_class));
    for (; !blocks.empty() && memory_.pooled > most; blocks.pop_back()) {
      give_memory(blocks.back(), bytes);
      memory_.pooled -= bytes;
    }
  }
  if (memory_.pooled < before) flush_memory();
  return before - memory_.pooled;
}

}  // namespace nb
