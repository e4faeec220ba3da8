// Runs of programs: what they use is resolved and taken here, and given back at their end.
#include <algorithm>
#include <system_error>

#include "../gemm/panels.h"
#include "capture.h"
#include "values.h"

namespace nb {

namespace {

// Numbers of a transfer.
constexpr size_t kTransfer = 4;

// One side of a transfer.
struct Side {
  const char* begin;
  const char* end;
  bool written;
  bool is_table;
};

// Rows are moved with memcpy, and one table must not change another.
void refuse_overlaps(napi_env env, const std::vector<Side>& sides) {
  for (size_t j = 1; j < sides.size(); ++j) {
    for (size_t i = 0; i < j; ++i) {
      const Side &a = sides[i], &b = sides[j];
      const bool apart = a.end <= b.begin || b.end <= a.begin;
      if (apart || !(a.written || b.written) || !(a.is_table || b.is_table)) continue;
      refuse(env, "program: a table must not overlap another table or a cell");
    }
  }
}

Side side_of(const Buffer& buffer, bool written, bool is_table) {
  const char* begin = static_cast<const char*>(buffer.data);
  return {begin, begin + buffer.length * element_size(buffer.dtype), written, is_table};
}

}  // namespace

void Programs::hold_for(Holds& holds, const Hold& hold, bool moves) {
  auto& [of_run, moved] = holds.try_emplace(hold.root, std::pair(hold, moves)).first->second;
  of_run.writes |= hold.writes;
  if (of_run.panels.cols == 0) of_run.panels = hold.panels;
  moved |= moves;
  if (moved && of_run.panels.cols > 0) {
    refuse(env_, "program: expected tables and cells that are no weights of its steps; copy them");
  }
}

// A part of a run, with what it uses of the memory. Its tables must have a row for each of its
// iterations.
void Programs::add_part(Activity& activity, Holds& holds, double id, size_t iterations,
                        const double* begin, const double* end) {
  Entry& entry = this->entry(id);
  const auto& entries = activity.entries;
  if (entry.activity || std::find(entries.begin(), entries.end(), &entry) != entries.end()) {
    refuse(env_, "program: it is running already; await that first", "BUSY");
  }
  activity.entries.push_back(&entry);
  Run::Part& part = activity.run.parts.emplace_back();
  part.program = entry.program.get();
  for (const Hold& hold : part.program->held()) hold_for(holds, hold, false);
  std::vector<Side> sides;
  for (const double* at = begin; at < end; at += kTransfer) {
    const bool collects = at[0] != 0;
    const Buffer* table = buffers_.find(at[1]);
    const Buffer* cell = buffers_.find(at[2]);
    if (table == nullptr || cell == nullptr) {
      refuse(env_, "program: a table or a cell is not a buffer in use");
    }
    const size_t width = size_of(env_, at[3], kProgram);
    size_t elements;
    if (table->dtype != cell->dtype || width > cell->length ||
        __builtin_mul_overflow(width, iterations, &elements) || elements > table->length) {
      refuse(env_, "program: a table does not hold a row for every iteration");
    }
    (collects ? part.collects : part.feeds)
        .push_back({static_cast<char*>(table->data), static_cast<char*>(cell->data),
                    width * element_size(cell->dtype), (collects ? table : cell)->contents});
    sides.push_back(side_of(*table, collects, true));
    sides.push_back(side_of(*cell, !collects, false));
    hold_for(holds, {table->root, collects}, true);
    hold_for(holds, {cell->root, !collects}, true);
  }
  refuse_overlaps(env_, sides);
}

namespace {

// Iterations of a part in all of its turns.
size_t iterations_of(napi_env env, size_t part, const std::vector<double>& turns) {
  size_t sum = 0;
  for (size_t i = 0; i + 1 < turns.size(); i += 2) {
    if (turns[i] != static_cast<double>(part)) continue;
    if (__builtin_add_overflow(sum, size_of(env, turns[i + 1], kProgram), &sum)) {
      refuse(env, "program: too many iterations");
    }
  }
  return sum;
}

}  // namespace

// Resolves a run and takes the memory that it uses: all of it, or none where it throws.
void Programs::prepare(Activity& activity, const std::vector<double>& parts,
                       const std::vector<double>& turns) {
  Run& run = activity.run;
  Holds holds;
  for (size_t i = 0; i < parts.size();) {
    const size_t left = parts.size() - i;
    const size_t transfers = left < 2 ? left : size_of(env_, parts[i + 1], kProgram);
    if (left < 2 || transfers > (left - 2) / kTransfer) {
      refuse(env_, "program: expected parts of 2 numbers and transfers of 4");
    }
    const double *begin = &parts[i] + 2, *end = begin + kTransfer * transfers;
    const size_t iterations = iterations_of(env_, run.parts.size(), turns);
    add_part(activity, holds, parts[i], iterations, begin, end);
    i += 2 + kTransfer * transfers;
  }
  if (turns.size() % 2 != 0) refuse(env_, "program: expected turns of 2 numbers");
  for (size_t i = 0; i < turns.size(); i += 2) {
    const size_t part = size_of(env_, turns[i], kProgram);
    if (part >= run.parts.size()) refuse(env_, "program: no such part");
    run.turns.push_back({&run.parts[part], size_of(env_, turns[i + 1], kProgram)});
  }
  for (const auto& [root, use] : holds) activity.holds.push_back(use.first);
  if (!buffers_.occupy(activity.holds)) refuse(env_, std::string("program: ") + kBusy, "BUSY");
  // What its steps use, the run itself lays out: large weights would hold JavaScript up.
  for (const auto& [root, use] : holds) {
    if (!use.second || lay_out(*buffers_.root(root).contents, {})) continue;
    buffers_.vacate(activity.holds);
    refuse(env_, "program: no memory to bring weights into rows", "MEMORY");
  }
  for (size_t i = 0; i < activity.entries.size(); ++i) {
    activity.entries[i]->activity = &activity;
    activity.entries[i]->part = &run.parts[i];
  }
}

void Programs::leave(Activity& activity) {
  buffers_.vacate(activity.holds);
  for (Entry* entry : activity.entries) entry->activity = nullptr;
}

namespace {

std::string describe_stop(const Run& run) {
  return std::string(run.faulty_step) + ": " + run.fault.text();
}

}  // namespace

double Programs::run(const Napi::CallbackInfo& info) {
  Activity activity;
  std::vector<double> part = numbers_of(info[2], kProgram);
  if (part.size() % kTransfer != 0) refuse(env_, "program: expected transfers of 4 numbers");
  const auto transfers = static_cast<double>(part.size() / kTransfer);
  part.insert(part.begin(), {number_at(env_, info[0]), transfers});
  prepare(activity, part, {0, number_at(env_, info[1])});
  if (info[3].ToBoolean()) {
    run_at_once(activity.run);
  } else {
    run_now(team_, activity.run);
  }
  leave(activity);
  if (activity.run.fault) refuse(env_, describe_stop(activity.run));
  return static_cast<double>(activity.run.parts[0].iterations_done.load());
}

void Programs::start(const Napi::CallbackInfo& info) {
  const std::vector<double> parts = numbers_of(info[0], kProgram);
  const std::vector<double> turns = numbers_of(info[1], kProgram);
  if (!info[2].IsFunction()) refuse(env_, "program: expected a callback");
  open_queue();
  auto owned = std::make_unique<Activity>();
  Activity& activity = *owned;
  activity.callback = Napi::Persistent(info[2].As<Napi::Function>());
  prepare(activity, parts, turns);
  try {
    run_later(team_, activity.run, [&activity, queue = queue_] {
      // Queued before `over` is told, so that the queue is still open.
      napi_call_threadsafe_function(queue, &activity, napi_tsfn_nonblocking);
      const std::lock_guard<std::mutex> lock(activity.mutex);
      activity.over = true;
      activity.changed.notify_all();
    });
  } catch (const std::exception& error) {
    leave(activity);
    refuse(env_, std::string("program: no thread to run it on (") + error.what() + ")");
  }
  activities_.emplace(&activity, std::move(owned));
  if (activities_.size() == 1) napi_ref_threadsafe_function(env_, queue_);
}

void Programs::open_queue() {
  if (queue_ != nullptr) return;
  const Napi::String name = Napi::String::New(env_, "neuroblas program");
  if (napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                      on_done, &queue_) != napi_ok) {
    refuse(env_, "program: it cannot be awaited in an environment that ends");
  }
  napi_unref_threadsafe_function(env_, queue_);
  // Hooks run in reverse order: this one before the queue's own, so that the driver thread never
  // finds a queue that is gone.
  napi_add_env_cleanup_hook(
      env_, [](void* programs) { static_cast<Programs*>(programs)->stop(); }, this);
}

void Programs::on_done(napi_env env, napi_value, void* programs, void* activity) {
  // Without an environment nobody waits for the result, and the activity may be gone.
  if (env == nullptr) return;
  try {
    static_cast<Programs*>(programs)->finish(*static_cast<Activity*>(activity));
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  }
}

// Waits for the driver's last word on a run, which may come a little after the queue's.
void Programs::Activity::await_end() {
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [this] { return over; });
}

void Programs::finish(Activity& activity) {
  const Napi::HandleScope scope(env_);
  activity.await_end();
  const auto found = activities_.find(&activity);
  const std::unique_ptr<Activity> owned = std::move(found->second);
  activities_.erase(found);
  leave(activity);
  if (activities_.empty()) napi_unref_threadsafe_function(env_, queue_);
  for (const Entry* entry : activity.entries) {
    if (entry->disposed) entries_.erase(entry->id);
  }
  const Run& run = activity.run;
  const Napi::Value error = run.fault
                                ? Napi::String::New(env_, describe_stop(run)).As<Napi::Value>()
                                : Napi::Env(env_).Null();
  const Napi::Array iterations = Napi::Array::New(env_, run.parts.size());
  for (uint32_t i = 0; i < run.parts.size(); ++i) {
    const auto done = static_cast<double>(run.parts[i].iterations_done.load());
    iterations.Set(i, done);
  }
  const napi_value arguments[] = {error, iterations};
  // It fails where JavaScript has been stopped for good: then nobody waits.
  napi_call_function(env_, Napi::Env(env_).Undefined(), activity.callback.Value(), 2, arguments,
                     nullptr);
}

void Programs::stop() noexcept {
  for (auto& [activity, owned] : activities_) {
    if (withdraw(activity->run)) continue;
    activity->run.cancelled = true;
    activity->await_end();
  }
  activities_.clear();
}

Programs::~Programs() { stop(); }

}  // namespace nb
