// Everything that belongs to one JavaScript environment: the main thread's or a worker's.
#pragma once

#include "capture.h"
#include "values.h"

namespace nb {

struct Environment {
  explicit Environment(napi_env env) : programs(env, buffers) {}

  Buffers buffers;
  Programs programs;
  double* mailbox = nullptr;
  // Keeps it alive.
  napi_ref mailbox_buffer = nullptr;
};

inline Environment& environment(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

}  // namespace nb
