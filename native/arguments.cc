// How the numbers of one call are resolved; see arguments.h.
#include "arguments.h"

#include <algorithm>
#include <cstdio>

#include "kernel.h"

namespace nb {
namespace {

// The dtypes as a message lists them: "float32", "float32 or float64".
std::string list(const std::vector<DType>& dtypes) {
  std::string text;
  for (size_t i = 0; i < dtypes.size(); ++i) {
    if (i > 0) text += i + 1 < dtypes.size() ? ", " : " or ";
    text += dtype_name(dtypes[i]);
  }
  return text;
}

const char* begin_of(const Buffer& buffer) { return static_cast<const char*>(buffer.data); }
const char* end_of(const Buffer& buffer) {
  return begin_of(buffer) + buffer.length * element_size(buffer.dtype);
}

}  // namespace

Arguments::Arguments(const Kernel& kernel, const BufferSource& source, const double* values)
    : kernel_(kernel) {
  // Volatile: one by one, as JavaScript stored them just now; wider loads would wait for the
  // stores.
  const volatile double* stored = values;
  for (size_t i = 0; i < kernel.kinds.size(); ++i) values_[i] = stored[i];
  // What F, N, T and S stand for by the buffers so far.
  int dtypes[kParameters];
  std::fill_n(dtypes, kParameters, Instance::kAny);
  for (size_t i : kernel.buffers) {
    const Kind& kind = kernel.kinds[i];
    buffers_[i] = &find(source, i);
    const int dtype = static_cast<int>(buffers_[i]->dtype);
    if (kind.parameter == Parameter::none) {
      if (dtype != static_cast<int>(kind.dtype)) refuse_dtypes(i);
      continue;
    }
    int& bound = dtypes[static_cast<size_t>(kind.parameter)];
    if (bound == Instance::kAny) bound = dtype;
    if (bound != dtype) refuse_dtypes(i);
  }
  instance_ = kernel.instance(dtypes);
  if (instance_ == nullptr) refuse_dtypes(kernel.buffers.back());
  refuse_overlaps();
  for (size_t i = 0; i < kernel.kinds.size(); ++i) {
    if (kernel.kinds[i].use == Use::size) sizes_[i] = size_at(i);
  }
}

Size Arguments::size_at(size_t position) const {
  const double value = values_[position];
  // The comparison is false for NaN, so the cast below is always defined.
  if (value >= 0 && value <= kMaxInteger) {
    const Size size = static_cast<Size>(value);
    if (static_cast<double>(size) == value) return size;
  }
  refuse_size(position);
}

const char* Arguments::name(size_t position) const { return kernel_.parameters[position].c_str(); }

const Buffer& Arguments::find(const BufferSource& source, size_t position) const {
  const Buffer* buffer = source.find(values_[position]);
  if (buffer == nullptr) {
    throw KernelFault(std::string(name(position)) + " is not a buffer in use");
  }
  if (source.is_busy(*buffer, is_written(kernel_.kinds[position].use))) {
    throw BusyFault();
  }
  const Contents* contents = buffer->contents;
  if (contents != nullptr && contents->in_panels.load(std::memory_order_acquire)) {
    source.bring_into_rows(*buffer);
  }
  return *buffer;
}

size_t Arguments::weight() const {
  size_t most = 0;
  for (size_t i : kernel_.buffers) {
    const Kind& kind = kernel_.kinds[i];
    const bool is_bytes = kind.parameter == Parameter::none && kind.dtype == DType::uint8;
    if (kind.use == Use::in && (kind.is_any || is_bytes)) continue;
    most = std::max(most, buffers_[i]->length);
  }
  return most;
}

void Arguments::refuse_dtypes(size_t last) const {
  for (size_t i : kernel_.buffers) {
    if (i > last) break;
    const Kind& kind = kernel_.kinds[i];
    const DType dtype = buffers_[i]->dtype;
    const auto possible = kind.parameter == Parameter::none ? std::vector<DType>{kind.dtype}
                                                            : kernel_.dtypes(kind.parameter);
    if (std::find(possible.begin(), possible.end(), dtype) != possible.end()) continue;
    // A dtype that the kernel could have.
    const bool takes_floats = kind.parameter == Parameter::F || kind.parameter == Parameter::N;
    const bool is_missing = takes_floats && facts(dtype).is_float;
    const std::string missing = "; " + kernel_.name + " has no " + dtype_name(dtype) + " here";
    throw KernelFault(std::string(name(i)) + " is " + dtype_name(dtype) +
                      (is_missing ? missing : "") + ", expected " + list(possible));
  }
  for (size_t i : kernel_.buffers) {
    if (i >= last) break;
    const Parameter parameter = kernel_.kinds[i].parameter;
    if (parameter != kernel_.kinds[last].parameter || parameter == Parameter::none) continue;
    if (buffers_[i]->dtype == buffers_[last]->dtype) continue;
    throw KernelFault(std::string(name(i)) + " and " + name(last) + " have different dtypes");
  }
  throw KernelFault("there is no " + kernel_.name + " for these dtypes together");
}

void Arguments::refuse_overlaps() const {
  const auto& positions = kernel_.buffers;
  for (size_t j = 1; j < positions.size(); ++j) {
    for (size_t i = 0; i < j; ++i) {
      // Nearly always what they show is not even the same memory.
      if (buffers_[positions[i]]->root == buffers_[positions[j]]->root) {
        refuse_overlap(positions[i], positions[j]);
      }
    }
  }
}

void Arguments::refuse_overlap(size_t i, size_t j) const {
  const bool i_written = is_written(kernel_.kinds[i].use);
  const bool j_written = is_written(kernel_.kinds[j].use);
  const Buffer &a = *buffers_[i], &b = *buffers_[j];
  const bool apart =
      a.length == 0 || b.length == 0 || end_of(a) <= begin_of(b) || end_of(b) <= begin_of(a);
  if (apart || !(i_written || j_written)) return;
  const auto [result, other] = j_written ? std::pair(j, i) : std::pair(i, j);
  const bool same = begin_of(a) == begin_of(b) && end_of(a) == end_of(b);
  const bool in_place = kernel_.kinds[result].in_place && a.dtype == b.dtype;
  if (same && in_place && !(i_written && j_written)) return;
  throw KernelFault(std::string(name(result)) +
                    (same ? " must not be the same buffer as " : " must not overlap ") +
                    name(other));
}

void Arguments::refuse_size(size_t position) const {
  char value[32];
  std::snprintf(value, sizeof value, "%g", values_[position]);
  throw KernelFault(std::string(name(position)) + " must be an integer from 0 to 2^53 - 1, got " +
                    value);
}

}  // namespace nb
