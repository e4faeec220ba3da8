// Checks which runs of programs go side by side, and in which order the others get their turns.
// Exits 1 where it is otherwise; hangs where a run waits for ever.
#include <atomic>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "threads/cores.h"
#include "threads/run_queue.h"

namespace {

using nb::Chunk;
using nb::DType;
using nb::Run;
using nb::Team;

// What the step of a program does, by its number: once, whatever it is cut into.
std::map<size_t, std::function<void()>> actions;

void act_check(nb::Inout y, nb::Size n, nb::Size) { nb::holds(y, n); }
void act_run(nb::Inout, nb::Size, nb::Size action, Chunk chunk) noexcept {
  if (chunk.index == 0) actions.at(action)();
}
const nb::Registration act = nb::kernel<act_check, act_run>("act", "y n action");

constexpr size_t kSmall = 16;
constexpr size_t kLarge = 2 * nb::kWorthSharing;

// A program of one step, with the action of this number.
class Acting {
 public:
  Acting(nb::Buffers& buffers, size_t length, size_t action)
      : program(buffers, 64 + length * sizeof(float),
                {{nb::Program::Home::arena, 0, 0, length, DType::float32}},
                {{kernel(), {0, double(length), double(action)}}}, {}) {}

  nb::Program program;

 private:
  static const nb::Kernel* kernel() {
    for (const nb::Kernel& kernel : nb::registry()) {
      if (kernel.name == "act") return &kernel;
    }
    return nullptr;
  }
};

void add(Run& run, const nb::Program& program, size_t iterations) {
  run.parts.emplace_back().program = &program;
  run.turns.push_back({&run.parts.back(), iterations});
}

// A run that a driver leads.
struct Later {
  Run run;
  std::atomic<bool> over{false};
  void start(Team& team) {
    nb::run_later(team, run, [this] { over = true; });
  }
  void wait() const {
    while (!over) std::this_thread::yield();
  }
};

// Two small runs with the action 0.
struct Pair {
  explicit Pair(nb::Buffers& buffers) : a(buffers, kSmall, 0), b(buffers, kSmall, 0) {
    add(one.run, a.program, 1);
    add(other.run, b.program, 1);
  }
  void wait() const {
    one.wait();
    other.wait();
  }
  const Acting a, b;
  Later one, other;
};

void meet(std::atomic<int>& here, int count) {
  ++here;
  while (here < count) std::this_thread::yield();
}

bool expect(bool ok, const char* what) {
  if (!ok) std::printf("%s: FAILED\n", what);
  return ok;
}

// Two that wait for each other end only where they go at once.
void side_by_side(nb::Buffers& buffers, Team& first, Team& second) {
  std::atomic<int> here{0};
  actions[0] = [&] { meet(here, 2); };
  Pair pair(buffers);
  pair.one.start(first);
  pair.other.start(second);
  pair.wait();
}

// A thread that leads its own run, beside one that a driver leads.
void beside_a_call(nb::Buffers& buffers, Team& team) {
  std::atomic<int> here{0};
  actions[0] = [&] { meet(here, 2); };
  const Acting a(buffers, kSmall, 0), b(buffers, kSmall, 0);
  Later later;
  Run now;
  add(later.run, a.program, 1);
  add(now, b.program, 1);
  later.start(team);
  nb::run_now(team, now);
  later.wait();
}

bool one_thread(nb::Buffers& buffers) {
  Team team;
  team.resize(1);
  std::atomic<int> here{0}, most{0};
  actions[0] = [&] {
    const int now = ++here;
    if (now > most) most = now;
    std::this_thread::yield();
    --here;
  };
  const Acting a(buffers, kSmall, 0), b(buffers, kLarge, 0);
  Later one, other;
  add(one.run, a.program, 1000);
  add(other.run, b.program, 1000);
  one.start(team);
  other.start(team);
  one.wait();
  other.wait();
  return expect(most == 1, "a team of one thread");
}

// Small runs that have no end of their own, and a large one between them.
bool large_beside_small(nb::Buffers& buffers, Team& team) {
  std::atomic<bool> ran{false};
  actions[0] = [] { std::this_thread::yield(); };
  actions[1] = [&] { ran = true; };
  const Acting a(buffers, kSmall, 0), b(buffers, kSmall, 0), c(buffers, kSmall, 0);
  const Acting large(buffers, kLarge, 1);
  Later small[3], big;
  const nb::Program* programs[] = {&a.program, &b.program, &c.program};
  for (int i = 0; i < 3; ++i) {
    add(small[i].run, *programs[i], SIZE_MAX);
    small[i].start(team);
  }
  add(big.run, large.program, 3);
  big.start(team);
  big.wait();
  bool ok = expect(ran && big.run.parts[0].iterations_done == 3, "a large run beside small ones");
  for (Later& run : small) {
    ok &= expect(!run.over, "they go on");
    run.run.cancelled = true;
    run.wait();
  }
  return ok;
}

// The other way round.
void small_beside_large(nb::Buffers& buffers, Team& team, Team& other) {
  actions[0] = [] {};
  actions[1] = [] { std::this_thread::yield(); };
  const Acting large(buffers, kLarge, 1), small(buffers, kSmall, 0);
  Later big, little;
  Run now;
  add(big.run, large.program, SIZE_MAX);
  add(little.run, small.program, 10);
  big.start(team);
  little.start(team);
  little.wait();
  add(now, small.program, 10);
  nb::run_now(other, now);
  big.run.cancelled = true;
  big.wait();
}

// A second thread lets one in that waits.
void resized(nb::Buffers& buffers) {
  Team team;
  team.resize(1);
  std::atomic<int> here{0};
  actions[0] = [&] { meet(here, 2); };
  Pair pair(buffers);
  pair.one.start(team);
  pair.other.start(team);
  while (here < 1) std::this_thread::yield();
  team.resize(2);
  pair.wait();
}

// What waits behind another is taken back; what is computed is not.
bool withdrawn(nb::Buffers& buffers) {
  Team team;
  team.resize(1);
  std::atomic<bool> began{false}, may_end{false};
  actions[0] = [&] {
    began = true;
    while (!may_end) std::this_thread::yield();
  };
  Pair pair(buffers);
  Later &one = pair.one, &other = pair.other;
  one.start(team);
  while (!began) std::this_thread::yield();
  other.start(team);
  bool ok = expect(nb::withdraw(other.run), "a run that waits");
  ok &= expect(!nb::withdraw(one.run), "a run that is computed");
  may_end = true;
  one.wait();
  ok &= expect(!other.over && other.run.parts[0].iterations_done == 0, "it was taken back");
  return ok && expect(!nb::withdraw(one.run), "a run that is over");
}

// Programs that take turns, each with the next row of its tables.
bool in_turns(nb::Buffers& buffers, Team& team) {
  std::vector<int> order;
  actions[0] = [&] { order.push_back(0); };
  actions[1] = [&] { order.push_back(1); };
  const Acting a(buffers, kSmall, 0), b(buffers, kSmall, 1);
  Run run;
  add(run, a.program, 2);
  add(run, b.program, 1);
  run.turns.push_back({&run.parts[0], 0});
  run.turns.push_back({&run.parts[0], 1});
  run.turns.push_back({&run.parts[1], 2});
  float fed[3] = {1, 2, 3}, cell = 0, collected[3] = {};
  nb::Contents contents;
  char *cells = reinterpret_cast<char*>(&cell), *rows = reinterpret_cast<char*>(fed);
  run.parts[1].feeds.push_back({rows, cells, sizeof cell, &contents});
  run.parts[1].collects.push_back(
      {reinterpret_cast<char*>(collected), cells, sizeof cell, &contents});
  nb::run_now(team, run);
  bool ok = expect(order == std::vector<int>{0, 0, 1, 0, 1, 1}, "turns");
  ok &= expect(collected[0] == 1 && collected[1] == 2 && collected[2] == 3, "rows");
  ok &= expect(run.parts[0].iterations_done == 3 && run.parts[1].iterations_done == 3, "counts");
  return ok;
}

}  // namespace

int main() {
  nb::Buffers buffers;
  Team two, other;
  two.resize(2);
  other.resize(1);
  side_by_side(buffers, two, two);
  // Threads beyond the processors are only for who asks for them.
  if (nb::usable_cores() > 1) side_by_side(buffers, two, other);
  beside_a_call(buffers, two);
  small_beside_large(buffers, two, other);
  resized(buffers);
  bool ok = one_thread(buffers);
  ok &= large_beside_small(buffers, two);
  ok &= withdrawn(buffers);
  ok &= in_turns(buffers, two);
  std::printf("%s\n", ok ? "ok" : "FAILED");
  return ok ? 0 : 1;
}
