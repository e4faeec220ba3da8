// The registry declared in kernel.h.
#include "kernel.h"

#include <cstddef>
#include <new>
#include <stdexcept>

#include "text.h"

namespace nb {

std::vector<Kernel>& registry() {
  static std::vector<Kernel> kernels;
  return kernels;
}

namespace {

std::array<int, kParameters> dtypes_of(const Kind* kinds, size_t count) {
  std::array<int, kParameters> dtypes;
  dtypes.fill(Instance::kAny);
  for (const Kind* kind = kinds; kind < kinds + count; ++kind) {
    if (kind->parameter == Parameter::none || kind->is_any) continue;
    dtypes[static_cast<size_t>(kind->parameter)] = static_cast<int>(kind->dtype);
  }
  return dtypes;
}

}  // namespace

Registration add_instance(const char* name, const char* parameters, const Kind* kinds, size_t count,
                          Instance instance) {
  auto& kernels = registry();
  auto kernel = std::find_if(kernels.begin(), kernels.end(),
                             [=](const Kernel& other) { return other.name == name; });
  if (kernel == kernels.end()) {
    kernels.push_back({name, {}, {kinds, kinds + count}, {}, {}});
    kernel = kernels.end() - 1;
    kernel->parameters = split(parameters, ' ');
    if (kernel->parameters.size() != count || count > kMaxArguments) {
      throw std::logic_error(kernel->name + ": parameter names do not match the function");
    }
    for (size_t i = 0; i < count; ++i) {
      if (is_buffer(kernel->kinds[i].use)) kernel->buffers.push_back(static_cast<uint8_t>(i));
    }
  }
  instance.dtypes = dtypes_of(kinds, count);
  kernel->instances.push_back(instance);
  return {};
}

Fault Kernel::call(const BufferSource& buffers, const double* values,
                   const Together& together) const {
  const Arguments arguments(*this, buffers, values);
  // Spans and numbers: nothing in there needs a destructor.
  alignas(std::max_align_t) char memory[kMostBytes];
  const BoundCall& call = *arguments.instance().bind(arguments, memory);
  if (call.weight() > kWorthSharing) return together(call);
  const Fault fault = call.run(Chunk{0, 1});
  if (!fault) call.finish();
  return fault;
}

std::unique_ptr<BoundCall> Kernel::bind(const BufferSource& buffers, const double* values) const {
  struct Free {
    void operator()(void* memory) const { ::operator delete(memory); }
  };
  const Arguments arguments(*this, buffers, values);
  const Instance& instance = arguments.instance();
  std::unique_ptr<void, Free> memory(::operator new(instance.bytes));
  BoundCall* call = instance.bind(arguments, memory.get());
  memory.release();
  return std::unique_ptr<BoundCall>(call);
}

size_t BoundCall::chunks(size_t threads) const noexcept {
  return std::max(size_t{1}, std::min(weight_ / kChunk, kChunksPerThread * threads));
}

std::string Kernel::signature() const {
  constexpr const char* kUses[] = {"in", "out", "inout", "scratch", "size", "float"};
  constexpr const char* kNames[] = {"F", "N", "T", "S"};
  std::string text;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Kind& kind = kinds[i];
    if (i > 0) text += ' ';
    text += parameters[i] + ":" + kUses[static_cast<size_t>(kind.use)];
    if (!is_buffer(kind.use)) continue;
    text += ':';
    text += kind.parameter == Parameter::none ? dtype_name(kind.dtype)
                                              : kNames[static_cast<size_t>(kind.parameter)];
  }
  return text;
}

std::vector<DType> Kernel::dtypes(Parameter parameter) const {
  std::vector<DType> result;
  const auto has = [=](const Kind& kind) { return kind.parameter == parameter; };
  if (std::none_of(kinds.begin(), kinds.end(), has)) return result;
  for (size_t code = 0; code < kDTypeCount; ++code) {
    const auto takes = [=](const Instance& instance) {
      const int dtype = instance.dtypes[static_cast<size_t>(parameter)];
      return dtype == Instance::kAny || dtype == static_cast<int>(code);
    };
    if (std::any_of(instances.begin(), instances.end(), takes)) {
      result.push_back(static_cast<DType>(code));
    }
  }
  return result;
}

Fault index_fault(Ints indices, size_t count, size_t limit) noexcept {
  // A negative index becomes an unsigned one of 2^31 or more, which a limit beyond int32 must not
  // let in.
  const uint32_t end = static_cast<uint32_t>(limit < 0x80000000u ? limit : 0x80000000u);
  for (size_t i = 0; i < count; ++i) {
    if (static_cast<uint32_t>(indices[i]) >= end) {
      return Fault::of("%s[%zu]: expected an index from 0 to below %zu, got %d", indices.name, i,
                       limit, static_cast<int>(indices[i]));
    }
  }
  return {};
}

}  // namespace nb
