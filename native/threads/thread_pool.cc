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
// A helper that is later than the leader's own share of the step took, and than this, has lost its
// processor to somebody else; for a while the leader then works alone, for twice as long each time
// that it happens again soon after.
constexpr auto kLate = std::chrono::microseconds(200);
constexpr Crew::Clock::duration kAloneAtFirst = std::chrono::milliseconds(20);
constexpr Crew::Clock::duration kAloneAtMost = std::chrono::milliseconds(640);

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

}  // namespace

void step_back() {
#ifdef __linux__
  // Not more: beside a busy neighbour, a helper would wait too long (scripts/bench/hog.mjs).
  constexpr int kNice = 2;
  // Of this thread alone, in spite of its name. Nothing is lost where it is refused.
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
#endif
}

Crew::Crew()
    : processors_(processors()),
      threads_(std::min(usable_cores(), kMaxThreads)),
      alone_for_(kAloneAtFirst) {}

void Crew::resize(size_t count) {
  const std::lock_guard<std::mutex> lock(sleep_mutex_);
  threads_ = count;
  resized_.notify_all();
}

Fault Crew::run(const BoundCall& call, size_t threads) {
  const size_t pieces = threads > 1 ? call.pieces(threads) : 1;
  Fault fault;
  const auto begin = pieces > 1 ? Clock::now() : Clock::time_point();
  if (pieces > 1 && begin >= alone_until_) {
    fault = share_step(call, pieces, begin);
  } else {
    fault = call.run(Share{0, 1});
  }
  if (!fault) call.finish();
  return fault;
}

Fault Crew::share_step(const BoundCall& call, size_t pieces, Clock::time_point begin) {
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
void Crew::work(uint64_t step) {
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

void Crew::wait_for_stragglers(size_t pieces, Clock::time_point begin) {
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

void Crew::work_alone(Clock::time_point begin) {
  const bool again = begin - alone_until_ < alone_for_;
  alone_for_ = again ? std::min(2 * alone_for_, kAloneAtMost) : kAloneAtFirst;
  alone_until_ = Clock::now() + alone_for_;
}

void Crew::call_up(size_t threads) {
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

void Crew::help(size_t index) {
  step_back();
  uint64_t seen = 0;
  for (;;) {
    if (!is_wanted(index)) rest(index);
    seen = await_step_after(seen);
    work(seen);
  }
}

// A helper that is not wanted any more sleeps apart from those that a step wakes.
void Crew::rest(size_t index) {
  std::unique_lock<std::mutex> lock(sleep_mutex_);
  resized_.wait(lock, [&] { return is_wanted(index); });
}

uint64_t Crew::await_step_after(uint64_t seen) {
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

void Crew::wake() {
  const std::lock_guard<std::mutex> lock(sleep_mutex_);
  opened_.notify_all();
}

// More helpers than processors would only take them from each other; the work is cut into as many
// pieces all the same.
bool Crew::is_wanted(size_t helper) const {
  return helper < std::min(threads_.load(), processors_);
}

}  // namespace nb
