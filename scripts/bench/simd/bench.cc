// Which way to choose vector instructions at run time? Times the same four
// loops compiled in three ways, and Highway's. README.md has the results.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "loops.h"

namespace bench {

// (a) GCC makes and dispatches the versions, through an ifunc.
namespace clones {
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
CLONES void exp(const float* x, float* y, size_t n) { exp_loop(x, y, n); }
CLONES void sigmoid(const float* x, float* y, size_t n) { sigmoid_loop(x, y, n); }
CLONES void bias_relu(float* x, const float* bias, size_t rows, size_t cols) {
  bias_relu_loop(x, bias, rows, cols);
}
CLONES void adam(float* w, float* m, float* v, const float* g, size_t n, Adam a) {
  adam_loop(w, m, v, g, n, a);
}
constexpr Contestant table{"target_clones", exp, sigmoid, bias_relu, adam};
}  // namespace clones

// (b) The functions again under each #pragma GCC target, in a namespace each.
#define PRAGMA_FUNCTIONS                                                      \
  void exp(const float* x, float* y, size_t n) { exp_loop(x, y, n); }         \
  void sigmoid(const float* x, float* y, size_t n) { sigmoid_loop(x, y, n); } \
  void bias_relu(float* x, const float* bias, size_t rows, size_t cols) {     \
    bias_relu_loop(x, bias, rows, cols);                                      \
  }                                                                           \
  void adam(float* w, float* m, float* v, const float* g, size_t n, Adam a) { \
    adam_loop(w, m, v, g, n, a);                                              \
  }                                                                           \
  constexpr Contestant table{"#pragma target", exp, sigmoid, bias_relu, adam};
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")
namespace pragma_v4 {
PRAGMA_FUNCTIONS
}
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
namespace pragma_v3 {
PRAGMA_FUNCTIONS
}
#pragma GCC pop_options
namespace pragma_default {
PRAGMA_FUNCTIONS
}

// (d) native/simd/simd.h: a lambda, instantiated for each level.
namespace lambda {
void exp(const float* x, float* y, size_t n) {
  nb::simd([=] { exp_loop(x, y, n); });
}
void sigmoid(const float* x, float* y, size_t n) {
  nb::simd([=] { sigmoid_loop(x, y, n); });
}
void bias_relu(float* x, const float* bias, size_t rows, size_t cols) {
  nb::simd([=] { bias_relu_loop(x, bias, rows, cols); });
}
void adam(float* w, float* m, float* v, const float* g, size_t n, Adam a) {
  nb::simd([=] { adam_loop(w, m, v, g, n, a); });
}
constexpr Contestant table{"simd.h", exp, sigmoid, bias_relu, adam};
}  // namespace lambda

extern const Contestant kHighway;

namespace {

Contestant best_pragma() {
  if (__builtin_cpu_supports("x86-64-v4")) return pragma_v4::table;
  if (__builtin_cpu_supports("x86-64-v3")) return pragma_v3::table;
  return pragma_default::table;
}

double nanoseconds(const std::function<void()>& run, int repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) run();
  const auto end = std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::nano>(end - start).count() / repeats;
}

struct Case {
  const char* name;
  size_t elements;
  std::function<void(const Contestant&)> run;
};

double median(std::vector<double>& times) {
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

// The contestants take turns; each turn handles half a million elements or one case.
void measure(const Case& c, const std::vector<Contestant>& contestants, int rounds) {
  std::vector<std::vector<double>> times(contestants.size());
  const int repeats = static_cast<int>(std::max<size_t>(1, 500000 / c.elements));
  for (int round = -2; round < rounds; ++round) {
    for (size_t k = 0; k < contestants.size(); ++k) {
      const double t = nanoseconds([&] { c.run(contestants[k]); }, repeats);
      if (round >= 0) times[k].push_back(t);
    }
  }
  std::printf("| %s |", c.name);
  for (auto& t : times) {
    const double middle = median(t);
    std::printf(" %.2f (%.2f) |", middle / 1e3, *std::min_element(t.begin(), t.end()) / 1e3);
  }
  std::printf("\n");
}

}  // namespace

}  // namespace bench

int main() {
  using namespace bench;
  const size_t n = 1 << 20;
  std::vector<float> x(n), y(n), bias(1024, 0.01f), w(n), m(n), v(n);
  for (size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i * 7919 % 10007) / 500 - 10;
  const Adam a{1e-3f, 0.9f, 0.999f, 1e-8f};
  const std::vector<Case> cases{
      {"exp, 1,024", 1024, [&](const Contestant& c) { c.exp(x.data(), y.data(), 1024); }},
      {"exp, 1,023", 1023, [&](const Contestant& c) { c.exp(x.data(), y.data(), 1023); }},
      {"exp, 1 M", n, [&](const Contestant& c) { c.exp(x.data(), y.data(), n); }},
      {"sigmoid, 1,024", 1024, [&](const Contestant& c) { c.sigmoid(x.data(), y.data(), 1024); }},
      {"sigmoid, 1 M", n, [&](const Contestant& c) { c.sigmoid(x.data(), y.data(), n); }},
      {"bias + relu, 128 x 1,024", 128 * 1024,
       [&](const Contestant& c) { c.bias_relu(y.data(), bias.data(), 128, 1024); }},
      {"Adam, 16 K", 16384,
       [&](const Contestant& c) { c.adam(w.data(), m.data(), v.data(), x.data(), 16384, a); }},
      {"Adam, 1 M", n,
       [&](const Contestant& c) { c.adam(w.data(), m.data(), v.data(), x.data(), n, a); }},
  };
  const std::vector<Contestant> contestants{clones::table, best_pragma(), lambda::table, kHighway};
  std::printf("level %s; microseconds, median (minimum)\n|  |", nb::simd_level());
  for (const Contestant& c : contestants) std::printf(" %s |", c.name);
  std::printf("\n|---|---|---|---|---|\n");
  for (const Case& c : cases) measure(c, contestants, 201);
}
