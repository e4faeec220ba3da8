// Checks who computes a single call: the helpers, too, where no run is under way, else its own
// thread alone and at once. Exits 1 where it is otherwise; hangs where a call waits for another.
// Runs of programs are checked in run_turns_test.cc.
#include "threads/run_queue.h"

#include <atomic>
#include <cstdio>
#include <thread>

namespace {

using nb::Chunk;
using nb::Fault;

class Probe : public nb::BoundCall {
 public:
  Probe() : BoundCall(1) {}
  Fault run(Chunk chunk) const noexcept override {
    cuts = chunk.count;
    began = true;
    while (!may_end) std::this_thread::yield();
    ++runs;
    return fails ? Fault::of("%s is wrong", "this") : Fault();
  }
  void finish() const noexcept override { ++finishes; }
  size_t chunks(size_t threads) const noexcept override { return 4 * threads; }

  mutable std::atomic<size_t> cuts{0}, runs{0}, finishes{0};
  mutable std::atomic<bool> began{false};
  std::atomic<bool> may_end{true};
  bool fails = false;
};

bool expect(bool ok, const char* what) {
  if (!ok) std::printf("%s: FAILED\n", what);
  return ok;
}

}  // namespace

int main() {
  nb::Team team;
  team.resize(2);
  Probe alone;
  nb::run_call(team, alone);
  bool ok = expect(alone.cuts == 8 && alone.runs == 8 && alone.finishes == 1, "with the helpers");

  Probe busy, meanwhile;
  busy.may_end = false;
  std::thread other([&] { nb::run_call(team, busy); });
  while (!busy.began) std::this_thread::yield();
  nb::run_call(team, meanwhile);
  ok &=
      expect(meanwhile.cuts == 1 && meanwhile.runs == 1 && meanwhile.finishes == 1, "beside a run");
  busy.may_end = true;
  other.join();
  ok &= expect(busy.runs == 8 && busy.finishes == 1, "the run itself");

  Probe faulty;
  faulty.fails = true;
  const Fault fault = nb::run_call(team, faulty);
  ok &= expect(std::string(fault.text()) == "this is wrong" && faulty.finishes == 0, "a fault");

  // Another environment with one thread of its own.
  nb::Team small;
  small.resize(1);
  Probe single;
  nb::run_call(small, single);
  ok &= expect(single.cuts == 1 && small.threads() == 1 && team.threads() == 2, "one thread");
  std::printf("%s\n", ok ? "ok" : "FAILED");
  return ok ? 0 : 1;
}
