// What a kernel is: the check/run pair over typed arguments, and the registry.
//
// A kernel is two plain functions over the argument types of arguments.h:
//
//   void relu_check(In x, InPlace<Out> y, Size n) { holds(x, n); holds(y, n); }
//   void relu_run(In x, Out y, Size n, Chunk chunk) noexcept { ... }
//   static const Registration relu = kernel<relu_check, relu_run>("relu", "x y n");
//
// `check` runs on the JavaScript thread, proves every extent and may throw KernelFault. `run` may
// be called on any thread, touches only its spans, and does the part of the work that its Chunk
// names. A kernel that may find its *data* at fault, such as an index, returns a Fault instead of
// void. A third function,
// `finish`, with the arguments of `check`, is called once after all chunks are done: a random
// kernel advances there the state that every chunk reads. Nothing here knows of N-API.
//
// A kernel that exists for several dtypes is registered once for each, under the same name.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "arguments.h"
#include "fault.h"

namespace nb {

// Which part of a kernel's work this thread does: part `index` of `count`.
struct Chunk {
  size_t index;
  size_t count;

  // This chunk of n items, in whole multiples of `grain` (a cache line of floats by default), so
  // that neighbours never write the same line and the cut depends on n and count alone.
  std::pair<size_t, size_t> of(size_t n, size_t grain = 16) const {
    const size_t grains = (n + grain - 1) / grain;
    const size_t begin = grains * index / count * grain;
    const size_t end = grains * (index + 1) / count * grain;
    return {begin < n ? begin : n, end < n ? end : n};
  }
};

// A fault where one of the first `count` indices is not from 0 to below `limit`.
Fault index_fault(Ints indices, size_t count, size_t limit) noexcept;

// One call of a kernel, decoded and checked, that a program runs again and again.
class BoundCall {
 public:
  // With the elements of its largest buffer: a measure of what there is to compute.
  explicit BoundCall(size_t weight) : weight_(weight) {}
  virtual ~BoundCall() = default;
  // The part of the work that the chunk names, on any thread.
  virtual Fault run(Chunk chunk) const noexcept = 0;
  // Once, after all chunks.
  virtual void finish() const noexcept = 0;
  size_t weight() const { return weight_; }
  // Into how many chunks to cut it for so many threads, at least 1: by its weight, more than one
  // for each thread, so that a slow one leaves its part to the others.
  virtual size_t chunks(size_t threads) const noexcept;

 private:
  const size_t weight_;
};

// Computes a large call on as many threads as there are to be had at once.
using Together = std::function<Fault(const BoundCall&)>;

// Elements from which on it pays to wake other threads.
constexpr size_t kWorthSharing = size_t{1} << 17;

// A kernel for certain dtypes.
struct Instance {
  // Of each parameter; nothing where the kernel does not have it, or takes any.
  static constexpr int kAny = -1;
  std::array<int, kParameters> dtypes;
  // Decodes and checks a call, into memory of so many bytes.
  size_t bytes;
  BoundCall* (*bind)(const Arguments&, void* memory);
};

// A call takes no more memory than this.
constexpr size_t kMostBytes = 2048;

struct Kernel {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<Kind> kinds;
  std::vector<uint8_t> buffers;  // positions of the arguments that are
  std::vector<Instance> instances;

  // Checks and runs, a small call on this thread alone.
  Fault call(const BufferSource& buffers, const double* values, const Together& together) const;
  // Checks.
  std::unique_ptr<BoundCall> bind(const BufferSource& buffers, const double* values) const;

  // nullptr where there is none for these dtypes.
  const Instance* instance(const int (&dtypes)[kParameters]) const {
    for (const Instance& instance : instances) {
      bool fits = true;
      for (size_t i = 0; i < kParameters; ++i) {
        fits &= (instance.dtypes[i] == Instance::kAny) | (instance.dtypes[i] == dtypes[i]);
      }
      if (fits) return &instance;
    }
    return nullptr;
  }
  // The row as in kernels.ts.
  std::string signature() const;
  // The dtypes that a parameter may stand for, in the order of the table; none where the kernel
  // does not have it.
  std::vector<DType> dtypes(Parameter parameter) const;
};

// All kernels of the addon, in the order of registration.
std::vector<Kernel>& registry();

struct Registration {};
// `kinds` are those of the instance; it finds its dtypes in them.
Registration add_instance(const char* name, const char* parameters, const Kind* kinds, size_t count,
                          Instance instance);

// A chunk below this many elements costs less than handing it over.
constexpr size_t kChunk = 8192;
constexpr size_t kChunksPerThread = 4;

namespace detail {

// What was known of a buffer that is written is so no more.
template <typename T>
void forget(const T& argument) {
  if constexpr (kForgets<T>) {
    if (argument.contents != nullptr) argument.contents->forget();
  }
}

// The typed arguments of one call of a kernel.
template <auto Check, auto Run, auto Finish, auto Chunks, typename... Args>
class Call final : public BoundCall {
 public:
  explicit Call(const Arguments& arguments) : Call(arguments, std::index_sequence_for<Args...>()) {}

  Fault run(Chunk chunk) const noexcept override {
    return std::apply(
        [chunk](const Args&... args) -> Fault {
          (forget(args), ...);
          if constexpr (std::is_same_v<decltype(Run(args..., chunk)), Fault>) {
            return Run(args..., chunk);
          } else {
            Run(args..., chunk);
            return {};
          }
        },
        args_);
  }

  void finish() const noexcept override {
    if constexpr (!std::is_null_pointer_v<decltype(Finish)>) std::apply(Finish, args_);
  }

  size_t chunks(size_t threads) const noexcept override {
    if constexpr (!std::is_null_pointer_v<decltype(Chunks)>) {
      return std::apply([threads](const Args&... args) { return Chunks(args..., threads); }, args_);
    } else {
      return BoundCall::chunks(threads);
    }
  }

 private:
  template <size_t... I>
  Call(const Arguments& arguments, std::index_sequence<I...>)
      : BoundCall(arguments.weight()), args_{arguments.decode<Args>(I)...} {
    std::apply(Check, args_);
  }

  const std::tuple<Args...> args_;
};

template <auto Check, auto Run, auto Finish, auto Chunks, typename... Args>
Registration define(const char* name, const char* parameters, void (*)(Args...)) {
  using Bound = Call<Check, Run, Finish, Chunks, Args...>;
  static_assert(sizeof(Bound) <= kMostBytes);
  static constexpr Kind kKinds[] = {KindOf<Args>::value...};
  return add_instance(
      name, parameters, kKinds, sizeof...(Args),
      {{}, sizeof(Bound), [](const Arguments& arguments, void* memory) -> BoundCall* {
         return new (memory) Bound(arguments);
       }});
}

}  // namespace detail

// Registers a kernel, for the dtypes of its functions, under the name and the parameter names of
// its row in kernels.ts. `chunks`, with the arguments of `check` and a number of threads, says into
// how many chunks to cut it; without it, that follows from the size of its buffers.
template <auto Check, auto Run, auto Finish = nullptr, auto Chunks = nullptr>
Registration kernel(const char* name, const char* parameters) {
  return detail::define<Check, Run, Finish, Chunks>(name, parameters, Check);
}

}  // namespace nb
