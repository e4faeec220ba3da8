// Native memory behind integer handles: a table of generations over a pool of size classes.
//
// One Buffers belongs to one JavaScript environment and is used on its thread only. A handle is
// slot + generation·2^22 in a double; a released slot gets a new generation, so a stale handle is
// refused, never followed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dtype.h"

namespace nb {

constexpr double kMaxInteger = 9007199254740991.0;  // 2^53 - 1

struct Buffer {
  void* data = nullptr;  // 64-byte aligned; nullptr: the slot is free
  size_t length = 0;     // in elements
  DType dtype = DType::float32;
  uint8_t size_class = 0;
  uint32_t generation = 0;
  // Programs that hold the memory, and those of them that are running now.
  uint32_t pins = 0;
  uint32_t busy = 0;
  // Released while it was pinned: the memory goes with the last pin.
  bool released = false;
};

// What a decoder finds buffers in.
class BufferSource {
 public:
  virtual ~BufferSource() = default;
  // nullptr when the number does not name a buffer in use.
  virtual const Buffer* find(double name) const = 0;
};

struct MemoryUse {
  size_t live = 0;
  size_t pooled = 0;
  size_t peak = 0;
  size_t buffers = 0;
};

class Buffers final : public BufferSource {
 public:
  Buffers();
  ~Buffers() override;
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  // Handle of a buffer with undefined content; throws std::bad_alloc.
  double allocate(size_t length, DType dtype);
  // False when the handle is not a buffer in use.
  bool release(double handle);
  // nullptr when the handle is stale, NaN, negative, fractional or was never given out.
  const Buffer* find(double handle) const override;
  // Keeps the memory of a buffer in use although its handle may be released; gives its slot.
  uint32_t pin(double handle);
  void unpin(uint32_t slot);
  // Marks the buffer of a slot as used by a running program, or no longer.
  void occupy(uint32_t slot, bool busy);
  bool is_busy(uint32_t slot) const { return slots_[slot].busy > 0; }
  const MemoryUse& memory() const { return memory_; }

 private:
  size_t slot_of(double handle) const;  // kNoSlot when there is none
  void* take(uint8_t size_class);
  void give_back(size_t slot);
  void trim();

  std::vector<Buffer> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<std::vector<void*>> pool_;  // by size class
  MemoryUse memory_;
  size_t limit_;  // bytes of memory this machine has
};

}  // namespace nb
