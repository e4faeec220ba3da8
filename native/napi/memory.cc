// alloc, view and release use the C interface: they are on every op's path.
#include "memory.h"

#include <cstring>
#include <new>

#include "environment.h"

namespace nb {
namespace {

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
  Environment& state = environment(env);
  const auto allocate = [&] {
    return state.buffers.allocate(static_cast<size_t>(length), static_cast<DType>(dtype));
  };
  try {
    double handle;
    try {
      handle = allocate();
    } catch (const std::bad_alloc&) {
      state.owners.collect();
      handle = allocate();
    }
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

// own(handle, object): the buffer is released when the object is collected, unless it was before.
napi_value own(napi_env env, napi_callback_info info) {
  napi_value values[2];
  arguments(env, info, values, 2);
  const double handle = number_at(env, values[0]);
  Environment& state = environment(env);
  if (state.owners.make_room()) state.buffers.trim(state.owners.pool_bound());
  Buffer* buffer = state.buffers.find_own(handle);
  if (buffer == nullptr) {
    throw_error(env, "KERNEL", "own: the handle is not a buffer in use");
    return nullptr;
  }
  state.owners.remove(buffer->owner);
  try {
    buffer->owner = state.owners.add(values[1], {Owners::Kind::buffer, handle},
                                     state.buffers.bytes_of(*buffer));
    if (buffer->owner == 0) throw_error(env, "KERNEL", "own: expected an object");
  } catch (const std::bad_alloc&) {
    buffer->owner = 0;
    throw_error(env, "MEMORY", "own: too many buffers are in use");
  }
  return nullptr;
}

// disown(handle): the buffer stays until it is released.
napi_value disown(napi_env env, napi_callback_info info) {
  napi_value value;
  arguments(env, info, &value, 1);
  Environment& state = environment(env);
  Buffer* buffer = state.buffers.find_own(number_at(env, value));
  if (buffer == nullptr) {
    throw_error(env, "KERNEL", "disown: the handle is not a buffer in use");
    return nullptr;
  }
  state.owners.remove(buffer->owner);
  buffer->owner = 0;
  return nullptr;
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
  if (!environment(env).release(number_at(env, value))) {
    throw_error(env, "KERNEL", "release: the handle is not a buffer in use");
  }
  return nullptr;
}

// The typed array in argument 1 and the buffer elements from argument 2 on that it is copied with.
struct Transfer {
  void* buffer;
  void* array;
  size_t bytes;
  Contents* contents;  // of the buffer
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
    nb::refuse(info.Env(), std::string(name) + ": " + kBusy, "BUSY");
  }
  if (buffer->contents->in_panels.load(std::memory_order_acquire)) {
    try {
      buffers.bring_into_rows(*buffer);
    } catch (const std::bad_alloc&) {
      nb::refuse(info.Env(), std::string(name) + ": no memory to bring weights into rows",
                 "MEMORY");
    }
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
          length * size, buffer->contents};
}

void write(const Napi::CallbackInfo& info) {
  const Transfer t = transfer(info, "write", true);
  t.contents->forget();
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

// trim(): bytes given back
Napi::Value trim(const Napi::CallbackInfo& info) {
  Environment& state = environment(info.Env());
  state.owners.sweep();
  return Napi::Number::New(info.Env(), static_cast<double>(state.buffers.trim(0)));
}

// untouched(): bytes that this process was promised and has not touched yet
Napi::Value untouched(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(untouched_memory()));
}

// external(): bytes outside its heap that V8 knows of in this environment, ours among them
Napi::Value external(const Napi::CallbackInfo& info) {
  int64_t total = 0;
  napi_adjust_external_memory(info.Env(), 0, &total);
  return Napi::Number::New(info.Env(), static_cast<double>(total));
}

// setAvailableMemory(function): bytes the process may still take, by the system's own account
void set_available_memory(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) refuse(info.Env(), "setAvailableMemory: expected a function");
  Environment& state = environment(info.Env());
  if (state.available_memory != nullptr) {
    napi_delete_reference(info.Env(), state.available_memory);
  }
  napi_create_reference(info.Env(), info[0], 1, &state.available_memory);
}

}  // namespace

void export_memory(Napi::Object exports) {
  export_function(exports, "alloc", alloc);
  export_function(exports, "view", view);
  export_function(exports, "release", release);
  export_function(exports, "own", own);
  export_function(exports, "disown", disown);
  exports["trim"] = Napi::Function::New<trim>(exports.Env(), "trim");
  exports["untouched"] = Napi::Function::New<untouched>(exports.Env(), "untouched");
  exports["external"] = Napi::Function::New<external>(exports.Env(), "external");
  exports["setAvailableMemory"] =
      Napi::Function::New<set_available_memory>(exports.Env(), "setAvailableMemory");
  exports["write"] = Napi::Function::New<write>(exports.Env(), "write");
  exports["read"] = Napi::Function::New<read>(exports.Env(), "read");
  exports["memory"] = Napi::Function::New<memory>(exports.Env(), "memory");
}

}  // namespace nb
