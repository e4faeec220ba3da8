// What the addon exports; nothing is computed here.
//
// `run`, which is on every op's path, uses the C interface. Its arguments come through a shared
// Float64Array, the mailbox, which costs one store each instead of one call each.
#include <napi.h>

#include <memory>
#include <new>

#include "bench.h"
#include "blas.h"
#include "environment.h"
#include "gemm/engine.h"
#include "info.h"
#include "kernel.h"
#include "memory.h"
#include "threads/run_queue.h"

namespace nb {
namespace {

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
    const Fault fault = kernel.call(state.buffers, state.mailbox, state.together);
    if (fault) throw_error(env, "KERNEL", kernel.name + ": " + fault.text());
  } catch (const std::bad_alloc&) {
    throw_error(env, "MEMORY", kernel.name + ": out of memory");
  } catch (const BusyFault& fault) {
    throw_error(env, "BUSY", kernel.name + ": " + fault.what());
  } catch (const std::exception& error) {
    throw_error(env, "KERNEL", kernel.name + ": " + error.what());
  }
  return nullptr;
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
  constexpr const char* kNames[] = {"F", "N", "T", "S"};
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
void start_programs(const Napi::CallbackInfo& info) { programs(info).start(info); }
void cancel_program(const Napi::CallbackInfo& info) { programs(info).cancel(number(info)); }
Napi::Value progress_of(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), programs(info).progress(number(info)));
}
void dispose_program(const Napi::CallbackInfo& info) { programs(info).dispose(number(info)); }

Napi::Value threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(environment(info.Env()).team.threads()));
}
void set_threads(const Napi::CallbackInfo& info) {
  const double count = number(info);
  if (!(count >= 1 && count <= static_cast<double>(kMaxThreads))) {
    throw Napi::Error::New(info.Env(), "setThreads: expected 1 to 256 threads");
  }
  environment(info.Env()).team.resize(static_cast<size_t>(count));
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
  exports["engine"] = engine_name();
  exports["dtypes"] = dtype_list(env);
  exports["kernels"] = kernel_list(env);
  export_function(exports, "run", run);
  export_memory(exports);
  exports["info"] = Napi::Function::New<info>(env, "info");
  exports["compile"] = Napi::Function::New<compile>(env, "compile");
  exports["runProgram"] = Napi::Function::New<run_program>(env, "runProgram");
  exports["startPrograms"] = Napi::Function::New<start_programs>(env, "startPrograms");
  exports["cancelProgram"] = Napi::Function::New<cancel_program>(env, "cancelProgram");
  exports["progressOf"] = Napi::Function::New<progress_of>(env, "progressOf");
  exports["disposeProgram"] = Napi::Function::New<dispose_program>(env, "disposeProgram");
  exports["threads"] = Napi::Function::New<threads>(env, "threads");
  exports["setThreads"] = Napi::Function::New<set_threads>(env, "setThreads");
  exports["timeGemms"] = Napi::Function::New<time_gemms>(env, "timeGemms");
  exports["timeFlops"] = Napi::Function::New<time_flops>(env, "timeFlops");
  export_blas(exports);
  return exports;
}

NODE_API_MODULE(neuroblas, init)

}  // namespace nb
