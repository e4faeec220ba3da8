#include "capture.h"

#include <system_error>

#include "threads/run_queue.h"

namespace nb {

namespace {

[[noreturn]] void refuse(napi_env env, const std::string& message, const char* code = "KERNEL") {
  const Napi::Error error = Napi::Error::New(env, message);
  error.Value()["code"] = code;
  throw error;
}

Napi::Float64Array numbers(const Napi::CallbackInfo& info, size_t position) {
  if (!info[position].IsTypedArray() ||
      info[position].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    refuse(info.Env(), "program: expected a Float64Array");
  }
  return info[position].As<Napi::Float64Array>();
}

size_t whole(napi_env env, double value) {
  if (!(value >= 0 && value <= kMaxInteger) ||
      value != static_cast<double>(static_cast<uint64_t>(value))) {
    refuse(env, "program: expected an integer >= 0");
  }
  return static_cast<size_t>(value);
}

std::vector<Program::Place> read_places(const Napi::Float64Array& values) {
  std::vector<Program::Place> places;
  for (size_t i = 0; i + 4 <= values.ElementLength(); i += 4) {
    const size_t dtype = whole(values.Env(), values[i + 3]);
    if (dtype >= kDTypeCount) refuse(values.Env(), "program: no such dtype");
    places.push_back({values[i] == 0, values[i + 1],
                      static_cast<double>(whole(values.Env(), values[i + 2])),
                      static_cast<DType>(dtype)});
    if (values[i] == 0) whole(values.Env(), values[i + 1]);
  }
  return places;
}

// Each step: the kernel's position in the addon's list, then its arguments.
std::vector<Program::Step> read_steps(const Napi::Float64Array& values) {
  std::vector<Program::Step> steps;
  for (size_t i = 0; i < values.ElementLength();) {
    const size_t index = whole(values.Env(), values[i++]);
    if (index >= registry().size()) refuse(values.Env(), "program: no such kernel");
    const Kernel& kernel = registry()[index];
    if (values.ElementLength() - i < kernel.kinds.size()) {
      refuse(values.Env(), "program: arguments are missing");
    }
    Program::Step step{&kernel, {}};
    for (size_t k = 0; k < kernel.kinds.size(); ++k) step.arguments.push_back(values[i++]);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace

double Programs::compile(const Napi::CallbackInfo& info) {
  const size_t arena_bytes = whole(info.Env(), info[0].As<Napi::Number>().DoubleValue());
  auto entry = std::make_unique<Entry>();
  entry->id = next_id_;
  const auto places = read_places(numbers(info, 1));
  const Program::Steps steps{read_steps(numbers(info, 3)), read_steps(numbers(info, 2)),
                             read_steps(numbers(info, 4))};
  try {
    entry->program = std::make_unique<Program>(buffers_, arena_bytes, places, steps);
  } catch (const std::bad_alloc&) {
    refuse(env_, "program: no memory for an arena of " + std::to_string(arena_bytes) + " bytes",
           "MEMORY");
  } catch (const KernelFault& fault) {
    refuse(env_, std::string("program: ") + fault.what());
  }
  entries_.emplace(next_id_, std::move(entry));
  return static_cast<double>(next_id_++);
}

Programs::Entry& Programs::entry(double id) {
  const auto found =
      id >= 0 && id <= kMaxInteger ? entries_.find(static_cast<uint64_t>(id)) : entries_.end();
  if (found == entries_.end() || found->second->disposed)
    refuse(env_, "program: it was disposed of");
  return *found->second;
}

// Resolves the transfers, [collect?, table, cell, elements per pass] each, and takes the buffers:
// all of them, or none where it throws.
void Programs::prepare(Entry& entry, Run& run, const Napi::CallbackInfo& info) {
  if (entry.run || !entry.over) refuse(env_, "program: it is running already; await run() first");
  run.program = entry.program.get();
  run.passes = whole(env_, info[1].As<Napi::Number>().DoubleValue());
  const Napi::Float64Array values = numbers(info, 2);
  std::vector<double> tables;
  for (size_t i = 0; i + 4 <= values.ElementLength(); i += 4) {
    const Buffer* table = buffers_.find(values[i + 1]);
    const Buffer* cell = buffers_.find(values[i + 2]);
    if (table == nullptr || cell == nullptr || table->busy > 0 || cell->busy > 0) {
      refuse(env_, "program: a table is not a buffer in use, or used by a running program");
    }
    const size_t width = whole(env_, values[i + 3]);
    size_t elements;
    if (table->dtype != cell->dtype || cell->pins == 0 || width > cell->length ||
        __builtin_mul_overflow(width, run.passes, &elements) || elements > table->length) {
      refuse(env_, "program: a table does not hold a row for every pass");
    }
    (values[i] == 0 ? run.feeds : run.collects)
        .push_back({static_cast<char*>(table->data), static_cast<char*>(cell->data),
                    width * element_size(cell->dtype)});
    tables.push_back(values[i + 1]);
  }
  entry.tables.reserve(tables.size());
  if (!entry.program->occupy()) {
    refuse(env_, "program: one of its buffers is in use by a running program; await that first");
  }
  for (double table : tables) {
    entry.tables.push_back(buffers_.pin(table));
    buffers_.occupy(entry.tables.back(), true);
  }
  entry.over = false;
}

void Programs::leave(Entry& entry) {
  entry.program->vacate();
  for (uint32_t slot : entry.tables) {
    buffers_.occupy(slot, false);
    buffers_.unpin(slot);
  }
  entry.tables.clear();
  entry.over = true;
}

namespace {

std::string describe_stop(const Run& run) {
  return std::string(run.program->name(run.faulty_step)) + ": " + describe(run.fault);
}

}  // namespace

double Programs::run(const Napi::CallbackInfo& info) {
  Entry& entry = this->entry(info[0].As<Napi::Number>().DoubleValue());
  Run run;
  prepare(entry, run, info);
  run_now(run);
  leave(entry);
  if (run.fault) refuse(env_, describe_stop(run));
  return static_cast<double>(run.passes_done.load());
}

void Programs::start(const Napi::CallbackInfo& info) {
  Entry& entry = this->entry(info[0].As<Napi::Number>().DoubleValue());
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
  const auto passes = static_cast<double>(run->passes_done.load());
  const napi_value arguments[] = {error, Napi::Number::New(env_, passes)};
  // It fails where JavaScript has been stopped for good: then nobody waits.
  napi_call_function(env_, Napi::Env(env_).Undefined(), callback.Value(), 2, arguments, nullptr);
}

void Programs::cancel(double id) {
  Entry& entry = this->entry(id);
  if (entry.run) entry.run->cancelled = true;
}

double Programs::progress(double id) {
  Entry& entry = this->entry(id);
  return entry.run ? static_cast<double>(entry.run->passes_done.load()) : 0;
}

void Programs::dispose(double id) {
  Entry& entry = this->entry(id);
  entry.disposed = true;
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
