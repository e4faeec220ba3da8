#include "run_queue.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "cores.h"

namespace nb {
namespace {

using Clock = ThreadPool::Clock;

// How long a run computes, to the end of an iteration, while others wait.
constexpr auto kTimeSlice = std::chrono::milliseconds(5);

// How long the end of the process waits for the kernels that are being computed.
constexpr auto kLastKernels = std::chrono::seconds(2);

// A worker that ends unloads the addons that only it had loaded; the threads here never end.
void stay_loaded() {
  Dl_info own;
  if (dladdr(reinterpret_cast<void*>(&stay_loaded), &own) != 0) {
    dlopen(own.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
}

}  // namespace

class RunQueue {
 public:
  static RunQueue& instance() {
    // Never destroyed: threads may still be asleep in it when the process ends.
    static RunQueue* queue = new RunQueue();
    return *queue;
  }

  Fault run(Team& team, const BoundCall& call) {
    Claim claim{&team};
    if (team.threads() == 1 || others_wait() || !take_at_once(claim)) return run_alone(call);
    thread_pool_.call_up(claim.threads);
    const Fault fault = thread_pool_.run(call, claim.threads);
    give_back(claim);
    return fault;
  }

  void run(Team& team, Run& run) {
    for (bool over = false; !over;) {
      Claim claim{&team, run.worth_sharing(), &run};
      take(claim);
      over = lead(run, claim.threads);
      give_back(claim);
    }
  }

  void run_at_once(Run& run) {
    while (!lead(run, 1)) continue;
  }

  void enqueue(Team& team, Run& run, std::function<void()> done) {
    const bool shares = run.worth_sharing();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (drivers_ == 0) start_driver();
    jobs_.push_back({&team, shares, &run, std::move(done)});
    wait_in_line(jobs_.back());
  }

  void resize(Team& team, size_t threads) {
    const std::lock_guard<std::mutex> lock(mutex_);
    team.threads_ = threads;
    let_in();
  }

  bool withdraw(const Run& run) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto job = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const Claim& claim) { return claim.run == &run; });
    if (job == jobs_.end()) return false;
    const auto in = [&](auto& claims) { return std::find(claims.begin(), claims.end(), &*job); };
    if (const auto waiting = in(waiting_); waiting != waiting_.end()) {
      waiting_.erase(waiting);
    } else if (const auto ready = in(ready_); ready != ready_.end()) {
      ready_.erase(ready);
      free_threads(*job);
    } else {
      return false;
    }
    jobs_.erase(job);
    let_in();
    return true;
  }

 private:
  // The right to compute with some threads, waited for and taken.
  struct Claim {
    Team* team;
    // Whether all threads of the team are wanted, or one.
    bool shares = true;
    Run* run = nullptr;  // not for a single call
    // Where a driver leads the run; else a thread waits for its threads.
    std::function<void()> done = {};
    size_t threads = 0;  // that were taken
  };

  RunQueue() : processors_(usable_cores()) {
    stay_loaded();
    std::atexit([] { instance().close(); });
  }

  // process.exit() does not end the environment and its runs before it ends the process. Nothing
  // may compute any more when OpenBLAS takes itself apart, which is later.
  void close() {
    std::unique_lock<std::mutex> lock(mutex_);
    closing_ = true;
    changed_.wait_for(lock, kLastKernels, [&] { return busy_ == 0; });
  }

  // --- Claims, with the mutex locked ---

  static size_t wanted(const Claim& claim) { return claim.shares ? claim.team->threads() : 1; }

  // Whether a team has so many left of its own. A team that was made smaller meanwhile has less
  // than none, until its runs have given theirs back.
  static bool has_left(const Team& team, size_t threads) {
    return team.busy_ + threads <= team.threads();
  }

  // Whether so many are free among all.
  bool are_free(const Team& team, size_t threads) const {
    if (threads > 1 && pool_taken_) return false;
    return busy_ + threads <= std::max(processors_, team.threads());
  }

  void take_threads(Claim& claim) {
    claim.threads = wanted(claim);
    claim.team->busy_ += claim.threads;
    busy_ += claim.threads;
    if (claim.threads > 1) pool_taken_ = true;
  }

  void free_threads(Claim& claim) {
    claim.team->busy_ -= claim.threads;
    busy_ -= claim.threads;
    if (claim.threads > 1) pool_taken_ = false;
    claim.threads = 0;
  }

  // Grants claims in their order. One that waits for threads of another team lets none pass, and so
  // is not kept waiting by smaller ones for ever; one that waits for threads of its own team only
  // stands in the way of that team's.
  void let_in() {
    for (Claim* claim : waiting_) claim->team->waits_ = false;
    for (auto at = waiting_.begin(); at != waiting_.end() && !closing_;) {
      Claim& claim = **at;
      claim.team->waits_ |= !has_left(*claim.team, wanted(claim));
      if (claim.team->waits_) {
        ++at;
        continue;
      }
      if (!are_free(*claim.team, wanted(claim))) break;
      take_threads(claim);
      at = waiting_.erase(at);
      if (claim.done) ready_.push_back(&claim);
    }
    others_wait_.store(!waiting_.empty(), std::memory_order_relaxed);
    call_drivers();
    changed_.notify_all();
  }

  void wait_in_line(Claim& claim) {
    waiting_.push_back(&claim);
    let_in();
  }

  // --- Claims ---

  void take(Claim& claim) {
    std::unique_lock<std::mutex> lock(mutex_);
    wait_in_line(claim);
    changed_.wait(lock, [&] { return claim.threads > 0; });
  }

  // Where nobody waits.
  bool take_at_once(Claim& claim) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const size_t threads = wanted(claim);
    if (closing_ || !waiting_.empty() || !has_left(*claim.team, threads)) return false;
    if (!are_free(*claim.team, threads)) return false;
    take_threads(claim);
    return true;
  }

  void give_back(Claim& claim) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_threads(claim);
    let_in();
  }

  bool others_wait() const { return others_wait_.load(std::memory_order_relaxed); }

  // --- Drivers ---

  void start_driver() {
    std::thread([this] { drive(); }).detach();
    ++drivers_;
  }

  // A job that is ready has taken its threads, so that there are never more drivers than threads
  // that compute at once.
  void call_drivers() {
    for (size_t job = 0; job < ready_.size(); ++job) job_ready_.notify_one();
    try {
      while (idle_drivers_ < ready_.size() && drivers_ < busy_) start_driver();
    } catch (const std::system_error&) {
      // The system has no thread left: those that are here do the work.
    }
  }

  void drive() {
    step_back();
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      ++idle_drivers_;
      job_ready_.wait(lock, [this] { return !ready_.empty(); });
      --idle_drivers_;
      Claim& job = *ready_.front();
      ready_.pop_front();
      lock.unlock();
      const bool over = lead(*job.run, job.threads);
      lock.lock();
      free_threads(job);
      if (!over) waiting_.push_back(&job);
      let_in();
      if (over) end(job, lock);
    }
  }

  // Tells of the end of a job.
  void end(Claim& job, std::unique_lock<std::mutex>& lock) {
    const auto done = std::move(job.done);
    jobs_.remove_if([&](const Claim& claim) { return &claim == &job; });
    // Too late to tell anybody.
    if (closing_) return;
    lock.unlock();
    done();
    lock.lock();
  }

  // --- Runs ---

  // As long as it may: false when the run is not over then.
  bool lead(Run& run, size_t threads) {
    if (threads > 1) thread_pool_.call_up(threads);
    const auto begin = Clock::now();
    for (; run.turn < run.turns.size(); ++run.turn) {
      const Run::Turn& turn = run.turns[run.turn];
      const Program& program = *turn.part->program;
      // A small part beside a large one.
      const size_t with = program.worth_sharing() ? threads : 1;
      const bool begins = !run.begun && turn.iterations > 0 && !run.cancelled;
      if (begins && !arrange(run, program)) return true;
      run.begun |= begins;
      const After after = lead_iterations(run, turn, with, begin);
      if (after == After::others) return false;
      if (after == After::end) return true;
      run.iteration = 0;
      run.begun = false;
    }
    return true;
  }

  static bool arrange(Run& run, const Program& program) {
    run.fault = program.arrange();
    run.faulty_step = "panels";
    return !run.fault;
  }

  // What comes after the iterations of a run that were done: its next turn, its end, where it was
  // stopped, or other runs.
  enum class After : uint8_t { turn, end, others };

  After lead_iterations(Run& run, const Run::Turn& turn, size_t threads, Clock::time_point begin) {
    Run::Part& part = *turn.part;
    for (; run.iteration < turn.iterations; ++run.iteration) {
      if (run.cancelled.load(std::memory_order_relaxed)) return After::end;
      if (others_wait() && Clock::now() - begin > kTimeSlice) return After::others;
      const size_t row = part.iterations_done.load(std::memory_order_relaxed);
      for (const Transfer& t : part.feeds) {
        t.written->forget();
        std::memcpy(t.cell, t.table + row * t.bytes, t.bytes);
      }
      if (!lead_steps(run, part.program->iteration(), threads)) return After::end;
      for (const Transfer& t : part.collects) {
        t.written->forget();
        std::memcpy(t.table + row * t.bytes, t.cell, t.bytes);
      }
      part.iterations_done.store(row + 1, std::memory_order_relaxed);
    }
    return After::turn;
  }

  // False when a step found its data at fault, the first of which is reported, or the process ends.
  bool lead_steps(Run& run, const Program::Calls& calls, size_t threads) {
    for (const Program::NamedCall& step : calls) {
      if (closing_.load(std::memory_order_relaxed)) return false;
      const Fault fault =
          threads > 1 ? thread_pool_.run(*step.call, threads) : run_alone(*step.call);
      if (!fault) continue;
      if (!run.fault) {
        run.fault = fault;
        run.faulty_step = step.kernel;
      }
      return false;
    }
    return true;
  }

  static Fault run_alone(const BoundCall& call) {
    const Fault fault = call.run(Chunk{0, 1});
    if (!fault) call.finish();
    return fault;
  }

  const size_t processors_;
  // Used only by who has taken several threads.
  ThreadPool thread_pool_;
  std::atomic<bool> closing_{false};
  std::atomic<bool> others_wait_{false};

  // For all below, and for what teams and claims have of it.
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t busy_ = 0;  // threads that were taken
  bool pool_taken_ = false;
  std::deque<Claim*> waiting_;
  // Runs that drivers lead; those that have their threads and wait for a driver.
  std::list<Claim> jobs_;
  std::deque<Claim*> ready_;
  std::condition_variable job_ready_;
  size_t drivers_ = 0;
  size_t idle_drivers_ = 0;
};

Team::Team() : threads_(std::min(usable_cores(), kMaxThreads)) {}
void Team::resize(size_t threads) { RunQueue::instance().resize(*this, threads); }

Fault run_call(Team& team, const BoundCall& call) { return RunQueue::instance().run(team, call); }
void run_now(Team& team, Run& run) { RunQueue::instance().run(team, run); }
void run_at_once(Run& run) { RunQueue::instance().run_at_once(run); }
void run_later(Team& team, Run& run, std::function<void()> done) {
  RunQueue::instance().enqueue(team, run, std::move(done));
}
bool withdraw(const Run& run) { return RunQueue::instance().withdraw(run); }

}  // namespace nb
