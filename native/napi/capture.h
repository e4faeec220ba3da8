// Programs as JavaScript sees them: compiled once, run synchronously or awaited, cancelled.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "owners.h"
#include "program.h"
#include "threads/run_queue.h"

namespace nb {

// What errors begin with.
constexpr const char* kProgram = "program";

// The programs of one environment, and its runs that are under way.
class Programs {
 public:
  Programs(napi_env env, Team& team, Buffers& buffers, Owners& owners)
      : env_(env), team_(team), buffers_(buffers), owners_(owners) {}
  ~Programs();

  // compile(arenaBytes, places, steps, weights, owner?): id. It is disposed of when the
  // owner, an object, is collected. See Backend.compile in src/backend/native.ts.
  double compile(const Napi::CallbackInfo& info);
  // runProgram(id, iterations, transfers, whether it is too short to wait for anybody): iterations
  // done. Transfers are a Float64Array of [collect?, table, cell, elements per iteration] each.
  double run(const Napi::CallbackInfo& info);
  // startPrograms(parts, turns, callback(error, iterations done of each part)), as Float64Arrays:
  // of each part its program's id, the number of its transfers, and these; of each turn the number
  // of its part, and iterations.
  void start(const Napi::CallbackInfo& info);
  // Stops the run that a program belongs to after the iteration that is being computed.
  void cancel(double id);
  // Iterations done of its part in the run under way, 0 without one.
  double progress(double id);
  void dispose(double id);

 private:
  struct Activity;
  struct Entry {
    uint64_t id;
    std::unique_ptr<Program> program;
    // The tie to its owner.
    uint32_t owner = 0;
    // The run under way, of which a program belongs to one at most, and its part there.
    Activity* activity = nullptr;
    const Run::Part* part = nullptr;
    bool disposed = false;
  };
  // A run under way: its programs, part by part, the memory that it uses, and who wants to know of
  // its end.
  struct Activity {
    Run run;
    std::vector<Entry*> entries;
    std::vector<Hold> holds;
    Napi::FunctionReference callback;
    // Told by the driver thread, asked by the environment's end.
    std::mutex mutex;
    std::condition_variable changed;
    bool over = false;
    void await_end();
  };

  Entry& entry(double id);
  // By root: its use, and whether it is moved row by row, as tables and cells are.
  using Holds = std::unordered_map<uint32_t, std::pair<Hold, bool>>;
  void hold_for(Holds& holds, const Hold& hold, bool moves);
  void add_part(Activity& activity, Holds& holds, double id, size_t iterations, const double* begin,
                const double* end);
  void prepare(Activity& activity, const std::vector<double>& parts,
               const std::vector<double>& turns);
  void leave(Activity& activity);
  void finish(Activity& activity);
  void open_queue();
  // Takes back what waits in the queue; cancels what is running and waits for it.
  void stop() noexcept;
  static void on_done(napi_env env, napi_value, void* context, void* data);

  napi_env env_;
  Team& team_;
  Buffers& buffers_;
  Owners& owners_;
  std::unordered_map<uint64_t, std::unique_ptr<Entry>> entries_;
  uint64_t next_id_ = 1;
  std::unordered_map<Activity*, std::unique_ptr<Activity>> activities_;
  napi_threadsafe_function queue_ = nullptr;
};

}  // namespace nb
