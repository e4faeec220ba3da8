// A recorded program: kernel calls resolved once, replayed without JavaScript between them.
//
// A program owns the memory of what lives only inside it (one buffer as arena, planned in
// TypeScript) and pins the buffers it shares with the outside. It runs some number of iterations;
// before each iteration its feeds put that iteration's row of a table into a buffer, after each
// iteration its collects save results as rows of another. Nothing here knows of N-API;
// threads/run_queue.h runs it.
#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "kernel.h"

namespace nb {

// Row `iteration` of `table` is copied into `cell` (feed) or from it (collect).
struct Transfer {
  char* table;
  char* cell;
  size_t bytes;
  Contents* written;  // of the one that is copied into
};

class Program final : private BufferSource {
 public:
  // Where a program's buffer lives: at a byte offset in the arena, in a buffer that it shares with
  // the outside, or from an element offset on in the place of that number, which came before.
  enum class Home : uint8_t { arena, shared, view };
  struct Place {
    Home home;
    double where;  // byte offset, handle, or number of a place
    size_t offset;
    size_t length;
    DType dtype;  // of what lives in the arena; the others have that of what they show
  };
  struct Step {
    const Kernel* kernel;
    std::vector<double> arguments;  // buffers as positions in the list of places
  };

  // Weights that its steps want in panels: all of a shared buffer.
  struct Weights {
    double place;  // its number
    Contents::Panels panels;
  };

  // Throws KernelFault when a place or a call does not fit, std::bad_alloc.
  Program(Buffers& buffers, size_t arena_bytes, const std::vector<Place>& places,
          const std::vector<Step>& steps, const std::vector<Weights>& weights);
  ~Program() override;

  struct NamedCall {
    const char* kernel;
    std::unique_ptr<BoundCall> call;
  };
  using Calls = std::vector<NamedCall>;
  const Calls& iteration() const { return iteration_; }
  // Whether there is enough work in an iteration to wake other threads for it.
  bool worth_sharing() const { return weight_ > kWorthSharing; }

  // The memory from outside that its steps use.
  const std::vector<Hold>& held() const { return held_; }

  // Brings what it holds, and has to itself while it runs, into the order that its steps want. A
  // fault where there is no memory for that.
  Fault arrange() const noexcept;

 private:
  const Buffer* find(double name) const override;
  // What may not be used while it runs is asked for all steps together, by held().
  bool is_busy(const Buffer&, bool) const override { return false; }
  // Nor is anything used before it runs.
  void bring_into_rows(const Buffer&) const override {}
  Buffer locate(const Place& place, size_t arena_bytes);
  Buffer part(double where, size_t offset, size_t length) const;
  Calls bind(const std::vector<Step>& steps) const;
  void list_held(const std::vector<Step>& steps, const std::vector<Weights>& weights);
  void leave_memory();

  Buffers& buffers_;
  double arena_;  // handle
  std::vector<Buffer> table_;
  std::vector<uint32_t> pinned_;
  std::vector<Hold> held_;
  std::vector<Contents*> contents_;  // of what it holds
  Calls iteration_;
  size_t weight_ = 0;
};

// Runs of programs that take turns: filled in by the caller, advanced by the threads.
struct Run {
  struct Part {
    const Program* program;
    // Their tables have a row for each iteration of all its turns.
    std::vector<Transfer> feeds;
    std::vector<Transfer> collects;
    std::atomic<size_t> iterations_done{0};
  };
  struct Turn {
    Part* part;
    size_t iterations;
  };
  std::deque<Part> parts;
  std::vector<Turn> turns;

  std::atomic<bool> cancelled{false};
  // What stopped it, if anything did, and in which kernel; read when the run is over.
  Fault fault;
  const char* faulty_step = nullptr;

  // The turn that it has come to, how many of its iterations are done, and whether it has begun.
  size_t turn = 0;
  size_t iteration = 0;
  bool begun = false;

  bool worth_sharing() const {
    return std::any_of(parts.begin(), parts.end(),
                       [](const Part& part) { return part.program->worth_sharing(); });
  }
};

}  // namespace nb
