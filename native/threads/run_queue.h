// Who computes when. A run whose steps are too small to be shared takes one thread, so that several
// of them go side by side; a larger one takes all threads that its JavaScript environment has.
// Runs get their threads in the order in which they ask, and where others wait for any, they give
// them back after some milliseconds, at the end of an iteration, and ask again. There is one queue
// and one thread pool in the process, whatever number of environments: more threads than there are
// processors compute at once only where one environment asks for them, and steps are shared by one
// run at a time. A run is led by the caller's thread, or by a driver thread of the queue's own
// where JavaScript awaits it.
#pragma once

#include <functional>

#include "program.h"
#include "thread_pool.h"

namespace nb {

// What one JavaScript environment computes with. It must outlive its runs.
class Team {
 public:
  // As many threads as there are processors to be used.
  Team();
  // Threads that compute, leading ones included; from 1 to kMaxThreads (thread_pool.h).
  size_t threads() const { return threads_; }
  // Runs under way keep theirs until they are over, or others wait.
  void resize(size_t threads);

 private:
  friend class RunQueue;
  size_t threads_;
  // Of its threads, those that compute; and whether one of its runs waits for more. Of the queue.
  size_t busy_ = 0;
  bool waits_ = false;
};

// Computes one call, at once: with the helpers where all threads that it wants are free, else on
// this thread alone.
Fault run_call(Team& team, const BoundCall& call);

// Runs to the end, led by this thread.
void run_now(Team& team, Run& run);

// Runs to the end on this thread alone, beside whatever else computes: for what is short.
void run_at_once(Run& run);

// Runs on a driver thread; `done` is called there when the run is over. Throws std::system_error
// when there is no thread to be had.
void run_later(Team& team, Run& run, std::function<void()> done);
// Takes back a run that nobody computes at the moment: `done` will not be called. False when
// somebody does, or it is over.
bool withdraw(const Run& run);

}  // namespace nb
