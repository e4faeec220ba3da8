#include "capture.h"

#include <system_error>

#include "threads/run_queue.h"
#include "values.h"

namespace nb {

namespace {

constexpr const char* kProgram = "program";

// Five numbers each: home, where, element offset, length, dtype.
std::vector<Program::Place> read_places(napi_env env, const std::vector<double>& values) {
  constexpr size_t kFields = 5;
  if (values.size() % kFields != 0) refuse(env, "program: expected places of 5 numbers");
  std::vector<Program::Place> places;
  for (size_t i = 0; i < values.size(); i += kFields) {
    const double *place = &values[i], home = place[0];
    if (home != 0 && home != 1 && home != 2) refuse(env, "program: no such kind of place");
    const size_t dtype = size_of(env, place[4], kProgram);
    if (dtype >= kDTypeCount) refuse(env, "program: no such dtype");
    places.push_back({static_cast<Program::Home>(home), place[1], size_of(env, place[2], kProgram),
                      size_of(env, place[3], kProgram), static_cast<DType>(dtype)});
  }
  return places;
}

// Each step: the kernel's position in the addon's list, then its arguments.
std::vector<Program::Step> read_steps(napi_env env, const std::vector<double>& values) {
  std::vector<Program::Step> steps;
  for (size_t i = 0; i < values.size();) {
    const size_t index = size_of(env, values[i++], kProgram);
    if (index >= registry().size()) refuse(env, "program: no such kernel");
    const Kernel& kernel = registry()[index];
    if (values.size() - i < kernel.kinds.size()) refuse(env, "program: arguments are missing");
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(i);
    i += kernel.kinds.size();
    steps.push_back({&kernel, {first, values.begin() + static_cast<std::ptrdiff_t>(i)}});
  }
  return steps;
}

}  // namespace

double Programs::compile(const Napi::CallbackInfo& info) {
  const size_t arena_bytes = size_of(env_, number_at(env_, info[0]), kProgram);
  const auto places = read_places(env_, numbers_of(info[1], kProgram));
  const auto steps_at = [&](size_t i) { return read_steps(env_, numbers_of(info[i], kProgram)); };
  const Program::Steps steps{steps_at(3), steps_at(2), steps_at(4)};
  auto entry = std::make_unique<Entry>();
  entry->id = next_id_;
  const auto make = [&] {
    entry->program = std::make_unique<Program>(buffers_, arena_bytes, places, steps);
  };
  try {
    try {
      make();
    } catch (const std::bad_alloc&) {
      owners_.collect();
      make();
    }
  } catch (const std::bad_alloc&) {
    refuse(env_, "program: no memory for an arena of " + std::to_string(arena_bytes) + " bytes",
           "MEMORY");
  } catch (const KernelFault& fault) {
    refuse(env_, std::string("program: ") + fault.what());
  }
  if (!info[5].IsUndefined()) {
    const Owners::Owned owned{Owners::Kind::program, static_cast<double>(next_id_)};
    entry->owner = owners_.add(info[5], owned, arena_bytes);
    if (entry->owner == 0) refuse(env_, "program: expected an object as its owner");
  }
  entries_.emplace(next_id_, std::move(entry));
  return static_cast<double>(next_id_++);
}

Programs::Entry& Programs::entry(double id) {
  const auto found = is_size(id) ? entries_.find(static_cast<uint64_t>(id)) : entries_.end();
  if (found == entries_.end() || found->second->disposed)
    refuse(env_, "program: it was disposed of");
  return *found->second;
}

namespace {

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

void add_hold(std::vector<Hold>& holds, uint32_t root, bool writes) {
  for (Hold& hold : holds) {
    if (hold.root != root) continue;
    hold.writes |= writes;
    return;
  }
  holds.push_back({root, writes});
}

}  // namespace

// Resolves the transfers, [collect?, table, cell, elements per iteration] each, and takes the
// memory: all of it, or none where it throws.
void Programs::prepare(Entry& entry, Run& run, const Napi::CallbackInfo& info) {
  if (entry.run || !entry.over)
    refuse(env_, "program: it is running already; await that first", "BUSY");
  run.program = entry.program.get();
  run.iterations = size_of(env_, number_at(env_, info[1]), kProgram);
  const std::vector<double> values = numbers_of(info[2], kProgram);
  if (values.size() % 4 != 0) refuse(env_, "program: expected transfers of 4 numbers");
  std::vector<Hold> holds = run.program->held();
  std::vector<Side> sides;
  for (size_t i = 0; i < values.size(); i += 4) {
    const bool collects = values[i] != 0;
    const Buffer* table = buffers_.find(values[i + 1]);
    const Buffer* cell = buffers_.find(values[i + 2]);
    if (table == nullptr || cell == nullptr) {
      refuse(env_, "program: a table or a cell is not a buffer in use");
    }
    const size_t width = size_of(env_, values[i + 3], kProgram);
    size_t elements;
    if (table->dtype != cell->dtype || width > cell->length ||
        __builtin_mul_overflow(width, run.iterations, &elements) || elements > table->length) {
      refuse(env_, "program: a table does not hold a row for every iteration");
    }
    (collects ? run.collects : run.feeds)
        .push_back({static_cast<char*>(table->data), static_cast<char*>(cell->data),
                    width * element_size(cell->dtype), (collects ? table : cell)->contents});
    sides.push_back(side_of(*table, collects, true));
    sides.push_back(side_of(*cell, !collects, false));
    add_hold(holds, table->root, collects);
    add_hold(holds, cell->root, !collects);
  }
  refuse_overlaps(env_, sides);
  if (!buffers_.occupy(holds)) {
    refuse(env_, std::string("program: ") + kBusy, "BUSY");
  }
  entry.holds = std::move(holds);
  entry.over = false;
}

void Programs::leave(Entry& entry) {
  buffers_.vacate(entry.holds);
  entry.holds.clear();
  entry.over = true;
}

namespace {

std::string describe_stop(const Run& run) {
  return std::string(run.faulty_step) + ": " + run.fault.text();
}

}  // namespace

double Programs::run(const Napi::CallbackInfo& info) {
  Entry& entry = this->entry(number_at(env_, info[0]));
  Run run;
  prepare(entry, run, info);
  if (info[3].ToBoolean()) {
    run_at_once(run);
  } else {
    run_now(run);
  }
  leave(entry);
  if (run.fault) refuse(env_, describe_stop(run));
  return static_cast<double>(run.iterations_done.load());
}

void Programs::start(const Napi::CallbackInfo& info) {
  Entry& entry = this->entry(number_at(env_, info[0]));
  if (!info[3].IsFunction()) refuse(env_, "program: expected a callback");
  open_queue();
  auto run = std::make_unique<Run>();
  Napi::FunctionReference callback = Napi::Persistent(info[3].As<Napi::Function>());
  prepare(entry, *run, info);
  try {
    run_later(*run, [&entry, queue = queue_] {
      // Queued before `over` is told, so that the queue is still open.
      napi_call_threadsafe_function(queue, &entry, napi_tsfn_nonblocking);
      const std::lock_guard<std::mutex> lock(entry.mutex);
      entry.over = true;
      entry.changed.notify_all();
    });
  } catch (const std::exception& error) {
    leave(entry);
    refuse(env_, std::string("program: no thread to run it on (") + error.what() + ")");
  }
  entry.run = std::move(run);
  entry.callback = std::move(callback);
  if (++pending_ == 1) napi_ref_threadsafe_function(env_, queue_);
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

void Programs::on_done(napi_env env, napi_value, void* programs, void* entry) {
  // Without an environment nobody waits for the result, and the entry may be gone.
  if (env == nullptr) return;
  try {
    static_cast<Programs*>(programs)->finish(*static_cast<Entry*>(entry));
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  }
}

// Waits for the driver's last word on a run, which may come a little after the queue's.
void Programs::Entry::await_end() {
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [this] { return over; });
}

void Programs::finish(Entry& entry) {
  const Napi::HandleScope scope(env_);
  entry.await_end();
  const std::unique_ptr<Run> run = std::move(entry.run);
  const Napi::FunctionReference callback = std::move(entry.callback);
  leave(entry);
  if (--pending_ == 0) napi_unref_threadsafe_function(env_, queue_);
  const Napi::Value error = run->fault
                                ? Napi::String::New(env_, describe_stop(*run)).As<Napi::Value>()
                                : Napi::Env(env_).Null();
  if (entry.disposed) entries_.erase(entry.id);
  const auto iterations = static_cast<double>(run->iterations_done.load());
  const napi_value arguments[] = {error, Napi::Number::New(env_, iterations)};
  // It fails where JavaScript has been stopped for good: then nobody waits.
  napi_call_function(env_, Napi::Env(env_).Undefined(), callback.Value(), 2, arguments, nullptr);
}

void Programs::cancel(double id) {
  Entry& entry = this->entry(id);
  if (entry.run) entry.run->cancelled = true;
}

double Programs::progress(double id) {
  Entry& entry = this->entry(id);
  return entry.run ? static_cast<double>(entry.run->iterations_done.load()) : 0;
}

void Programs::dispose(double id) {
  Entry& entry = this->entry(id);
  entry.disposed = true;
  owners_.remove(entry.owner);
  if (entry.run) {
    entry.run->cancelled = true;
  } else {
    entries_.erase(static_cast<uint64_t>(id));
  }
}

void Programs::stop() noexcept {
  for (auto& [id, entry] : entries_) {
    if (!entry->run) continue;
    if (!withdraw(*entry->run)) {
      entry->run->cancelled = true;
      entry->await_end();
    }
    entry->run.reset();
    entry->callback.Reset();
  }
}

Programs::~Programs() { stop(); }

}  // namespace nb
