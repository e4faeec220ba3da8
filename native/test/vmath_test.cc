// Checks vmath.h and reduce.h at every SIMD level of this machine: the largest
// error against float64, special values, the same bits at every level and at
// every position of a loop. Prints a table; exits 1 where a bound is passed.
//
//   g++ -std=c++17 -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math -Inative
//     native/test/vmath_test.cc native/simd/simd.cc -o /tmp/vmath_test && /tmp/vmath_test
//
// Takes every 1021st float32; `vmath_test 1` takes all of them (minutes).
#include "simd/vmath.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "simd/normal.h"
#include "simd/reduce.h"

namespace {

using nb::detail::from_bits;
using nb::detail::to_bits;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kChunk = 4093;  // odd, so that loops have tails

struct Exp {
  NB_INLINE float operator()(float x) const { return nb::v_exp(x); }
};
struct Expm1 {
  NB_INLINE float operator()(float x) const { return nb::v_expm1(x); }
};
struct Log {
  NB_INLINE float operator()(float x) const { return nb::v_log(x); }
};
struct Log1p {
  NB_INLINE float operator()(float x) const { return nb::v_log1p(x); }
};
struct Erf {
  NB_INLINE float operator()(float x) const { return nb::v_erf(x); }
};
struct NormalCdf {
  NB_INLINE float operator()(float x) const { return nb::v_normal_cdf(x); }
};
struct Tanh {
  NB_INLINE float operator()(float x) const { return nb::v_tanh(x); }
};
struct Sigmoid {
  NB_INLINE float operator()(float x) const { return nb::v_sigmoid(x); }
};
struct Softplus {
  NB_INLINE float operator()(float x) const { return nb::v_softplus(x); }
};
struct Sin {
  NB_INLINE float operator()(float x) const { return nb::v_sin(x); }
};
struct Cos {
  NB_INLINE float operator()(float x) const { return nb::v_cos(x); }
};

template <class F>
void map(const float* x, float* y, size_t n) {
  const F f;
  nb::simd([=] {
    for (size_t i = 0; i < n; ++i) y[i] = f(x[i]);
  });
}

double sigmoid(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
double softplus(double x) {
  return (x > 0 ? x : x == x ? 0 : x) + std::log1p(std::exp(-std::fabs(x)));
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

struct Function {
  const char* name;
  void (*map)(const float*, float*, size_t);
  double (*exact)(double);
  double low, high;  // where it is to be accurate
  double bound;      // ulp
};

const Function kFunctions[] = {
    {"exp", map<Exp>, std::exp, -kInf, kInf, 2},
    {"expm1", map<Expm1>, std::expm1, -kInf, kInf, 3},
    {"log", map<Log>, std::log, -kInf, kInf, 2},
    {"log1p", map<Log1p>, std::log1p, -kInf, kInf, 2},
    {"erf", map<Erf>, std::erf, -kInf, kInf, 3},
    {"normal", map<NormalCdf>, normal_cdf, -kInf, kInf, 5},
    {"tanh", map<Tanh>, std::tanh, -kInf, kInf, 4},
    {"sigmoid", map<Sigmoid>, sigmoid, -kInf, kInf, 4},
    {"softplus", map<Softplus>, softplus, -kInf, kInf, 4},
    {"sin", map<Sin>, std::sin, -400, 400, 3},
    {"cos", map<Cos>, std::cos, -400, 400, 3},
};

bool failed = false;

bool same(float a, float b) { return to_bits(a) == to_bits(b) || (a != a && b != b); }

void fail(const char* name, double x, double got, double expected) {
  std::printf("FAIL %s(%.9g) = %.9g, expected %.9g\n", name, x, got, expected);
  failed = true;
}

// |got - exact| in units of the last place of exact, as a float32.
double error_in_ulp(float got, double exact) {
  const float rounded = static_cast<float>(exact);
  if (std::isnan(rounded) || std::isinf(rounded) || std::isnan(got) || std::isinf(got)) {
    // Near the largest float, inf instead of it is an error of 1 ulp, as elsewhere.
    const double max = std::numeric_limits<float>::max();
    const bool edge = std::fabs(exact) > max * (1 - 3e-7) && std::fabs(exact) < max * (1 + 3e-7);
    return same(got, rounded) ? 0 : edge && std::fabs(got) >= max * (1 - 3e-7) ? 1 : kInf;
  }
  int exponent;
  std::frexp(exact, &exponent);
  return std::fabs(got - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

struct Worst {
  double ulp = 0;
  float at = 0;
};

// Every level computes the chunk; the results must agree. Returns the first one's.
void compute(const Function& f, const std::vector<float>& x, std::vector<float>& y) {
  std::vector<float> other(x.size());
  for (int level = 0; level <= static_cast<int>(nb::best_simd_level()); ++level) {
    nb::limit_simd_level(static_cast<nb::SimdLevel>(level));
    f.map(x.data(), level == 0 ? y.data() : other.data(), x.size());
    for (size_t i = 0; level > 0 && i < x.size(); ++i) {
      if (!same(y[i], other[i])) fail(nb::simd_level(), x[i], other[i], y[i]);
    }
  }
}

Worst scan(const Function& f, uint32_t stride) {
  Worst worst;
  std::vector<float> x(kChunk), y(kChunk);
  for (uint64_t u = 0; u < (1ull << 32);) {
    for (float& value : x) {
      value = from_bits(static_cast<uint32_t>(u));
      u += stride;
    }
    compute(f, x, y);
    for (size_t i = 0; i < x.size(); ++i) {
      if (!(x[i] >= f.low && x[i] <= f.high) && x[i] == x[i]) continue;
      const double ulp = error_in_ulp(y[i], f.exact(x[i]));
      if (ulp > worst.ulp) worst = {ulp, x[i]};
    }
  }
  return worst;
}

// Exact values at and around the edges; same value in every lane and in the tail.
void check_value(const char* name, float x, double expected) {
  for (const Function& f : kFunctions) {
    if (std::strcmp(f.name, name) != 0) continue;
    const std::vector<float> xs(37, x);
    std::vector<float> ys(37);
    compute(f, xs, ys);
    for (float y : ys) {
      if (!same(y, static_cast<float>(expected))) return fail(name, x, y, expected);
    }
  }
}

void check_special_values() {
  const float inf = static_cast<float>(kInf);
  for (const Function& f : kFunctions) check_value(f.name, static_cast<float>(kNaN), kNaN);
  check_value("exp", -inf, 0);
  check_value("exp", inf, kInf);
  check_value("exp", 88.73f, kInf);
  check_value("exp", 0, 1);
  check_value("exp", -104, 0);
  check_value("expm1", -inf, -1);
  check_value("expm1", inf, kInf);
  check_value("expm1", -0.0f, -0.0);
  check_value("log", 0, -kInf);
  check_value("log", -0.0f, -kInf);
  check_value("log", 1, 0);
  check_value("log", -1, kNaN);
  check_value("log", -1e-40f, kNaN);
  check_value("log", -inf, kNaN);
  check_value("log", inf, kInf);
  check_value("log1p", -1, -kInf);
  check_value("log1p", -1.0000001f, kNaN);
  check_value("log1p", inf, kInf);
  check_value("log1p", -inf, kNaN);
  check_value("log1p", -0.0f, -0.0);
  check_value("log1p", 1e-40f, 1e-40f);
  check_value("erf", inf, 1);
  check_value("erf", -inf, -1);
  check_value("erf", -0.0f, -0.0);
  check_value("normal", inf, 1);
  check_value("normal", -inf, 0);
  check_value("normal", 0, 0.5);
  check_value("sigmoid", 1e4f, 1);
  check_value("sigmoid", -1e4f, 0);
  check_value("sigmoid", inf, 1);
  check_value("sigmoid", -inf, 0);
  check_value("sigmoid", 0, 0.5);
  check_value("tanh", 1e4f, 1);
  check_value("tanh", -1e4f, -1);
  check_value("tanh", inf, 1);
  check_value("tanh", -inf, -1);
  check_value("tanh", 1e-8f, 1e-8f);
  check_value("tanh", -0.0f, -0.0);
  check_value("softplus", 1e4f, 1e4);
  check_value("softplus", -1e4f, 0);
  check_value("softplus", inf, kInf);
  check_value("softplus", -inf, 0);
  check_value("sin", 0, 0);
  check_value("sin", inf, kNaN);
  check_value("cos", 0, 1);
  check_value("cos", -inf, kNaN);
  check_value("cos", 1e10f, kNaN);
}

// At every level: check(the level's result, the baseline's).
template <class Run, class Check>
void at_each_level(Run run, Check check) {
  nb::limit_simd_level(nb::SimdLevel::Baseline);
  const float baseline = run();
  for (int level = 0; level <= static_cast<int>(nb::best_simd_level()); ++level) {
    nb::limit_simd_level(static_cast<nb::SimdLevel>(level));
    check(run(), baseline);
  }
}

// Values in [0, 1) and in [-1, 1); errors in units of the sum of magnitudes.
double check_sum(size_t n, bool sign) {
  std::vector<float> x(n);
  double exact = 0, magnitude = 0;
  uint32_t seed = 1;
  for (float& value : x) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / 16777216.0f;
    if (sign) value = 2 * value - 1;
    exact += value;
    magnitude += std::fabs(value);
  }
  const double scale = magnitude * std::ldexp(1.0, -24) + 1e-300;
  double worst = 0;
  at_each_level([&] { return nb::sum(x.data(), n); },
                [&](float got, float baseline) {
                  if (!same(got, baseline)) fail("sum over levels", n, got, baseline);
                  worst = std::max(worst, std::fabs(got - exact) / scale);
                });
  // Half a unit for each of the tree's levels would be the bound; errors mostly cancel.
  if (worst > 4) fail("sum", n, nb::sum(x.data(), n), exact);
  return worst;
}

void check_max(size_t n) {
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i) x[i] = -1.0f - static_cast<float>(i % 7);
  const auto expect = [&](double expected) {
    at_each_level([&] { return nb::max(x.data(), n); },
                  [&](float got, float) {
                    if (!same(got, static_cast<float>(expected))) fail("max", n, got, expected);
                  });
  };
  expect(n == 0 ? -kInf : -1);
  for (size_t i = 0; i < n; ++i) {
    const float kept = x[i];
    x[i] = 0.5f;
    expect(0.5);
    x[i] = static_cast<float>(kNaN);
    expect(kNaN);
    x[i] = kept;
  }
}

void check_reductions() {
  double worst = 0;
  for (size_t n = 0; n < 1100; ++n) {
    worst = std::max({worst, check_sum(n, false), check_sum(n, true)});
  }
  for (size_t n : {4095, 65537, 1 << 20, (1 << 24) + 3}) {
    worst = std::max({worst, check_sum(n, false), check_sum(n, true)});
  }
  for (size_t n : {0, 1, 2, 15, 31, 32, 33, 63, 64, 65, 100, 1025}) check_max(n);
  std::printf("sum       %7.3f    4.0  (times 2^-24 times the sum of |x|)\n", worst);
}

}  // namespace

int main(int argc, char** argv) {
  const uint32_t stride = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 1021;
  check_special_values();
  std::printf("function  max ulp  bound  at\n");
  for (const Function& f : kFunctions) {
    const Worst worst = scan(f, stride);
    std::printf("%-9s %7.3f  %5.1f  %.9g\n", f.name, worst.ulp, f.bound, worst.at);
    failed |= !(worst.ulp <= f.bound);
  }
  check_reductions();
  std::printf("%s, levels up to %s\n", failed ? "FAILED" : "ok", nb::simd_level());
  return failed;
}
