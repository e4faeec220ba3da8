#include "thread_pool.h"

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <system_error>
#include <thread>

#include "cores.h"

namespace nb {
namespace {

// Pauses before a waiting helper goes to sleep: some 50 µs.
constexpr int kSpins = 2000;
// A helper that is later than the leader's own chunk of the step took, and than this, has lost its
// processor to somebody else; for a while the leader then works alone, for twice as long each time
// that it happens again soon after.
constexpr auto kLate = std::chrono::microseconds(200);
constexpr ThreadPool::Clock::duration kAloneAtFirst = std::chrono::milliseconds(20);
constexpr ThreadPool::Clock::duration kAloneAtMost = std::chrono::milliseconds(640);

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The open step, the number of its chunks and the next chunk, in one word: whoever claims a chunk
// claims one that exists, of the step that is open now. Steps come round after 12 days of one per
// microsecond; even then a claim is for the open step.
constexpr int kChunkBits = 12;
constexpr uint64_t kChunkMask = (uint64_t{1} << kChunkBits) - 1;
static_assert(kChunksPerThread * kMaxThreads <= kChunkMask);
constexpr uint64_t ticket_of(uint64_t step, uint64_t chunks) {
  return (step << kChunkBits | chunks) << kChunkBits;
}
constexpr uint64_t step_of(uint64_t ticket) { return ticket >> 2 * kChunkBits; }
constexpr size_t chunks_of(uint64_t ticket) { return ticket >> kChunkBits & kChunkMask; }
constexpr size_t chunk_of(uint64_t ticket) { return ticket & kChunkMask; }

}  // namespace

void step_back() {
#ifdef __linux__
  // Not more: beside a busy neighbour, a helper would wait too long (scripts/bench/hog.mjs).
  constexpr int kNice = 2;
  // Of this thread alone, in spite of its name. Nothing is lost where it is refused.
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
#endif
}

ThreadPool::ThreadPool() : processors_(processors()), alone_for_(kAloneAtFirst) {}

Fault ThreadPool::run(const BoundCall& call, size_t threads) {
  const size_t chunks = threads > 1 ? call.chunks(threads) : 1;
  Fault fault;
  const auto begin = chunks > 1 ? Clock::now() : Clock::time_point();
  if (chunks > 1 && begin >= alone_until_) {
    fault = share_step(call, chunks, begin);
  } else {
    fault = call.run(Chunk{0, 1});
  }
  if (!fault) call.finish();
  return fault;
}

Fault ThreadPool::share_step(const BoundCall& call, size_t chunks, Clock::time_point begin) {
  // Nobody looks at these: every chunk of the step before is done, and of this one none is
  // claimed.
  call_.store(&call, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  fault_ = {};
  step_ = step_of(ticket_of(step_ + 1, 0));
  ticket_.store(ticket_of(step_, chunks), std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) > 0) wake();
  work(step_);
  wait_for_stragglers(chunks, begin);
  // Written before its chunk was counted as done, so it can be read now.
  return fault_;
}

// Claims and runs chunks of the step until none is left.
void ThreadPool::work(uint64_t step) {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (step_of(ticket) == step && chunk_of(ticket) < chunks_of(ticket)) {
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acquire)) continue;
    // From here on the step stays open until this chunk is done.
    const BoundCall* call = call_.load(std::memory_order_relaxed);
    const Fault fault = call->run(Chunk{chunk_of(ticket), chunks_of(ticket)});
    if (fault) {
      const std::lock_guard<std::mutex> lock(fault_mutex_);
      fault_ = fault;
    }
    done_.fetch_add(1, std::memory_order_release);
    ticket = ticket_.load(std::memory_order_acquire);
  }
}

void ThreadPool::wait_for_stragglers(size_t chunks, Clock::time_point begin) {
  if (done_.load(std::memory_order_acquire) == chunks) return;
  const auto waiting = Clock::now();
  const auto late = waiting + std::max<Clock::duration>(kLate, waiting - begin);
  bool is_late = false;
  for (int spin = 1; done_.load(std::memory_order_acquire) != chunks; ++spin) {
    pause();
    if (spin % 64 != 0 || Clock::now() < late) continue;
    is_late = true;
    std::this_thread::yield();
  }
  if (is_late) work_alone(begin);
}

void ThreadPool::work_alone(Clock::time_point begin) {
  const bool again = begin - alone_until_ < alone_for_;
  alone_for_ = again ? std::min(2 * alone_for_, kAloneAtMost) : kAloneAtFirst;
  alone_until_ = Clock::now() + alone_for_;
}

void ThreadPool::call_up(size_t threads) {
  if (threads_ != threads) {
    const std::lock_guard<std::mutex> lock(sleep_mutex_);
    threads_ = threads;
    resized_.notify_all();
  }
  while (helpers_ + 1 < std::min(threads, processors_)) {
    const size_t index = helpers_ + 1;
    try {
      std::thread([this, index] { help(index); }).detach();
    } catch (const std::system_error&) {
      return;  // The system has no thread left: those that are here do the work.
    }
    helpers_ = index;
  }
}

void ThreadPool::help(size_t index) {
  step_back();
  uint64_t seen = 0;
  for (;;) {
    if (!is_wanted(index)) rest(index);
    seen = await_step_after(seen);
    work(seen);
  }
}

// A helper that is not wanted any more sleeps apart from those that a step wakes.
void ThreadPool::rest(size_t index) {
  std::unique_lock<std::mutex> lock(sleep_mutex_);
  resized_.wait(lock, [&] { return is_wanted(index); });
}

uint64_t ThreadPool::await_step_after(uint64_t seen) {
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

void ThreadPool::wake() {
  const std::lock_guard<std::mutex> lock(sleep_mutex_);
  opened_.notify_all();
}

// More helpers than processors would only take them from each other; the work is cut into as many
// chunks all the same.
bool ThreadPool::is_wanted(size_t helper) const {
  return helper < std::min(threads_.load(), processors_);
}

}  // namespace nb
