// What a kernel is: typed arguments, the check/run pair, and the registry.
//
// A kernel is two plain functions over the argument types below:
//
//   void relu_check(In x, Out y, Size n) { holds(x, n); holds(y, n); }
//   void relu_run(In x, Out y, Size n, Share share) noexcept { ... }
//   static const Registration relu = kernel<relu_check, relu_run>("relu", "x y n");
//
// `check` runs on the JavaScript thread, proves every extent and may throw KernelFault. `run` may
// be called on any thread, touches only its spans, and does the part of the work that its Share
// names. A kernel that reads index *data* returns a Fault instead of void. A third function,
// `finish`, with the arguments of `check`, is called once after all shares are done: a random
// kernel advances there the state that every share reads. Nothing here knows of N-API.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "buffers.h"

namespace nb {

// One buffer as a kernel sees it. `name` is the argument's name, for errors.
template <typename T, int Kind>
struct Span {
  T* data;
  size_t length;
  const char* name;
  T& operator[](size_t i) const { return data[i]; }
};
using In = Span<const float, 0>;
using Out = Span<float, 1>;
using Inout = Span<float, 2>;
using Scratch = Span<float, 3>;  // room to compute in; what it holds afterwards is undefined
using Ints = Span<const int32_t, 0>;
using IntsOut = Span<int32_t, 1>;
using IntsInout = Span<int32_t, 2>;
using Bytes = Span<const uint8_t, 0>;

// A buffer of any dtype, moved but not computed with.
template <int Kind>
struct AnySpan {
  std::conditional_t<Kind == 0, const uint8_t*, uint8_t*> data;
  size_t length;        // in elements
  size_t element_size;  // in bytes
  DType dtype;
  const char* name;
};
using Any = AnySpan<0>;
using AnyOut = AnySpan<1>;
using AnyInout = AnySpan<2>;

using Size = size_t;
using Float = float;

// Which part of a kernel's work this thread does: part `index` of `count`.
struct Share {
  size_t index;
  size_t count;

  // This share of n items, in whole multiples of `grain` (a cache line of floats by default), so
  // that neighbours never write the same line and the cut depends on n and count alone.
  std::pair<size_t, size_t> of(size_t n, size_t grain = 16) const {
    const size_t grains = (n + grain - 1) / grain;
    const size_t begin = grains * index / count * grain;
    const size_t end = grains * (index + 1) / count * grain;
    return {begin < n ? begin : n, end < n ? end : n};
  }
};

// Why a kernel's arguments were refused; the message does not name the kernel yet.
struct KernelFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What `run` found wrong with index data: values[position] is not below `limit`.
struct Fault {
  const char* name = nullptr;  // nullptr: nothing is wrong
  size_t position = 0;
  int64_t value = 0;
  size_t limit = 0;
  explicit operator bool() const { return name != nullptr; }
};

// The fault as an error message goes on after the kernel's name.
std::string describe(const Fault& fault);

// First index outside [0, limit), as a Fault.
inline Fault index_fault(Ints indices, size_t count, size_t limit) {
  // A negative index becomes an unsigned one of 2^31 or more, which a limit beyond int32 must not
  // let in.
  const uint32_t end = static_cast<uint32_t>(limit < 0x80000000u ? limit : 0x80000000u);
  for (size_t i = 0; i < count; ++i) {
    if (static_cast<uint32_t>(indices[i]) >= end) return {indices.name, i, indices[i], limit};
  }
  return {};
}

// a·b·…, refused when it does not fit.
template <typename... Sizes>
size_t product(Sizes... sizes) {
  size_t result = 1;
  for (size_t size : {static_cast<size_t>(sizes)...}) {
    if (__builtin_mul_overflow(result, size, &result)) throw KernelFault("extent overflows");
  }
  return result;
}

inline size_t total(size_t a, size_t b) {
  size_t result;
  if (__builtin_add_overflow(a, b, &result)) throw KernelFault("extent overflows");
  return result;
}

// Refuses a buffer with fewer than n elements.
template <typename S>
void holds(const S& span, size_t n) {
  if (span.length < n) {
    throw KernelFault(std::string(span.name) + " holds " + std::to_string(span.length) +
                      " elements, expected at least " + std::to_string(n));
  }
}

// Refuses a result that is one of the inputs.
template <typename A, typename B>
void distinct(const A& result, const B& input) {
  if (static_cast<const void*>(result.data) == static_cast<const void*>(input.data)) {
    throw KernelFault(std::string(result.name) + " must not be the same buffer as " + input.name);
  }
}

template <typename A, typename B>
void same_dtype(const A& a, const B& b) {
  if (a.dtype != b.dtype) {
    throw KernelFault(std::string(a.name) + " and " + b.name + " have different dtypes");
  }
}

inline void flag(const char* name, size_t value) {
  if (value > 1)
    throw KernelFault(std::string(name) + " must be 0 or 1, got " + std::to_string(value));
}

// Turns the numbers of one call into typed arguments.
class Decoder {
 public:
  Decoder(const BufferSource& buffers, const double* values, const std::vector<std::string>& names)
      : buffers_(buffers), values_(values), names_(names) {}

  template <typename T>
  T decode(size_t position) const;

 private:
  template <typename S, DType dtype>
  S span(size_t position) const {
    const Buffer& buffer = find(position);
    if (buffer.dtype != dtype) refuse_dtype(position, buffer.dtype, dtype);
    return {static_cast<decltype(S::data)>(buffer.data), buffer.length, names_[position].c_str()};
  }
  template <typename S>
  S any_span(size_t position) const {
    const Buffer& buffer = find(position);
    return {static_cast<decltype(S::data)>(buffer.data), buffer.length, element_size(buffer.dtype),
            buffer.dtype, names_[position].c_str()};
  }
  const Buffer& find(size_t position) const;
  [[noreturn]] void refuse_dtype(size_t position, DType got, DType expected) const;

  const BufferSource& buffers_;
  const double* values_;
  const std::vector<std::string>& names_;
};

// The kind of each argument type as kernels.ts spells it.
template <typename T>
const char* kind_of();

// One call of a kernel, decoded and checked, that a program runs again and again.
class BoundCall {
 public:
  virtual ~BoundCall() = default;
  // The part of the work that the share names, on any thread.
  virtual Fault run(Share share) const noexcept = 0;
  // Once, after all shares.
  virtual void finish() const noexcept = 0;
  // Elements of the largest buffer: a measure of what there is to share.
  virtual size_t weight() const noexcept = 0;
  // Into how many shares to cut it for so many threads; at least 1.
  virtual size_t pieces(size_t threads) const noexcept = 0;
};

struct Kernel {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<const char*> kinds;
  // Decodes, checks and runs on this thread.
  Fault (*call)(const Decoder&);
  // Decodes and checks.
  std::unique_ptr<BoundCall> (*bind)(const Decoder&);

  std::string signature() const;
};

// All kernels of the addon, in the order of registration.
std::vector<Kernel>& registry();

struct Registration {};
Registration add_kernel(Kernel kernel, const char* parameters);

// A share below this many elements costs less than handing it over.
constexpr size_t kPiece = 8192;
constexpr size_t kPiecesPerThread = 4;

namespace detail {

// What is moved counts where it goes to: of a whole data set, a batch takes a few rows.
template <typename T>
size_t extent_of(const T& argument) {
  if constexpr (std::is_same_v<T, Any> || std::is_same_v<T, Bytes> || !std::is_class_v<T>) {
    return 0;
  } else {
    return argument.length;
  }
}

// The typed arguments of one call of a kernel.
template <auto Check, auto Run, auto Finish, auto Pieces, typename... Args>
class Call final : public BoundCall {
 public:
  explicit Call(const Decoder& decoder) : Call(decoder, std::index_sequence_for<Args...>()) {}

  Fault run(Share share) const noexcept override {
    return std::apply(
        [share](const Args&... args) -> Fault {
          if constexpr (std::is_same_v<decltype(Run(args..., share)), Fault>) {
            return Run(args..., share);
          } else {
            Run(args..., share);
            return {};
          }
        },
        args_);
  }

  void finish() const noexcept override {
    if constexpr (!std::is_null_pointer_v<decltype(Finish)>) std::apply(Finish, args_);
  }

  // More than one for each thread, so that a slow one leaves its part to the others.
  size_t pieces(size_t threads) const noexcept override {
    if constexpr (!std::is_null_pointer_v<decltype(Pieces)>) {
      return std::apply([threads](const Args&... args) { return Pieces(args..., threads); }, args_);
    } else {
      return std::max(size_t{1}, std::min(weight() / kPiece, kPiecesPerThread * threads));
    }
  }

  size_t weight() const noexcept override {
    return std::apply([](const Args&... args) { return std::max({extent_of(args)...}); }, args_);
  }

 private:
  template <size_t... I>
  Call(const Decoder& decoder, std::index_sequence<I...>) : args_{decoder.decode<Args>(I)...} {
    std::apply(Check, args_);
  }

  const std::tuple<Args...> args_;
};

template <auto Check, auto Run, auto Finish, auto Pieces, typename... Args>
Registration define(const char* name, const char* parameters, void (*)(Args...)) {
  using Bound = Call<Check, Run, Finish, Pieces, Args...>;
  return add_kernel({name,
                     {},
                     {kind_of<Args>()...},
                     [](const Decoder& decoder) {
                       const Bound call(decoder);
                       const Fault fault = call.run(Share{0, 1});
                       if (!fault) call.finish();
                       return fault;
                     },
                     [](const Decoder& decoder) -> std::unique_ptr<BoundCall> {
                       return std::make_unique<Bound>(decoder);
                     }},
                    parameters);
}

}  // namespace detail

// Registers a kernel under the name and the parameter names of its row in kernels.ts. `pieces`,
// with the arguments of `check` and a number of threads, says into how many shares to cut it;
// without it, that follows from the size of its buffers.
template <auto Check, auto Run, auto Finish = nullptr, auto Pieces = nullptr>
Registration kernel(const char* name, const char* parameters) {
  return detail::define<Check, Run, Finish, Pieces>(name, parameters, Check);
}

}  // namespace nb
