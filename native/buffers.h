// Native memory behind integer handles: a table of generations over a pool of size classes.
//
// One Buffers belongs to one JavaScript environment and is used on its thread only. A handle is
// slot + generation·2^22 in a double, from 1 on; a released slot gets a new generation, so a stale
// handle is refused, never followed. A view is a handle of its own for part of another buffer, its
// root, whose memory stays for as long as the view.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "dtype.h"
#include "system_memory.h"

namespace nb {

constexpr double kMaxInteger = 9007199254740991.0;  // 2^53 - 1

// What is known of the elements of a root: whether all are finite, and in which order they lie. Who
// writes any of them forgets the former (kernel.h, napi/memory.cc, run_queue.cc); who could make
// use of it finds out (gemm/finite.h).
struct Contents {
  // Weights [rows, cols] that a program left in panels (gemm/panels.h); all else is in rows, with
  // no columns here.
  struct Panels {
    size_t rows = 0, cols = 0;
    bool operator==(const Panels& other) const { return rows == other.rows && cols == other.cols; }
    bool operator!=(const Panels& other) const { return !(*this == other); }
  };

  enum State : uint8_t { changed, seen, finite, not_finite };
  void* data = nullptr;
  size_t length = 0;
  std::atomic<State> state{changed};
  // Read and changed by lay_out() alone, on whichever thread needs another order first.
  Panels panels;
  // Whether they lie in panels, for who only wants them not to.
  std::atomic<bool> in_panels{false};

  void forget() { state.store(changed, std::memory_order_relaxed); }
};

struct Buffer {
  void* data = nullptr;  // 64-byte aligned unless it is a view; nullptr: the slot is free
  size_t length = 0;     // in elements
  // The slot whose memory it is: its own or, for a view, that of its root.
  uint32_t root = 0;
  uint32_t generation = 0;
  DType dtype = DType::float32;
  // Of the root; nullptr where nothing is ever known, as of what lives inside a program.
  Contents* contents = nullptr;
  // The entry of the JavaScript object that it is released with (napi/owners.h); 0: none.
  uint32_t owner = 0;

  // The rest is of a root alone.
  uint8_t size_class = 0;
  // Released while it was pinned: the memory goes with the last pin.
  bool released = false;
  // Whether a running program writes it, and how many only read it.
  bool written = false;
  uint32_t readers = 0;
  // Programs and views that need the memory.
  uint32_t pins = 0;
};

// What a kernel's arguments are looked up in.
class BufferSource {
 public:
  virtual ~BufferSource() = default;
  // nullptr when the number does not name a buffer in use.
  virtual const Buffer* find(double name) const = 0;
  // Whether a running program uses the memory in a way that excludes this use.
  virtual bool is_busy(const Buffer& buffer, bool writes) const = 0;
  // Brings what lies in panels into rows, for who is about to use it; throws std::bad_alloc.
  virtual void bring_into_rows(const Buffer& buffer) const = 0;
};

// How a running program uses the memory of a root, and the panels that it wants it in.
struct Hold {
  uint32_t root;
  bool writes;
  Contents::Panels panels = {};
};

struct MemoryUse {
  size_t live = 0;
  size_t pooled = 0;
  size_t peak = 0;
  size_t buffers = 0;
};

class Buffers final : public BufferSource {
 public:
  explicit Buffers(Available available = physical_memory);
  ~Buffers() override;
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  // Handle of a buffer with undefined content; throws std::bad_alloc.
  double allocate(size_t length, DType dtype);
  // Handle of `length` elements of a buffer from `offset` on. Throws std::invalid_argument where
  // there is no such buffer or it is shorter, std::bad_alloc.
  double view(double handle, size_t offset, size_t length);
  // False when the handle is not a buffer in use.
  bool release(double handle);
  // nullptr when the handle is stale, NaN, negative, fractional or was never given out.
  const Buffer* find(double handle) const override;
  // Keeps the memory of a buffer, although its handle may be released; gives its root.
  uint32_t pin(double handle);
  void unpin(uint32_t root);
  // Marks memory, each root once, as used by a running program, which also pins it: all of it or,
  // where other programs exclude this, nothing (false).
  bool occupy(const std::vector<Hold>& holds);
  void vacate(const std::vector<Hold>& holds);
  bool is_busy(const Buffer& buffer, bool writes) const override {
    const Buffer& root = slots_[buffer.root];
    return root.written || (writes && root.readers > 0);
  }
  void bring_into_rows(const Buffer& buffer) const override;
  const Buffer& root(uint32_t slot) const { return slots_[slot]; }
  const MemoryUse& memory() const { return memory_; }
  // Gives memory kept for reuse back to the system, but for so many bytes; how many it was.
  size_t trim(size_t most);
  // Bytes that a buffer keeps from others; 0 of a view.
  size_t bytes_of(const Buffer& buffer) const;
  // As find, for who changes it.
  Buffer* find_own(double handle);

 private:
  size_t slot_of(double handle) const;  // kNoSlot when there is none
  size_t free_slot();
  double handle_of(size_t slot) const;
  void free(size_t slot);
  void* take(uint8_t size_class);
  void give_back(size_t slot);

  std::vector<Buffer> slots_;      // the first is never used
  std::deque<Contents> contents_;  // by slot; they stay where they are
  std::vector<uint32_t> free_slots_;
  std::vector<std::vector<void*>> pool_;  // by size class
  MemoryUse memory_;
  Available available_;
};

}  // namespace nb
