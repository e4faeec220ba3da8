// Everything that belongs to one JavaScript environment: the main thread's or a worker's.
#pragma once

#include "capture.h"
#include "owners.h"
#include "threads/run_queue.h"
#include "values.h"

namespace nb {

struct Environment {
  explicit Environment(napi_env env)
      : buffers([this, env] { return available(env); }),
        owners(env, free),
        programs(env, team, buffers, owners) {}

  // Releases a buffer, with its tie; false when the handle is not a buffer in use.
  bool release(double handle);

  Team team;
  // A large call by itself.
  const Together together = [this](const BoundCall& call) { return run_call(team, call); };
  Buffers buffers;
  Owners owners;
  Programs programs;
  double* mailbox = nullptr;
  // Keeps it alive.
  napi_ref mailbox_buffer = nullptr;
  // The JavaScript function that knows how much memory is available; nullptr before it is set.
  napi_ref available_memory = nullptr;

 private:
  size_t available(napi_env env) const;
  static void free(napi_env env, Owners::Owned owned);
};

inline Environment& environment(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

inline bool Environment::release(double handle) {
  const Buffer* buffer = buffers.find(handle);
  if (buffer == nullptr) return false;
  owners.remove(buffer->owner);
  return buffers.release(handle);
}

inline size_t Environment::available(napi_env env) const {
  if (available_memory == nullptr) return physical_memory();
  const Napi::HandleScope scope(env);
  napi_value self, function, result;
  napi_get_undefined(env, &self);
  napi_get_reference_value(env, available_memory, &function);
  // It fails where JavaScript has been stopped for good: then nothing is made any more.
  if (napi_call_function(env, self, function, 0, nullptr, &result) != napi_ok) return 0;
  const double bytes = number_at(env, result);
  return is_size(bytes) ? static_cast<size_t>(bytes) : 0;
}

inline void Environment::free(napi_env env, Owners::Owned owned) {
  Environment& state = environment(env);
  if (owned.kind == Owners::Kind::buffer) {
    state.release(owned.name);
  } else {
    state.programs.dispose(owned.name);
  }
}

}  // namespace nb
