// Checks that the chunks of every kernel, computed one after the other in any order, give the bits
// that the kernel gives in one; products at many shapes, as the SIMD level and the OpenBLAS core in
// force cut them. Exits 1 where one differs.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "chunk_calls.h"
#include "kernel.h"

namespace {

using nb::Chunk;
using nb::DType;

constexpr size_t kElements = size_t{1} << 18;
// Indices and labels are below this.
constexpr double kLimit = 7;
const std::vector<size_t> kCounts{2, 3, 7, 8, 32};

using Buffer = std::vector<char>;

std::mt19937 generator(1);

template <typename T>
void put(Buffer& buffer, size_t i, T value) {
  std::memcpy(&buffer[i * sizeof(T)], &value, sizeof(T));
}

Buffer fill(DType dtype, const std::string& name, size_t elements) {
  Buffer buffer(elements * nb::element_size(dtype));
  for (size_t i = 0; i < elements; ++i) {
    // An eighth are zeros, which products of one row leave out.
    const float number = generator() % 8 == 0 ? 0 : static_cast<float>(generator() % 1000) / 1000;
    const auto any = static_cast<int32_t>(generator() % static_cast<uint32_t>(kLimit));
    const auto integer = name == "b" ? any + 1 : any;  // may divide
    switch (dtype) {
      case DType::float32:
        put(buffer, i, number);
        break;
      case DType::float64:
        put(buffer, i, static_cast<double>(number));
        break;
      case DType::int32:
        put(buffer, i, integer);
        break;
      default:
        put(buffer, i, static_cast<uint8_t>(integer));
    }
  }
  // [lr, momentum, nesterov, share, weightDecay, l2, l1]; for others these are rates as good as
  // any.
  const float settings[11] = {0.125, 0.5, 1, 0.75, 0.25, 0.125, 0.0625, 0.125, 0.0625, 0.25, 0.125};
  if (name == "settings") std::memcpy(buffer.data(), settings, sizeof settings);
  return buffer;
}

// The buffers of one call and its arguments, which can be set to where they were.
class Case {
 public:
  Case(const nb::Kernel& kernel, const nb::Instance& instance, const std::vector<double>& numbers,
       size_t elements)
      : kernel_(kernel) {
    size_t next = 0;
    for (size_t i = 0; i < kernel.kinds.size(); ++i) {
      const nb::Kind& kind = kernel.kinds[i];
      if (!nb::is_buffer(kind.use)) {
        arguments_.push_back(numbers.at(next++));
        continue;
      }
      const DType dtype = dtype_of(kind, instance);
      arguments_.push_back(buffers_.allocate(elements, dtype));
      handles_.push_back(arguments_.back());
      before_.push_back(fill(dtype, kernel.parameters[i], elements));
      is_scratch_.push_back(kind.use == nb::Use::scratch);
    }
  }

  // What all buffers hold after the call, computed in `count` chunks.
  std::vector<Buffer> run(size_t count) {
    for (size_t i = 0; i < handles_.size(); ++i) {
      std::memcpy(data(i), before_[i].data(), before_[i].size());
    }
    const auto call = kernel_.bind(buffers_, arguments_.data());
    for (size_t index = count; index-- > 0;) {
      if (call->run(Chunk{index, count})) std::printf("%s: fault\n", kernel_.name.c_str());
    }
    call->finish();
    std::vector<Buffer> after;
    for (size_t i = 0; i < handles_.size(); ++i) {
      if (is_scratch_[i]) continue;
      after.emplace_back(data(i), data(i) + before_[i].size());
    }
    return after;
  }

 private:
  static DType dtype_of(const nb::Kind& kind, const nb::Instance& instance) {
    if (kind.parameter == nb::Parameter::none) return kind.dtype;
    const int dtype = instance.dtypes[static_cast<size_t>(kind.parameter)];
    return dtype == nb::Instance::kAny ? DType::float32 : static_cast<DType>(dtype);
  }
  char* data(size_t i) { return static_cast<char*>(buffers_.find(handles_[i])->data); }

  const nb::Kernel& kernel_;
  nb::Buffers buffers_;
  std::vector<double> arguments_;
  std::vector<double> handles_;
  std::vector<Buffer> before_;
  std::vector<bool> is_scratch_;
};

bool check(const nb::Kernel& kernel, const std::vector<double>& numbers, size_t elements) {
  bool ok = true;
  for (const nb::Instance& instance : kernel.instances) {
    Case one(kernel, instance, numbers, elements);
    const auto whole = one.run(1);
    for (size_t count : kCounts) {
      if (one.run(count) == whole) continue;
      ok = false;
      std::printf("%s(", kernel.name.c_str());
      for (double number : numbers) std::printf(" %g", number);
      std::printf(" ): %zu chunks give other bits than one\n", count);
    }
  }
  return ok;
}

bool check_kernel(const nb::Kernel& kernel) {
  std::string parameters;
  for (const auto& name : kernel.parameters) parameters += (parameters.empty() ? "" : " ") + name;
  const auto calls = kCalls.find(parameters);
  if (calls == kCalls.end()) {
    std::printf("%s(%s): there are no calls for it here\n", kernel.name.c_str(),
                parameters.c_str());
    return false;
  }
  bool ok = true;
  for (const auto& numbers : calls->second) ok = check(kernel, numbers, kElements) && ok;
  return ok;
}

// What stands before m, n, k in a call, and behind them, for the products that a kernel is able to.
std::vector<std::pair<std::vector<double>, std::vector<double>>> forms_of(
    const nb::Kernel& kernel) {
  const auto& names = kernel.parameters;
  const bool has_transposes = std::find(names.begin(), names.end(), "transA") != names.end();
  std::vector<std::pair<std::vector<double>, std::vector<double>>> forms;
  for (double panels : {0, 1}) {
    std::vector<double> behind{panels};
    if (kernel.name == "gemm") behind = {0.75, 0.5, panels};
    if (!has_transposes) {
      forms.push_back({{}, behind});
      continue;
    }
    for (int i = 0; i < 4; ++i) {
      forms.push_back({{static_cast<double>(i / 2), static_cast<double>(i % 2)}, behind});
    }
  }
  return forms;
}

bool check_products(const nb::Kernel& kernel, const std::vector<std::vector<size_t>>& shapes) {
  bool ok = true;
  for (const auto& shape : shapes) {
    const size_t m = shape[0], n = shape[1], k = shape[2];
    for (const auto& [before, behind] : forms_of(kernel)) {
      std::vector<double> numbers = before;
      for (size_t extent : shape) numbers.push_back(static_cast<double>(extent));
      numbers.insert(numbers.end(), behind.begin(), behind.end());
      ok = check(kernel, numbers, std::max(m * (n + k), k * n + 8)) && ok;
    }
  }
  return ok;
}

bool check_all() {
  std::vector<std::vector<size_t>> shapes = kProducts;
  for (int i = 0; i < 20; ++i) {
    const size_t k = 1 + generator() % 1000, m = 1 + generator() % 300;
    shapes.push_back({m, 1 + generator() % 300, k});
  }
  bool ok = true;
  for (const nb::Kernel& kernel : nb::registry()) {
    const bool is_one = kernel.name.find("gemm") == 0 || kernel.name.find("linear") == 0;
    const bool is_product = is_one && kernel.name != "gemmBatched";
    ok = (is_product ? check_products(kernel, shapes) : check_kernel(kernel)) && ok;
  }
  return ok;
}

}  // namespace

int main() {
  const bool ok = check_all();
  std::printf("%zu kernels: %s\n", nb::registry().size(), ok ? "ok" : "FAILED");
  return ok ? 0 : 1;
}
