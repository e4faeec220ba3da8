// A recorded program: kernel calls resolved once, replayed without JavaScript between them.
//
// A program owns the memory of what lives only inside it (one buffer as arena, planned in
// TypeScript) and pins the buffers it shares with the outside. It runs some number of passes;
// before each pass its feeds put that pass's row of a table into a buffer, after each pass its
// collects save results as rows of another. Nothing here knows of N-API; pool.h runs it.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "kernel.h"

namespace nb {

// Row `pass` of `table` is copied into `cell` (feed) or from it (collect).
struct Transfer {
  char* table;
  char* cell;
  size_t bytes;
};

class Program final : private BufferSource {
 public:
  // Where a program's buffer lives.
  struct Place {
    bool in_arena;
    double where;  // byte offset in the arena, or handle
    double length;
    DType dtype;
  };
  struct Step {
    const Kernel* kernel;
    std::vector<double> arguments;  // buffers as positions in the list of places
  };

  struct Steps {
    std::vector<Step> before;  // the first pass
    std::vector<Step> pass;
    std::vector<Step> after;  // the last pass
  };

  // Throws KernelFault when a place or a call does not fit, std::bad_alloc.
  Program(Buffers& buffers, size_t arena_bytes, const std::vector<Place>& places,
          const Steps& steps);
  ~Program() override;

  using Calls = std::vector<std::unique_ptr<BoundCall>>;
  const Calls& before() const { return before_; }
  const Calls& pass() const { return pass_; }
  const Calls& after() const { return after_; }
  // Of a step of a pass.
  const char* name(size_t step) const { return names_[step]; }
  // Whether there is enough work in a pass to wake other threads for it.
  bool worth_sharing() const { return weight_ > kWorthSharing; }

  // Refuses (false) when a buffer of it is used by another running program; marks them otherwise.
  bool occupy();
  void vacate();

 private:
  static constexpr size_t kWorthSharing = size_t{1} << 17;

  const Buffer* find(double name) const override;
  void place(const Place& place, size_t arena_bytes);
  Calls bind(const std::vector<Step>& steps) const;
  void leave_memory();

  Buffers& buffers_;
  double arena_;  // handle
  std::vector<Buffer> table_;
  std::vector<uint32_t> pinned_;
  Calls before_, pass_, after_;
  std::vector<const char*> names_;
  size_t weight_ = 0;
};

// One run of a program: filled in by the caller, advanced by the threads.
struct Run {
  const Program* program;
  size_t passes;
  std::vector<Transfer> feeds;
  std::vector<Transfer> collects;

  std::atomic<bool> cancelled{false};
  // Whether the steps before the first pass are done.
  bool begun = false;
  std::atomic<size_t> passes_done{0};
  // What stopped it, if anything did; read when the run is over.
  Fault fault;
  size_t faulty_step = 0;
};

}  // namespace nb
