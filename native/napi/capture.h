// Programs as JavaScript sees them: compiled once, run synchronously or awaited, cancelled.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "owners.h"
#include "program.h"

namespace nb {

// The programs of one environment, and its runs that are under way.
class Programs {
 public:
  Programs(napi_env env, Buffers& buffers, Owners& owners)
      : env_(env), buffers_(buffers), owners_(owners) {}
  ~Programs();

  // compile(arenaBytes, places, steps, before, after, owner?): id. It is disposed of when the
  // owner, an object, is collected. See Backend.compile in src/backend/native.ts.
  double compile(const Napi::CallbackInfo& info);
  // runProgram(id, iterations, transfers, whether it is too short to wait for anybody): iterations
  // done
  double run(const Napi::CallbackInfo& info);
  // startProgram(id, iterations, transfers, callback(error, iterations done))
  void start(const Napi::CallbackInfo& info);
  // Stops after the iteration that is being computed.
  void cancel(double id);
  double progress(double id);
  void dispose(double id);

 private:
  struct Entry {
    uint64_t id;
    std::unique_ptr<Program> program;
    // The tie to its owner.
    uint32_t owner = 0;
    // The run under way, of which a program has one at most, and who wants to know of its end.
    std::unique_ptr<Run> run;
    Napi::FunctionReference callback;
    // The memory that the run under way uses.
    std::vector<Hold> holds;
    bool disposed = false;
    // Told by the driver thread, asked by the environment's end.
    std::mutex mutex;
    std::condition_variable changed;
    bool over = true;
    void await_end();
  };

  Entry& entry(double id);
  void prepare(Entry& entry, Run& run, const Napi::CallbackInfo& info);
  void leave(Entry& entry);
  void finish(Entry& entry);
  void open_queue();
  // Takes back what waits in the queue; cancels what is running and waits for it.
  void stop() noexcept;
  static void on_done(napi_env env, napi_value, void* context, void* data);

  napi_env env_;
  Buffers& buffers_;
  Owners& owners_;
  std::unordered_map<uint64_t, std::unique_ptr<Entry>> entries_;
  uint64_t next_id_ = 1;
  napi_threadsafe_function queue_ = nullptr;
  size_t pending_ = 0;
};

}  // namespace nb
