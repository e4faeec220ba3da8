#include "pool.h"

#include <dlfcn.h>
#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include "cores.h"

namespace nb {
namespace {

using Clock = std::chrono::steady_clock;

// A piece below this many elements costs less than handing it over.
constexpr size_t kPiece = 8192;
constexpr size_t kPiecesPerThread = 4;
// Pauses before a waiting helper goes to sleep: some 50 µs.
constexpr int kSpins = 2000;
// A helper that is later than the leader's own share of the step took, and than this, has lost its
// processor to somebody else; for a while the leader then works alone, for twice as long each time
// that it happens again soon after.
constexpr auto kLate = std::chrono::microseconds(200);
constexpr Clock::duration kAloneAtFirst = std::chrono::milliseconds(20);
constexpr Clock::duration kAloneAtMost = std::chrono::milliseconds(640);

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The open step, the number of its pieces and the next piece, in one word: whoever claims a piece
// claims one that exists, of the step that is open now. Steps come round after 12 days of one per
// microsecond; even then a claim is for the open step.
constexpr int kPieceBits = 12;
constexpr uint64_t kPieceMask = (uint64_t{1} << kPieceBits) - 1;
static_assert(kPiecesPerThread * kMaxThreads <= kPieceMask);
constexpr uint64_t ticket_of(uint64_t step, uint64_t pieces) {
  return (step << kPieceBits | pieces) << kPieceBits;
}
constexpr uint64_t step_of(uint64_t ticket) { return ticket >> 2 * kPieceBits; }
constexpr size_t pieces_of(uint64_t ticket) { return ticket >> kPieceBits & kPieceMask; }
constexpr size_t piece_of(uint64_t ticket) { return ticket & kPieceMask; }

// How long a run computes, to the end of a pass, while others wait for their turn.
constexpr auto kTurn = std::chrono::milliseconds(5);

// How long the end of the process waits for a kernel that is being computed.
constexpr auto kLastKernel = std::chrono::seconds(2);

// A worker that ends unloads the addons that only it had loaded; the threads here never end.
void stay_loaded() {
  Dl_info own;
  if (dladdr(reinterpret_cast<void*>(&stay_loaded), &own) != 0) {
    dlopen(own.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
}

// The event loop's thread, which only has short work to do, is to get its processor at once when it
// wakes up: the threads here yield to it, as they do to everything else that has not stepped back.
// At the same priority it would wait for the end of their time slices, 3 ms and more.
void step_back() {
#ifdef __linux__
  // Not more: beside a busy neighbour, a helper would wait too long (scripts/bench/hog.mjs).
  constexpr int kNice = 2;
  // Of this thread alone, in spite of its name. Nothing is lost where it is refused.
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
#endif
}

class Pool {
 public:
  static Pool& instance() {
    // Never destroyed: threads may still be asleep in it when the process ends.
    static Pool* pool = new Pool();
    return *pool;
  }

  size_t threads() const { return threads_; }
  // From the next run on.
  void resize(size_t count) {
    const std::lock_guard<std::mutex> lock(sleep_mutex_);
    threads_ = count;
    resized_.notify_all();
  }

  void run(Run& run) {
    while (!take_turn(run)) continue;
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

  // Mutual exclusion in the order of arrival.
  class Turn {
   public:
    explicit Turn(Pool& pool) : pool_(pool) {
      std::unique_lock<std::mutex> lock(pool_.turn_mutex_);
      const uint64_t mine = pool_.next_turn_++;
      pool_.turn_changed_.wait(lock, [&] { return pool_.current_turn_ == mine; });
    }
    ~Turn() {
      const std::lock_guard<std::mutex> lock(pool_.turn_mutex_);
      ++pool_.current_turn_;
      pool_.turn_changed_.notify_all();
    }

   private:
    Pool& pool_;
  };

  // More helpers than processors would only take them from each other; the work is cut into as many
  // pieces all the same.
  bool is_wanted(size_t helper) const { return helper < std::min(threads_.load(), processors_); }

  Pool() : processors_(processors()), threads_(std::min(usable_cores(), kMaxThreads)) {
    stay_loaded();
    std::atexit([] { instance().close(); });
  }

  // process.exit() does not end the environment and its runs before it ends the process. Nothing
  // may compute any more when OpenBLAS takes itself apart, which is later: this is the last turn.
  void close() {
    closing_ = true;
    std::unique_lock<std::mutex> lock(turn_mutex_);
    const uint64_t mine = next_turn_++;
    turn_changed_.wait_for(lock, kLastKernel, [&] { return current_turn_ == mine; });
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
      const bool over = take_turn(*job.run);
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

  // Takes the run on until it is over (true) or others have waited long enough for their turn.
  bool take_turn(Run& run) {
    waiting_.fetch_add(1);
    const Turn turn(*this);
    waiting_.fetch_sub(1);
    return lead(run);
  }

  bool others_wait() {
    return waiting_.load(std::memory_order_relaxed) > 0 ||
           queued_.load(std::memory_order_relaxed) > 0;
  }

  // One turn: false when the run is not over at its end.
  bool lead(Run& run) {
    const size_t threads = run.program->worth_sharing() ? threads_.load() : 1;
    start_helpers(std::min(threads, processors_));
    const auto begin = Clock::now();
    for (size_t pass = run.passes_done.load(); pass < run.passes; ++pass) {
      if (run.cancelled.load(std::memory_order_relaxed)) break;
      for (const Transfer& t : run.feeds) std::memcpy(t.cell, t.table + pass * t.bytes, t.bytes);
      for (size_t step = 0; step < run.program->size(); ++step) {
        if (closing_.load(std::memory_order_relaxed) || !lead_step(run, step, threads)) return true;
      }
      for (const Transfer& t : run.collects) std::memcpy(t.table + pass * t.bytes, t.cell, t.bytes);
      run.passes_done.store(pass + 1, std::memory_order_relaxed);
      if (pass + 1 < run.passes && others_wait() && Clock::now() - begin > kTurn) return false;
    }
    return true;
  }

  // False when the step found its data at fault.
  bool lead_step(Run& run, size_t step, size_t threads) {
    const BoundCall& call = run.program->call(step);
    const size_t pieces = threads > 1
                              ? std::min(call.weight() / kPiece,
                                         call.is_coarse() ? threads : kPiecesPerThread * threads)
                              : 1;
    Fault fault;
    const auto begin = pieces > 1 ? Clock::now() : Clock::time_point();
    if (pieces > 1 && begin >= alone_until_) {
      fault = share_step(call, pieces, begin);
    } else {
      fault = call.run(Share{0, 1});
    }
    if (fault) {
      run.fault = fault;
      run.faulty_step = step;
      return false;
    }
    call.finish();
    return true;
  }

  Fault share_step(const BoundCall& call, size_t pieces, Clock::time_point begin) {
    // Nobody looks at these: every piece of the step before is done, and of this one none is
    // claimed.
    call_.store(&call, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    fault_ = {};
    step_ = step_of(ticket_of(step_ + 1, 0));
    ticket_.store(ticket_of(step_, pieces), std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) wake();
    work(step_);
    wait_for_stragglers(pieces, begin);
    // Written before its piece was counted as done, so it can be read now.
    return fault_;
  }

  // Claims and runs pieces of the step until none is left.
  void work(uint64_t step) {
    uint64_t ticket = ticket_.load(std::memory_order_acquire);
    while (step_of(ticket) == step && piece_of(ticket) < pieces_of(ticket)) {
      if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acquire)) continue;
      // From here on the step stays open until this piece is done.
      const BoundCall* call = call_.load(std::memory_order_relaxed);
      const Fault fault = call->run(Share{piece_of(ticket), pieces_of(ticket)});
      if (fault) {
        const std::lock_guard<std::mutex> lock(fault_mutex_);
        fault_ = fault;
      }
      done_.fetch_add(1, std::memory_order_release);
      ticket = ticket_.load(std::memory_order_acquire);
    }
  }

  void wait_for_stragglers(size_t pieces, Clock::time_point begin) {
    if (done_.load(std::memory_order_acquire) == pieces) return;
    const auto waiting = Clock::now();
    const auto late = waiting + std::max<Clock::duration>(kLate, waiting - begin);
    bool is_late = false;
    for (int spin = 1; done_.load(std::memory_order_acquire) != pieces; ++spin) {
      pause();
      if (spin % 64 != 0 || Clock::now() < late) continue;
      is_late = true;
      std::this_thread::yield();
    }
    if (is_late) work_alone(begin);
  }

  void work_alone(Clock::time_point begin) {
    const bool again = begin - alone_until_ < alone_for_;
    alone_for_ = again ? std::min(2 * alone_for_, kAloneAtMost) : kAloneAtFirst;
    alone_until_ = Clock::now() + alone_for_;
  }

  void start_helpers(size_t threads) {
    while (helpers_ + 1 < threads) {
      const size_t index = helpers_ + 1;
      try {
        std::thread([this, index] { help(index); }).detach();
      } catch (const std::system_error&) {
        return;  // The system has no thread left: those that are here do the work.
      }
      helpers_ = index;
    }
  }

  void help(size_t index) {
    step_back();
    uint64_t seen = 0;
    for (;;) {
      if (!is_wanted(index)) rest(index);
      seen = await_step_after(seen);
      work(seen);
    }
  }

  // A helper that is not wanted any more sleeps apart from those that a step wakes.
  void rest(size_t index) {
    std::unique_lock<std::mutex> lock(sleep_mutex_);
    resized_.wait(lock, [&] { return is_wanted(index); });
  }

  uint64_t await_step_after(uint64_t seen) {
    for (int spin = 0; spin < kSpins; ++spin) {
      const uint64_t step = step_of(ticket_.load(std::memory_order_acquire));
      if (step != seen) return step;
      pause();
    }
    std::unique_lock<std::mutex> lock(sleep_mutex_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    opened_.wait(lock, [&] { return step_of(ticket_.load(std::memory_order_seq_cst)) != seen; });
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    return step_of(ticket_.load(std::memory_order_acquire));
  }

  void wake() {
    const std::lock_guard<std::mutex> lock(sleep_mutex_);
    opened_.notify_all();
  }

  // The order of runs.
  std::mutex turn_mutex_;
  std::condition_variable turn_changed_;
  uint64_t next_turn_ = 0;
  uint64_t current_turn_ = 0;
  std::atomic<size_t> waiting_{0};
  const size_t processors_;
  std::atomic<size_t> threads_;
  std::atomic<bool> closing_{false};
  // Used only in a turn.
  size_t helpers_ = 0;
  Clock::time_point alone_until_{};
  Clock::duration alone_for_{kAloneAtFirst};
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

  std::mutex queue_mutex_;
  std::condition_variable queue_ready_;
  std::deque<Job> queue_;
  std::atomic<size_t> queued_{0};  // its length
  bool driver_started_ = false;
};

}  // namespace

size_t thread_count() { return Pool::instance().threads(); }
void set_thread_count(size_t count) { Pool::instance().resize(count); }
void run_now(Run& run) { Pool::instance().run(run); }
void run_later(Run& run, std::function<void()> done) {
  Pool::instance().enqueue(run, std::move(done));
}
bool withdraw(const Run& run) { return Pool::instance().withdraw(run); }

}  // namespace nb
