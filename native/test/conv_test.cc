// Convolutions of random shapes, forward and both gradients, at every level of vector instructions,
// against sums in double, one loop per axis. Behind every buffer lies a page that nobody may touch,
// before it numbers that must stay. Chunks, in any order, give the bits of the whole, and so do all
// levels that multiply and add at once. Kernels that pool give the bits of those that do not. Exits
// 1 where one is wrong.
//   conv_test [shapes [seed]]
#include <sys/mman.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "gemm/engine.h"
#include "kernel.h"

namespace {

using nb::Chunk;
using nb::SimdLevel;

std::mt19937 generator(1);
int failures = 0;

size_t pick(size_t least, size_t most) { return least + generator() % (most - least + 1); }

// Floats that end where their page does.
class Floats {
 public:
  Floats()
      : base_(static_cast<char*>(mmap(nullptr, kBytes + kPage, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    if (base_ == MAP_FAILED || mprotect(base_ + kBytes, kPage, PROT_NONE) != 0) std::abort();
    resize(0);
  }
  void resize(size_t size) {
    if (size + kGuard > kBytes / sizeof(float)) std::abort();
    buffer.length = size;
    begin_ = reinterpret_cast<float*>(base_ + kBytes) - size;
    buffer.data = begin_;
    for (size_t i = 1; i <= kGuard; ++i) *(begin_ - i) = kUntouched;
  }
  void randomize() {
    std::uniform_real_distribution<float> distribution(-1, 1);
    for (size_t i = 0; i < size(); ++i) data()[i] = distribution(generator);
  }
  // As bytes, from here on.
  uint8_t* bytes(size_t size) {
    resize((size + sizeof(float) - 1) / sizeof(float));
    buffer.dtype = nb::DType::uint8;
    buffer.length = size;
    buffer.data = base_ + kBytes - size;
    return static_cast<uint8_t*>(buffer.data);
  }
  void clear() { std::fill_n(data(), size(), kUntouched); }
  bool is_guarded() const {
    for (size_t i = 1; i <= kGuard; ++i) {
      if (*(begin_ - i) != kUntouched) return false;
    }
    return true;
  }
  float* data() const { return static_cast<float*>(buffer.data); }
  size_t size() const { return buffer.length; }

  nb::Buffer buffer;

 private:
  static constexpr size_t kBytes = size_t{1} << 22, kPage = 4096, kGuard = 64;
  static constexpr float kUntouched = -1.25e-30f;
  char* base_;
  float* begin_ = nullptr;
};

// Buffers by number.
struct Source final : nb::BufferSource {
  std::array<Floats, 15> all;
  const nb::Buffer* find(double name) const override {
    return &all[static_cast<size_t>(name)].buffer;
  }
  bool is_busy(const nb::Buffer&, bool) const override { return false; }
  void bring_into_rows(const nb::Buffer&) const override {}
} source;
enum Name {
  X,
  W,
  BIAS,
  Y,
  DY,
  TURNED,
  DX,
  DW,
  SCRATCH,
  POOLS,
  POOLS_GRAD,
  PLACES,
  DZ,
  DBIAS,
  POOL_SCRATCH
};

struct Shape {
  size_t batch, in[2], channels, out[2], filters, kernel[2], stride[2], before[2], dilation[2],
      groups;

  std::vector<double> extents() const {
    std::vector<double> result;
    for (size_t n : {batch, in[0], in[1], channels, out[0], out[1], filters, kernel[0], kernel[1],
                     stride[0], stride[1], before[0], before[1], dilation[0], dilation[1], groups})
      result.push_back(static_cast<double>(n));
    return result;
  }
  size_t weights() const { return kernel[0] * kernel[1] * channels / groups * filters; }
};

size_t channels_of(size_t groups) {
  const std::array<size_t, 14> counts{1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 31, 33, 64, 70};
  const size_t count = counts[pick(0, counts.size() - 1)];
  return groups * std::max<size_t>(1, count / groups);
}

Shape random_shape() {
  Shape s{};
  const size_t kind = pick(0, 9);
  s.groups = kind == 0 ? pick(2, 4) : kind == 1 ? pick(1, 70) : 1;
  s.channels = kind == 1 ? s.groups : channels_of(s.groups);
  // Depthwise, sometimes with more than one filter for each channel.
  s.filters = kind == 1 ? s.groups * (pick(0, 2) == 0 ? 2 : 1) : channels_of(s.groups);
  // Enough images for all parts of the weights' gradient, now and then.
  s.batch = pick(0, 5) == 0 ? pick(7, 19) : pick(1, 3);
  for (size_t axis = 0; axis < 2; ++axis) {
    do {
      s.in[axis] = pick(1, s.batch > 3 ? 9 : 17);
      s.kernel[axis] = pick(1, pick(0, 3) == 0 ? 7 : 3);
      s.stride[axis] = pick(1, 3);
      s.dilation[axis] = pick(0, 2) == 0 ? pick(2, 3) : 1;
      s.before[axis] = pick(0, 1) * pick(0, 4);
      const size_t padded = s.in[axis] + s.before[axis] + pick(0, 1) * pick(0, 4);
      const size_t span = (s.kernel[axis] - 1) * s.dilation[axis] + 1;
      s.out[axis] = padded < span ? 0 : (padded - span) / s.stride[axis] + 1;
    } while (s.out[axis] == 0);
  }
  // A long line.
  if (pick(0, 15) == 0) {
    s.in[1] = s.out[1] = s.kernel[1] = s.stride[1] = s.dilation[1] = 1;
    s.before[1] = 0;
    s.in[0] = pick(100, 2000) / (s.batch > 3 ? 8 : 1);
    s.stride[0] = 1;
    s.out[0] = s.in[0] + s.before[0] - std::min(s.in[0] - 1, (s.kernel[0] - 1) * s.dilation[0]);
  }
  return s;
}

// Calls f(x, w, y) with the places of the factors of every product.
template <class F>
void for_products(const Shape& s, const F& f) {
  const size_t channels = s.channels / s.groups, filters = s.filters / s.groups;
  for (size_t n = 0; n < s.batch; ++n)
    for (size_t i = 0; i < s.out[0]; ++i)
      for (size_t j = 0; j < s.out[1]; ++j)
        for (size_t a = 0; a < s.kernel[0]; ++a)
          for (size_t b = 0; b < s.kernel[1]; ++b) {
            // Below 0 it wraps around, to far outside.
            const size_t h = i * s.stride[0] + a * s.dilation[0] - s.before[0];
            const size_t w = j * s.stride[1] + b * s.dilation[1] - s.before[1];
            if (h >= s.in[0] || w >= s.in[1]) continue;
            for (size_t g = 0; g < s.groups; ++g)
              for (size_t c = 0; c < channels; ++c)
                for (size_t o = 0; o < filters; ++o)
                  f(((n * s.in[0] + h) * s.in[1] + w) * s.channels + g * channels + c,
                    ((a * s.kernel[1] + b) * channels + c) * s.filters + g * filters + o,
                    ((n * s.out[0] + i) * s.out[1] + j) * s.filters + g * filters + o);
          }
}

// Sums in double, and of absolute values, by which errors are measured.
struct Sums {
  std::vector<double> value, magnitude;
  explicit Sums(size_t n) : value(n), magnitude(n) {}
  void add(size_t i, double term) {
    value[i] += term;
    magnitude[i] += std::fabs(term);
  }
};

const nb::Kernel& kernel_of(const std::string& name) {
  for (const nb::Kernel& kernel : nb::registry()) {
    if (kernel.name == name) return kernel;
  }
  std::abort();
}

std::string text(const Shape& s) {
  std::string result;
  for (double n : s.extents()) result += " " + std::to_string(static_cast<size_t>(n));
  return result;
}

void check(bool ok, const std::string& what, const Shape& s) {
  if (ok) return;
  if (++failures <= 20) std::printf("%s:%s\n", what.c_str(), text(s).c_str());
}

// Computes a kernel in one chunk and in several, last first.
std::vector<float> computed(const std::string& name, std::vector<double> buffers, Name result,
                            const Shape& s) {
  const std::string what = name + " at " + nb::simd_level();
  const auto extents = s.extents();
  buffers.insert(buffers.end(), extents.begin(), extents.end());
  const Floats& y = source.all[result];
  std::vector<float> whole;
  for (const size_t count : {size_t{1}, pick(2, 9)}) {
    source.all[result].clear();
    const auto call = kernel_of(name).bind(source, buffers.data());
    for (size_t index = count; index-- > 0;) {
      if (call->run(Chunk{index, count})) std::abort();
    }
    call->finish();
    if (count > 1) {
      check(!std::memcmp(whole.data(), y.data(), y.size() * sizeof(float)), what + ", chunks", s);
    }
    whole.assign(y.data(), y.data() + y.size());
  }
  for (const Floats& buffer : source.all) check(buffer.is_guarded(), what + ", guard", s);
  return whole;
}

// What it wrote against `want`.
std::vector<float> run(const std::string& name, const std::vector<double>& buffers, Name result,
                       const Shape& s, const Sums& want) {
  const std::vector<float> whole = computed(name, buffers, result, s);
  bool ok = true;
  for (size_t i = 0; i < whole.size(); ++i) {
    // Errors of a chain mostly cancel; none of these is longer than some thousand.
    ok &= std::fabs(whole[i] - want.value[i]) <= 1e-6 * (1e-6 + want.magnitude[i]);
  }
  check(ok, name + " at " + nb::simd_level(), s);
  return whole;
}

// Calls f(pool, result, place) for the results of all windows of 2 × 2.
template <class F>
void for_windows(const Shape& s, const F& f) {
  const size_t height = s.out[0] / 2, width = s.out[1] / 2;
  for (size_t pool = 0; pool < s.batch * height * width * s.filters; ++pool) {
    const size_t pixel = pool / s.filters, row = pixel / width % height * 2;
    const size_t image = pixel / width / height * s.out[0];
    for (size_t place = 0; place < 4; ++place) {
      const size_t col = pixel % width * 2 + place % 2;
      const size_t result = (image + row + place / 2) * s.out[1] + col;
      f(pool, result * s.filters + pool % s.filters, place);
    }
  }
}

// Pools the results of convBiasRelu, and takes the gradients back, at the level in use.
void check_pools(const Shape& s, const std::vector<float>& relu) {
  if (s.out[0] < 2 || s.out[1] < 2) return;
  const size_t results = s.batch * s.out[0] * s.out[1];
  const size_t pools = s.batch * (s.out[0] / 2) * (s.out[1] / 2) * s.filters;
  const auto size = [&](Name name, size_t n) { source.all[name].resize(n); };
  size(POOLS, pools), size(POOLS_GRAD, pools), size(DBIAS, s.filters);
  size(DZ, results * s.filters);
  size(POOL_SCRATCH, source.all[SCRATCH].size() + (results + 15) / 16 * s.filters);
  const uint8_t* places = source.all[PLACES].bytes(pools);
  source.all[POOLS_GRAD].randomize();
  std::fill_n(source.all[DZ].data(), results * s.filters, 0.0f);
  const auto y = computed("convBiasReluPool", {X, W, BIAS, POOLS, PLACES}, POOLS, s);
  std::vector<float> most(pools, -1);
  std::vector<size_t> winners(pools);
  bool ok = true;
  for_windows(s, [&](size_t pool, size_t result, size_t place) {
    if (relu[result] <= most[pool]) return;
    most[pool] = relu[result];
    winners[pool] = place;
  });
  for_windows(s, [&](size_t pool, size_t result, size_t place) {
    ok &= y[pool] == most[pool] && places[pool] == winners[pool];
    if (place != winners[pool] || y[pool] <= 0) return;
    source.all[DZ].data()[result] = source.all[POOLS_GRAD].data()[pool];
  });
  check(ok, std::string("pools at ") + nb::simd_level(), s);
  const auto same = [&](const std::vector<float>& a, const std::vector<float>& b,
                        const char* what) {
    for (size_t i = 0; i < a.size(); ++i) ok &= a[i] == b[i];
    check(ok, std::string(what) + ", pooled, at " + nb::simd_level(), s);
  };
  const auto gradient = [&](const char* name, Name result) {
    return computed(name, {X, POOLS, POOLS_GRAD, PLACES, DW, DBIAS, POOL_SCRATCH}, result, s);
  };
  same(gradient("convPoolWeightGrad", DW), computed("convWeightGrad", {X, DZ, DW, SCRATCH}, DW, s),
       "dw");
  std::vector<float> sums(s.filters);
  for (size_t i = 0; i < results * s.filters; ++i) sums[i % s.filters] += source.all[DZ].data()[i];
  const auto dbias = gradient("convPoolWeightGrad", DBIAS);
  for (size_t i = 0; i < s.filters; ++i) ok &= std::fabs(dbias[i] - sums[i]) < 1e-3f;
  check(ok, "dbias", s);
  for (size_t axis = 0; axis < 2; ++axis) {
    if (s.before[axis] > (s.kernel[axis] - 1) * s.dilation[axis]) return;
  }
  same(computed("convPoolInputGrad", {POOLS, POOLS_GRAD, PLACES, TURNED, DX}, DX, s),
       computed("convInputGrad", {DZ, TURNED, DX}, DX, s), "dx");
}

void check_shape(const Shape& s) {
  const auto size = [&](Name name, size_t n) { source.all[name].resize(n); };
  const size_t image = s.batch * s.in[0] * s.in[1] * s.channels;
  const size_t result = s.batch * s.out[0] * s.out[1] * s.filters, weights = s.weights();
  size(X, image), size(DX, image), size(Y, result), size(DY, result), size(BIAS, s.filters);
  size(W, weights), size(TURNED, weights), size(DW, weights);
  size(SCRATCH, weights <= 8192 ? 8 * weights : 0);
  for (Name name : {X, W, BIAS, DY}) source.all[name].randomize();
  const float *x = source.all[X].data(), *w = source.all[W].data(), *dy = source.all[DY].data();
  float* turned = source.all[TURNED].data();
  const size_t channels = s.channels / s.groups;
  for (size_t i = 0; i < weights; ++i) {
    const size_t tap = i / (channels * s.filters), c = i / s.filters % channels, o = i % s.filters;
    turned[(tap * s.filters + o) * channels + c] = w[i];
  }
  Sums y(result), biased(result), relu(result), dx(image), dw(weights);
  for_products(s, [&](size_t i, size_t k, size_t r) {
    y.add(r, double{x[i]} * w[k]);
    dx.add(i, double{dy[r]} * w[k]);
    dw.add(k, double{x[i]} * dy[r]);
  });
  biased = y;
  for (size_t i = 0; i < result; ++i) biased.add(i, source.all[BIAS].data()[i % s.filters]);
  relu = biased;
  for (double& value : relu.value) value = std::max(value, 0.0);
  std::vector<std::vector<float>> fused;
  for (SimdLevel level : {SimdLevel::Baseline, SimdLevel::Avx2, SimdLevel::Avx512}) {
    nb::limit_simd_level(level);
    if (nb::simd_level_in_use() != level) continue;
    const std::vector<std::vector<float>> all{
        run("conv", {X, W, Y}, Y, s, y),
        run("convBias", {X, W, BIAS, Y}, Y, s, biased),
        run("convBiasRelu", {X, W, BIAS, Y}, Y, s, relu),
        run("convInputGrad", {DY, TURNED, DX}, DX, s, dx),
        run("convWeightGrad", {X, DY, DW, SCRATCH}, DW, s, dw),
    };
    check_pools(s, all[2]);
    if (!nb::has_own_engine()) continue;
    if (fused.empty()) fused = all;
    for (size_t i = 0; i < all.size(); ++i) {
      check(!std::memcmp(all[i].data(), fused[i].data(), all[i].size() * sizeof(float)),
            "kernel " + std::to_string(i) + ": other bits at " + nb::simd_level(), s);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  const int shapes = count > 1 ? std::atoi(arguments[1]) : 1500;
  if (count > 2) generator.seed(static_cast<unsigned>(std::atoi(arguments[2])));
  for (int i = 0; i < shapes; ++i) check_shape(random_shape());
  std::printf("convolutions of %d shapes: %s\n", shapes, failures == 0 ? "ok" : "FAILED");
  return failures == 0 ? 0 : 1;
}
