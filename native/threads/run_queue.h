// Who computes when. Runs of programs take the thread pool one at a time; those that wait for each
// other get it in time slices of some milliseconds, which end between iterations. There is one
// queue and one thread pool in the process, whatever number of JavaScript environments. A run is
// led by the caller's thread, or by the queue's own driver thread where JavaScript awaits it.
#pragma once

#include <functional>

#include "program.h"
#include "thread_pool.h"

namespace nb {

// Threads that compute, the leading one included; from 1 to kMaxThreads (thread_pool.h).
size_t thread_count();
void set_thread_count(size_t count);

// Computes one call, at once: with the helpers where no run is under way, else on this thread
// alone.
Fault run_call(const BoundCall& call);

// Runs to the end on this thread and the helpers, in time slices where others wait.
void run_now(Run& run);

// Runs to the end on this thread alone, beside whatever else computes: for what is short.
void run_at_once(Run& run);

// Runs on the driver thread; `done` is called there when the run is over. Throws
// std::system_error when there is no thread to be had.
void run_later(Run& run, std::function<void()> done);
// Takes back a run that nobody computes at the moment: `done` will not be called. False when
// somebody does, or it is over.
bool withdraw(const Run& run);

}  // namespace nb
