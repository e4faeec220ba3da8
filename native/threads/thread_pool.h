// The threads that compute a program's steps together: one leads and opens step after step, helpers
// claim chunks of the open step. What a chunk computes does not depend on who computes it, so
// results are the same for any number of threads.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "kernel.h"

namespace nb {

// Lets the event loop's thread, which only has short work to do, get its processor at once when it
// wakes up: threads that call this yield to it, as they do to everything else that has not stepped
// back. At the same priority it would wait for the end of their time slices, 3 ms and more.
void step_back();

// From 1 to this many threads compute, the leading one included.
constexpr size_t kMaxThreads = 256;

class ThreadPool {
 public:
  using Clock = std::chrono::steady_clock;

  // Its threads never end: a thread pool must live as long as the process.
  ThreadPool();

  // Gets as many threads ready, the leading one included: starts the helpers that are missing, and
  // lets those rest that are too many. Like `run`, by one leading thread at a time.
  void call_up(size_t threads);
  // Computes a step on this thread and the helpers.
  Fault run(const BoundCall& call, size_t threads);

 private:
  Fault share_step(const BoundCall& call, size_t chunks, Clock::time_point begin);
  void work(uint64_t step);
  void wait_for_stragglers(size_t chunks, Clock::time_point begin);
  void work_alone(Clock::time_point begin);
  void help(size_t index);
  void rest(size_t index);
  uint64_t await_step_after(uint64_t seen);
  void wake();
  bool is_wanted(size_t helper) const;

  const size_t processors_;
  // That were called up.
  std::atomic<size_t> threads_{1};
  // The leading thread's own.
  size_t helpers_ = 0;
  Clock::time_point alone_until_{};
  Clock::duration alone_for_;
  uint64_t step_ = 0;

  // The open step; the words that every thread writes have cache lines of their own.
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<size_t> done_{0};
  alignas(64) std::atomic<const BoundCall*> call_{nullptr};
  std::mutex fault_mutex_;
  Fault fault_;

  std::mutex sleep_mutex_;
  std::condition_variable opened_;
  std::condition_variable resized_;
  std::atomic<int> sleepers_{0};
};

}  // namespace nb
