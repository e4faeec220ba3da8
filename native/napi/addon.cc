// What the addon exports; nothing is computed here.
//
// The three calls on every op's path (run, alloc, release) use the C interface and take their
// arguments as plain numbers; those of `run` come through a shared Float64Array, the mailbox, which
// costs one store each instead of one call each.
#include <napi.h>

#include <cstring>
#include <memory>
#include <new>

#include "bench.h"
#include "blas.h"
#include "capture.h"
#include "info.h"
#include "kernel.h"
#include "threads/run_queue.h"
#include "values.h"

namespace nb {
namespace {

// Everything that belongs to one JavaScript environment (the main thread or one worker).
struct Environment {
  explicit Environment(napi_env env) : programs(env, buffers) {}

  Buffers buffers;
  Programs programs;
  double* mailbox = nullptr;
  // Keeps it alive.
  napi_ref mailbox_buffer = nullptr;
};

Environment& environment(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

void throw_error(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
}

size_t arguments(napi_env env, napi_callback_info info, napi_value* values, size_t capacity) {
  size_t count = capacity;
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  return count;
}

// Whether the mailbox's memory is still JavaScript's: an array's may be transferred to a worker.
bool has_mailbox(napi_env env, const Environment& state) {
  napi_value buffer;
  bool is_detached = true;
  napi_get_reference_value(env, state.mailbox_buffer, &buffer);
  return napi_is_detached_arraybuffer(env, buffer, &is_detached) == napi_ok && !is_detached;
}

// run(kernelIndex): the arguments are in the mailbox.
napi_value run(napi_env env, napi_callback_info info) {
  napi_value value;
  arguments(env, info, &value, 1);
  const double index = number_at(env, value);
  const auto& kernels = registry();
  if (!is_size(index) || index >= static_cast<double>(kernels.size())) {
    throw_error(env, "KERNEL", "run: no such kernel");
    return nullptr;
  }
  const Kernel& kernel = kernels[static_cast<size_t>(index)];
  Environment& state = environment(env);
  if (!has_mailbox(env, state)) {
    throw_error(env, "KERNEL", kernel.name + ": the mailbox was transferred");
    return nullptr;
  }
  try {
    const Fault fault = kernel.call(state.buffers, state.mailbox, run_call);
    if (fault) throw_error(env, "KERNEL", kernel.name + ": " + fault.text());
  } catch (const std::bad_alloc&) {
    throw_error(env, "MEMORY", kernel.name + ": out of memory");
  } catch (const std::exception& error) {
    throw_error(env, "KERNEL", kernel.name + ": " + error.what());
  }
  return nullptr;
}

// alloc(length, dtype): handle
napi_value alloc(napi_env env, napi_callback_info info) {
  napi_value values[2];
  arguments(env, info, values, 2);
  const double length = number_at(env, values[0]);
  const double dtype = number_at(env, values[1]);
  if (!is_size(length) || !(dtype >= 0 && dtype < kDTypeCount)) {
    throw_error(env, "KERNEL", "alloc: expected a length and a dtype");
    return nullptr;
  }
  try {
    const double handle =
        environment(env).buffers.allocate(static_cast<size_t>(length), static_cast<DType>(dtype));
    napi_value result;
    napi_create_double(env, handle, &result);
    return result;
  } catch (const std::bad_alloc&) {
    throw_error(
        env, "MEMORY",
        "alloc: no memory for " + std::to_string(static_cast<size_t>(length)) + " elements");
    return nullptr;
  }
}

// view(handle, offset, length): handle
napi_value view(napi_env env, napi_callback_info info) {
  napi_value values[3];
  arguments(env, info, values, 3);
  const double offset = number_at(env, values[1]);
  const double length = number_at(env, values[2]);
  if (!is_size(offset) || !is_size(length)) {
    throw_error(env, "KERNEL", "view: expected an offset and a length");
    return nullptr;
  }
  try {
    const double handle = environment(env).buffers.view(
        number_at(env, values[0]), static_cast<size_t>(offset), static_cast<size_t>(length));
    napi_value result;
    napi_create_double(env, handle, &result);
    return result;
  } catch (const std::bad_alloc&) {
    throw_error(env, "MEMORY", "view: too many buffers are in use");
  } catch (const std::exception& error) {
    throw_error(env, "KERNEL", std::string("view: ") + error.what());
  }
  return nullptr;
}

// release(handle)
napi_value release(napi_env env, napi_callback_info info) {
  napi_value value;
  arguments(env, info, &value, 1);
  if (!environment(env).buffers.release(number_at(env, value))) {
    throw_error(env, "KERNEL", "release: the handle is not a buffer in use");
  }
  return nullptr;
}

// The typed array in argument 1 and the buffer elements from argument 2 on that it is copied with.
struct Transfer {
  void* buffer;
  void* array;
  size_t bytes;
};

bool holds(napi_typedarray_type type, DType dtype) {
  constexpr napi_typedarray_type kArrays[] = {
#define NB_ROW(identifier, name, Type, array) napi_##array##_array,
      NB_DTYPES(NB_ROW)
#undef NB_ROW
  };
  return type == kArrays[static_cast<size_t>(dtype)];
}

Transfer transfer(const Napi::CallbackInfo& info, const char* name, bool writes) {
  const auto refuse = [&](const std::string& why) {
    return Napi::Error::New(info.Env(), std::string(name) + ": " + why);
  };
  const Buffers& buffers = environment(info.Env()).buffers;
  const Buffer* buffer = buffers.find(number_at(info.Env(), info[0]));
  if (buffer == nullptr) throw refuse("the handle is not a buffer in use");
  if (buffers.is_busy(*buffer, writes)) {
    throw refuse("the buffer is in use by a running program; await run() first");
  }
  if (!info[1].IsTypedArray()) throw refuse("expected a typed array");
  napi_typedarray_type type;
  size_t length;
  void* data;
  napi_get_typedarray_info(info.Env(), info[1], &type, &length, &data, nullptr, nullptr);
  if (!holds(type, buffer->dtype)) {
    throw refuse(std::string("the typed array does not hold ") + dtype_name(buffer->dtype));
  }
  const double offset = info[2].IsUndefined() ? 0 : number_at(info.Env(), info[2]);
  if (!is_size(offset) || offset > static_cast<double>(buffer->length) ||
      length > buffer->length - static_cast<size_t>(offset)) {
    throw refuse("elements past the end of a buffer of " + std::to_string(buffer->length));
  }
  const size_t size = element_size(buffer->dtype);
  return {static_cast<char*>(buffer->data) + static_cast<size_t>(offset) * size, data,
          length * size};
}

void write(const Napi::CallbackInfo& info) {
  const Transfer t = transfer(info, "write", true);
  if (t.bytes > 0) std::memcpy(t.buffer, t.array, t.bytes);
}

void read(const Napi::CallbackInfo& info) {
  const Transfer t = transfer(info, "read", false);
  if (t.bytes > 0) std::memcpy(t.array, t.buffer, t.bytes);
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  const MemoryUse& use = environment(info.Env()).buffers.memory();
  Napi::Object result = Napi::Object::New(info.Env());
  result["live"] = static_cast<double>(use.live);
  result["pooled"] = static_cast<double>(use.pooled);
  result["peak"] = static_cast<double>(use.peak);
  result["buffers"] = static_cast<double>(use.buffers);
  return result;
}

Napi::Array dtype_list(Napi::Env env) {
  Napi::Array list = Napi::Array::New(env, kDTypeCount);
  for (size_t i = 0; i < kDTypeCount; ++i) {
    Napi::Object row = Napi::Object::New(env);
    row["name"] = kDTypes[i].name;
    row["bytes"] = static_cast<double>(kDTypes[i].bytes);
    list[static_cast<uint32_t>(i)] = row;
  }
  return list;
}

// What each dtype parameter of a kernel may stand for: { F: ["float32"] }.
Napi::Object dtypes_of(Napi::Env env, const Kernel& kernel) {
  constexpr const char* kNames[] = {"F", "T", "S"};
  Napi::Object result = Napi::Object::New(env);
  for (size_t i = 0; i < kParameters; ++i) {
    const auto dtypes = kernel.dtypes(static_cast<Parameter>(i));
    if (dtypes.empty()) continue;
    Napi::Array names = Napi::Array::New(env, dtypes.size());
    for (size_t k = 0; k < dtypes.size(); ++k) {
      names[static_cast<uint32_t>(k)] = dtype_name(dtypes[k]);
    }
    result[kNames[i]] = names;
  }
  return result;
}

Napi::Array kernel_list(Napi::Env env) {
  Napi::Array list = Napi::Array::New(env, registry().size());
  for (size_t i = 0; i < registry().size(); ++i) {
    Napi::Object row = Napi::Object::New(env);
    row["name"] = registry()[i].name;
    row["signature"] = registry()[i].signature();
    row["dtypes"] = dtypes_of(env, registry()[i]);
    list[static_cast<uint32_t>(i)] = row;
  }
  return list;
}

Programs& programs(const Napi::CallbackInfo& info) { return environment(info.Env()).programs; }

double number(const Napi::CallbackInfo& info) { return number_at(info.Env(), info[0]); }

Napi::Value compile(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), programs(info).compile(info));
}
Napi::Value run_program(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), programs(info).run(info));
}
void start_program(const Napi::CallbackInfo& info) { programs(info).start(info); }
void cancel_program(const Napi::CallbackInfo& info) { programs(info).cancel(number(info)); }
Napi::Value progress_of(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), programs(info).progress(number(info)));
}
void dispose_program(const Napi::CallbackInfo& info) { programs(info).dispose(number(info)); }

Napi::Value threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(thread_count()));
}
void set_threads(const Napi::CallbackInfo& info) {
  const double count = number(info);
  if (!(count >= 1 && count <= static_cast<double>(kMaxThreads))) {
    throw Napi::Error::New(info.Env(), "setThreads: expected 1 to 256 threads");
  }
  set_thread_count(static_cast<size_t>(count));
}

void export_raw(Napi::Object exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(exports.Env(), name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  exports[name] = function;
}

}  // namespace

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto state = std::make_unique<Environment>(env);
  Napi::Float64Array mailbox = Napi::Float64Array::New(env, kMaxArguments);
  state->mailbox = mailbox.Data();
  napi_create_reference(env, mailbox.ArrayBuffer(), 1, &state->mailbox_buffer);
  napi_set_instance_data(
      env, state.release(),
      [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr);

  exports["mailbox"] = mailbox;
  exports["dtypes"] = dtype_list(env);
  exports["kernels"] = kernel_list(env);
  export_raw(exports, "run", run);
  export_raw(exports, "alloc", alloc);
  export_raw(exports, "view", view);
  export_raw(exports, "release", release);
  exports["write"] = Napi::Function::New<write>(env, "write");
  exports["read"] = Napi::Function::New<read>(env, "read");
  exports["memory"] = Napi::Function::New<memory>(env, "memory");
  exports["info"] = Napi::Function::New<info>(env, "info");
  exports["compile"] = Napi::Function::New<compile>(env, "compile");
  exports["runProgram"] = Napi::Function::New<run_program>(env, "runProgram");
  exports["startProgram"] = Napi::Function::New<start_program>(env, "startProgram");
  exports["cancelProgram"] = Napi::Function::New<cancel_program>(env, "cancelProgram");
  exports["progressOf"] = Napi::Function::New<progress_of>(env, "progressOf");
  exports["disposeProgram"] = Napi::Function::New<dispose_program>(env, "disposeProgram");
  exports["threads"] = Napi::Function::New<threads>(env, "threads");
  exports["setThreads"] = Napi::Function::New<set_threads>(env, "setThreads");
  exports["timeGemms"] = Napi::Function::New<time_gemms>(env, "timeGemms");
  export_blas(exports);
  return exports;
}

NODE_API_MODULE(neuroblas, init)

}  // namespace nb
