// The compute threads: they run one program at a time, all of them walking through it together;
// runs that wait for each other take turns of some milliseconds, between passes. The process has
// one pool, whatever number of JavaScript environments.
//
// The thread that leads a run (the caller's, or the pool's own driver for runs that JavaScript
// awaits) opens step after step; helpers claim pieces of the open step. What a piece computes does
// not depend on who computes it, so results are the same for any number of threads.
#pragma once

#include <functional>

#include "program.h"

namespace nb {

// Threads that compute, the leading one included; from 1 to kMaxThreads.
size_t thread_count();
void set_thread_count(size_t count);
constexpr size_t kMaxThreads = 256;

// Runs to the end on this thread and the helpers, in turns with others.
void run_now(Run& run);

// Runs on the pool's driver thread; `done` is called there when the run is over. Throws
// std::system_error when there is no thread to be had.
void run_later(Run& run, std::function<void()> done);
// Takes back a run that nobody computes at the moment: `done` will not be called. False when
// somebody does, or it is over.
bool withdraw(const Run& run);

}  // namespace nb
