// The registry declared in kernel.h.
#include "kernel.h"

#include <sstream>
#include <stdexcept>

namespace nb {

std::vector<Kernel>& registry() {
  static std::vector<Kernel> kernels;
  return kernels;
}

Registration add_instance(const char* name, const char* parameters, std::vector<Kind> kinds,
                          Instance instance) {
  auto& kernels = registry();
  auto kernel = std::find_if(kernels.begin(), kernels.end(),
                             [=](const Kernel& other) { return other.name == name; });
  if (kernel == kernels.end()) {
    kernels.push_back({name, {}, std::move(kinds), {}});
    kernel = kernels.end() - 1;
    std::istringstream words(parameters);
    for (std::string word; words >> word;) kernel->parameters.push_back(word);
    if (kernel->parameters.size() != kernel->kinds.size() || kernel->kinds.size() > kMaxArguments) {
      throw std::logic_error(kernel->name + ": parameter names do not match the function");
    }
  }
  kernel->instances.push_back(instance);
  return {};
}

const Instance* Kernel::instance(const int (&dtypes)[kParameters]) const {
  for (const Instance& instance : instances) {
    bool fits = true;
    for (size_t i = 0; i < kParameters; ++i) {
      fits &= instance.dtypes[i] == Instance::kAny || instance.dtypes[i] == dtypes[i];
    }
    if (fits) return &instance;
  }
  return nullptr;
}

std::string Kernel::signature() const {
  constexpr const char* kUses[] = {"in", "out", "inout", "scratch", "size", "float"};
  constexpr const char* kNames[] = {"F", "T", "S"};
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

std::string describe(const Fault& fault) {
  return std::string(fault.name) + "[" + std::to_string(fault.position) +
         "]: expected an index from 0 to below " + std::to_string(fault.limit) + ", got " +
         std::to_string(fault.value);
}

}  // namespace nb
