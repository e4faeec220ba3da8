// The registry and the decoder declared in kernel.h.
#include "kernel.h"

#include <sstream>

namespace nb {

std::vector<Kernel>& registry() {
  static std::vector<Kernel> kernels;
  return kernels;
}

Registration add_kernel(Kernel kernel, const char* parameters) {
  std::istringstream words(parameters);
  for (std::string word; words >> word;) kernel.parameters.push_back(word);
  if (kernel.parameters.size() != kernel.kinds.size() || kernel.kinds.size() > kMaxArguments) {
    throw std::logic_error(kernel.name + ": parameter names do not match the function");
  }
  registry().push_back(std::move(kernel));
  return {};
}

std::string Kernel::signature() const {
  std::string text;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (i > 0) text += ' ';
    text += parameters[i] + ":" + kinds[i];
  }
  return text;
}

std::string describe(const Fault& fault) {
  return std::string(fault.name) + "[" + std::to_string(fault.position) +
         "]: expected an index from 0 to below " + std::to_string(fault.limit) + ", got " +
         std::to_string(fault.value);
}

const Buffer& Decoder::find(size_t position) const {
  const Buffer* buffer = buffers_.find(values_[position]);
  if (buffer == nullptr) throw KernelFault(names_[position] + " is not a buffer in use");
  if (buffer->busy > 0) {
    throw KernelFault(names_[position] + " is in use by a running program; await run() first");
  }
  return *buffer;
}

void Decoder::refuse_dtype(size_t position, DType got, DType expected) const {
  throw KernelFault(names_[position] + " is " + dtype_name(got) + ", expected " +
                    dtype_name(expected));
}

// One line per argument type: its kind in kernels.ts and how it is decoded.
#define NB_ARGUMENT(Type, Kind, Expression)           \
  template <>                                         \
  const char* kind_of<Type>() {                       \
    return Kind;                                      \
  }                                                   \
  template <>                                         \
  Type Decoder::decode<Type>(size_t position) const { \
    return Expression;                                \
  }

NB_ARGUMENT(In, "in", (span<In, DType::float32>(position)))
NB_ARGUMENT(Out, "out", (span<Out, DType::float32>(position)))
NB_ARGUMENT(Inout, "inout", (span<Inout, DType::float32>(position)))
NB_ARGUMENT(Scratch, "scratch", (span<Scratch, DType::float32>(position)))
NB_ARGUMENT(Ints, "ints", (span<Ints, DType::int32>(position)))
NB_ARGUMENT(IntsOut, "intsOut", (span<IntsOut, DType::int32>(position)))
NB_ARGUMENT(IntsInout, "intsInout", (span<IntsInout, DType::int32>(position)))
NB_ARGUMENT(Bytes, "bytes", (span<Bytes, DType::uint8>(position)))
NB_ARGUMENT(Any, "any", any_span<Any>(position))
NB_ARGUMENT(AnyOut, "anyOut", any_span<AnyOut>(position))
NB_ARGUMENT(AnyInout, "anyInout", any_span<AnyInout>(position))
NB_ARGUMENT(Float, "float", static_cast<float>(values_[position]))

template <>
const char* kind_of<Size>() {
  return "size";
}
template <>
Size Decoder::decode<Size>(size_t position) const {
  const double value = values_[position];
  // The comparison is false for NaN, so the cast below is always defined.
  if (value >= 0 && value <= kMaxInteger) {
    const Size size = static_cast<Size>(value);
    if (static_cast<double>(size) == value) return size;
  }
  std::ostringstream text;
  text << names_[position] << " must be an integer from 0 to 2^53 - 1, got " << value;
  throw KernelFault(text.str());
}

}  // namespace nb
