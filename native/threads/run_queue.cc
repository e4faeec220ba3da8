#include "run_queue.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace nb {
namespace {

using Clock = ThreadPool::Clock;

// How long a run computes, to the end of an iteration, while others wait.
constexpr auto kTimeSlice = std::chrono::milliseconds(5);

// How long the end of the process waits for a kernel that is being computed.
constexpr auto kLastKernel = std::chrono::seconds(2);

// A worker that ends unloads the addons that only it had loaded; the threads here never end.
void stay_loaded() {
  Dl_info own;
  if (dladdr(reinterpret_cast<void*>(&stay_loaded), &own) != 0) {
    dlopen(own.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
}

class RunQueue {
 public:
  static RunQueue& instance() {
    // Never destroyed: threads may still be asleep in it when the process ends.
    static RunQueue* queue = new RunQueue();
    return *queue;
  }

  ThreadPool& thread_pool() { return thread_pool_; }

  void run(Run& run) {
    while (!take_slice(run)) continue;
  }

  void run_at_once(Run& run) {
    while (!lead(run, 1)) continue;
  }

  Fault run(const BoundCall& call) {
    const size_t threads = thread_pool_.threads();
    if (threads > 1 && !others_wait()) {
      const TimeSlice slice(*this, std::try_to_lock);
      if (slice) {
        thread_pool_.call_up(threads);
        return thread_pool_.run(call, threads);
      }
    }
    const Fault fault = call.run(Chunk{0, 1});
    if (!fault) call.finish();
    return fault;
  }

  void enqueue(Run& run, std::function<void()> done) {
    const std::lock_guard<std::mutex> lock(queue_mutex_);
    if (!driver_started_) {
      std::thread([this] { drive(); }).detach();
      driver_started_ = true;
    }
    queue_.push_back({&run, std::move(done)});
    queued_ = queue_.size();
    queue_ready_.notify_one();
  }

  bool withdraw(const Run& run) {
    const std::lock_guard<std::mutex> lock(queue_mutex_);
    const auto found =
        std::find_if(queue_.begin(), queue_.end(), [&](const Job& job) { return job.run == &run; });
    if (found == queue_.end()) return false;
    queue_.erase(found);
    queued_ = queue_.size();
    return true;
  }

 private:
  struct Job {
    Run* run;
    std::function<void()> done;
  };

  // The right to compute with the thread pool, given in the order of arrival.
  class TimeSlice {
   public:
    explicit TimeSlice(RunQueue& queue) : queue_(queue) {
      std::unique_lock<std::mutex> lock(queue_.slice_mutex_);
      const uint64_t mine = queue_.next_slice_++;
      queue_.slice_changed_.wait(lock, [&] { return queue_.current_slice_ == mine; });
    }
    // Only where no other one is taken or waited for.
    TimeSlice(RunQueue& queue, std::try_to_lock_t) : queue_(queue) {
      const std::lock_guard<std::mutex> lock(queue_.slice_mutex_);
      taken_ = queue_.next_slice_ == queue_.current_slice_;
      if (taken_) ++queue_.next_slice_;
    }
    explicit operator bool() const { return taken_; }
    ~TimeSlice() {
      if (!taken_) return;
      const std::lock_guard<std::mutex> lock(queue_.slice_mutex_);
      ++queue_.current_slice_;
      queue_.slice_changed_.notify_all();
    }

   private:
    RunQueue& queue_;
    bool taken_ = true;
  };

  RunQueue() {
    stay_loaded();
    std::atexit([] { instance().close(); });
  }

  // process.exit() does not end the environment and its runs before it ends the process. Nothing
  // may compute any more when OpenBLAS takes itself apart, which is later: this is the last time
  // slice.
  void close() {
    closing_ = true;
    std::unique_lock<std::mutex> lock(slice_mutex_);
    const uint64_t mine = next_slice_++;
    slice_changed_.wait_for(lock, kLastKernel, [&] { return current_slice_ == mine; });
  }

  void drive() {
    step_back();
    for (;;) {
      std::unique_lock<std::mutex> lock(queue_mutex_);
      queue_ready_.wait(lock, [this] { return !queue_.empty(); });
      Job job = std::move(queue_.front());
      queue_.pop_front();
      queued_ = queue_.size();
      lock.unlock();
      const bool over = take_slice(*job.run);
      // Too late to tell anybody.
      if (closing_) std::this_thread::sleep_for(std::chrono::hours(24));
      if (over) {
        job.done();
      } else {
        lock.lock();
        queue_.push_back(std::move(job));
        queued_ = queue_.size();
      }
    }
  }

  // Takes the run on until it is over (true) or others have waited long enough.
  bool take_slice(Run& run) {
    waiting_.fetch_add(1);
    const TimeSlice slice(*this);
    waiting_.fetch_sub(1);
    return lead(run, run.program->worth_sharing() ? thread_pool_.threads() : 1);
  }

  bool others_wait() {
    return waiting_.load(std::memory_order_relaxed) > 0 ||
           queued_.load(std::memory_order_relaxed) > 0;
  }

  // One time slice: false when the run is not over at its end.
  bool lead(Run& run, size_t threads) {
    if (threads > 1) thread_pool_.call_up(threads);
    const auto begin = Clock::now();
    const bool begins = !run.begun && run.iterations > 0 && !run.cancelled;
    if (begins && !lead_steps(run, run.program->before(), threads)) return true;
    run.begun |= begins;
    if (!lead_iterations(run, threads, begin)) return false;
    // What was reached is kept, also where an iteration went wrong.
    if (run.begun) lead_steps(run, run.program->after(), threads);
    return true;
  }

  // False when the run is not over at its end.
  bool lead_iterations(Run& run, size_t threads, Clock::time_point begin) {
    for (size_t iteration = run.iterations_done.load(); iteration < run.iterations; ++iteration) {
      if (run.cancelled.load(std::memory_order_relaxed)) break;
      for (const Transfer& t : run.feeds) {
        t.written->forget();
        std::memcpy(t.cell, t.table + iteration * t.bytes, t.bytes);
      }
      if (!lead_steps(run, run.program->iteration(), threads)) return true;
      for (const Transfer& t : run.collects) {
        t.written->forget();
        std::memcpy(t.table + iteration * t.bytes, t.cell, t.bytes);
      }
      run.iterations_done.store(iteration + 1, std::memory_order_relaxed);
      if (iteration + 1 < run.iterations && others_wait() && Clock::now() - begin > kTimeSlice)
        return false;
    }
    return true;
  }

  // False when a step found its data at fault, the first of which is reported, or the process ends.
  bool lead_steps(Run& run, const Program::Calls& calls, size_t threads) {
    for (const Program::NamedCall& step : calls) {
      if (closing_.load(std::memory_order_relaxed)) return false;
      const Fault fault = thread_pool_.run(*step.call, threads);
      if (!fault) continue;
      if (!run.fault) {
        run.fault = fault;
        run.faulty_step = step.kernel;
      }
      return false;
    }
    return true;
  }

  // The order of runs.
  std::mutex slice_mutex_;
  std::condition_variable slice_changed_;
  uint64_t next_slice_ = 0;
  uint64_t current_slice_ = 0;
  std::atomic<size_t> waiting_{0};
  std::atomic<bool> closing_{false};
  // Used only in a time slice.
  ThreadPool thread_pool_;

  std::mutex queue_mutex_;
  std::condition_variable queue_ready_;
  std::deque<Job> queue_;
  std::atomic<size_t> queued_{0};  // its length
  bool driver_started_ = false;
};

}  // namespace

size_t thread_count() { return RunQueue::instance().thread_pool().threads(); }
void set_thread_count(size_t count) { RunQueue::instance().thread_pool().resize(count); }
Fault run_call(const BoundCall& call) { return RunQueue::instance().run(call); }
void run_now(Run& run) { RunQueue::instance().run(run); }
void run_at_once(Run& run) { RunQueue::instance().run_at_once(run); }
void run_later(Run& run, std::function<void()> done) {
  RunQueue::instance().enqueue(run, std::move(done));
}
bool withdraw(const Run& run) { return RunQueue::instance().withdraw(run); }

}  // namespace nb
