// What JavaScript passes, which may be anything at all, as numbers that were checked.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "buffers.h"

namespace nb {

// Throws a JavaScript error with this code.
[[noreturn]] inline void refuse(napi_env env, const std::string& message,
                                const char* code = "KERNEL") {
  const Napi::Error error = Napi::Error::New(env, message);
  error.Value()["code"] = code;
  throw error;
}

// For the functions that use the C interface, which cannot throw C++ exceptions.
inline void throw_error(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
}

// The arguments of a call, those that are missing undefined.
inline void arguments(napi_env env, napi_callback_info info, napi_value* values, size_t count) {
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
}

inline void export_function(Napi::Object exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(exports.Env(), name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  exports[name] = function;
}

// NaN when it is not a number, which everything refuses that is made of it.
inline double number_at(napi_env env, napi_value value) {
  double number;
  return napi_get_value_double(env, value, &number) == napi_ok ? number : __builtin_nan("");
}

// Whether it is an integer from 0 to 2^53 - 1; not for NaN.
inline bool is_size(double value) {
  return value >= 0 && value <= kMaxInteger &&
         value == static_cast<double>(static_cast<uint64_t>(value));
}

inline size_t size_of(napi_env env, double value, const char* operation) {
  if (is_size(value)) return static_cast<size_t>(value);
  refuse(env, std::string(operation) + ": expected an integer >= 0, got " + std::to_string(value));
}

// The numbers of a Float64Array. Copied, because JavaScript may go on writing to them.
inline std::vector<double> numbers_of(const Napi::Value& value, const char* operation) {
  if (!value.IsTypedArray() ||
      value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    refuse(value.Env(), std::string(operation) + ": expected a Float64Array");
  }
  const auto array = value.As<Napi::Float64Array>();
  const double* data = array.Data();
  return {data, data + array.ElementLength()};
}

}  // namespace nb
