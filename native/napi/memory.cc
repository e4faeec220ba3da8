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

}  // namespace

void export_memory(Napi::Object exports) {
  export_function(exports, "alloc", alloc);
  export_function(exports, "view", view);
  export_function(exports, "release", release);
  exports["write"] = Napi::Function::New<write>(exports.Env(), "write");
  exports["read"] = Napi::Function::New<read>(exports.Env(), "read");
  exports["memory"] = Napi::Function::New<memory>(exports.Env(), "memory");
}

}  // namespace nb
