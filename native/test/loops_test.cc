// Checks the loops that stand in for OpenBLAS against sums in long double, in both precisions, and
// that they give the same bits at every SIMD level. Exits 1 where one is wrong.
#include "gemm/loops.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "simd/simd.h"

namespace {

namespace loops = nb::loops;
using nb::SimdLevel;

constexpr SimdLevel kLevels[] = {SimdLevel::Baseline, SimdLevel::Avx2, SimdLevel::Avx512};

std::mt19937 generator(1);
bool all_ok = true;

template <class T>
std::vector<T> numbers(size_t size) {
  std::uniform_real_distribution<T> distribution(-1, 1);
  std::vector<T> result(size);
  for (T& number : result) number = distribution(generator);
  return result;
}

// call(result) at every level: the same bits, and as near to `want` as sums of `terms` terms of
// about 1 can be; also around the result, which has its own values in `want`.
template <class T, class Call>
void check(const char* what, const std::vector<T>& before, const std::vector<long double>& want,
           size_t terms, const Call& call) {
  std::vector<T> first;
  for (SimdLevel level : kLevels) {
    nb::limit_simd_level(level);
    std::vector<T> got = before;
    call(got.data());
    if (first.empty()) first = got;
    bool ok = std::memcmp(got.data(), first.data(), got.size() * sizeof(T)) == 0;
    const long double tolerance =
        std::numeric_limits<T>::epsilon() * (2 + std::sqrt(static_cast<long double>(terms)));
    for (size_t i = 0; i < got.size(); ++i) ok &= std::fabs(got[i] - want[i]) <= tolerance * 4;
    if (ok) continue;
    all_ok = false;
    std::printf("%s, %zu bytes, level %d: wrong\n", what, sizeof(T), static_cast<int>(level));
  }
}

template <class T>
std::vector<long double> exactly(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}

template <class T>
void check_gemm(int m, int n, int k, T alpha, T beta) {
  for (int transposes = 0; transposes < 4; ++transposes) {
    const bool trans_a = transposes / 2 == 1, trans_b = transposes % 2 == 1;
    const int lda = (trans_a ? m : k) + 3, ldb = (trans_b ? k : n) + 1, ldc = n + 5;
    const auto a = numbers<T>(static_cast<size_t>((trans_a ? k : m) * lda));
    const auto b = numbers<T>(static_cast<size_t>((trans_b ? n : k) * ldb));
    auto c = numbers<T>(static_cast<size_t>(m * ldc + 1));
    auto want = exactly(c);
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) {
        long double sum = 0;
        for (int p = 0; p < k; ++p) {
          sum += static_cast<long double>(
                     a[static_cast<size_t>(trans_a ? p * lda + i : i * lda + p)]) *
                 b[static_cast<size_t>(trans_b ? j * ldb + p : p * ldb + j)];
        }
        const size_t at = static_cast<size_t>(i * ldc + j);
        want[at] = alpha * sum + (beta == 0 ? 0 : beta * want[at]);
        // With beta = 0 it is not read.
        if (beta == 0) c[at] = std::numeric_limits<T>::quiet_NaN();
      }
    }
    check("gemm", c, want, static_cast<size_t>(k), [&](T* result) {
      loops::gemm(trans_a, trans_b, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, result,
                  ldc);
    });
  }
}

// Element i of a vector of n, as BLAS walks it.
size_t place(int i, int n, int step) {
  return static_cast<size_t>((step < 0 ? n - 1 - i : i) * std::abs(step));
}

template <class T>
void check_gemv(int m, int n, int incx, int incy) {
  for (const bool trans : {false, true}) {
    const int rows = trans ? n : m, terms = trans ? m : n, lda = n + 2;
    const auto a = numbers<T>(static_cast<size_t>(m * lda));
    const auto x = numbers<T>(place(0, terms, -std::abs(incx)) + 1);
    const auto y = numbers<T>(place(0, rows, -std::abs(incy)) + 3);
    auto want = exactly(y);
    for (int i = 0; i < rows; ++i) {
      for (int p = 0; p < terms; ++p) {
        const auto at = static_cast<size_t>(trans ? p * lda + i : i * lda + p);
        want[place(i, rows, incy)] +=
            static_cast<long double>(T(0.75)) * a[at] * x[place(p, terms, incx)];
      }
    }
    check("gemv", y, want, static_cast<size_t>(terms), [&](T* result) {
      loops::gemv(trans, m, n, T(0.75), a.data(), lda, x.data(), incx, result, incy);
    });
  }
}

template <class T>
void check_vectors(int n, int incx, int incy) {
  const auto x = numbers<T>(place(0, n, -std::abs(incx)) + 1);
  const auto y = numbers<T>(place(0, n, -std::abs(incy)) + 3);
  auto sum = exactly(y);
  long double product = 0;
  for (int i = 0; i < n; ++i) {
    sum[place(i, n, incy)] += static_cast<long double>(T(-1.5)) * x[place(i, n, incx)];
    product += static_cast<long double>(x[place(i, n, incx)]) * y[place(i, n, incy)];
  }
  check("axpy", y, sum, 1,
        [&](T* result) { loops::axpy(n, T(-1.5), x.data(), incx, result, incy); });
  check<T>("dot", {0}, {product}, static_cast<size_t>(n),
           [&](T* result) { *result = loops::dot(n, x.data(), incx, y.data(), incy); });
}

// A zero times what is not finite is NaN, in the edges of blocks, too, and nothing else becomes it.
template <class T>
void check_infinities() {
  constexpr int kSize = 67;
  const std::vector<T> a(kSize * kSize, 0);
  std::vector<T> b(kSize * kSize, 1), c(kSize * kSize, 0);
  b[kSize * kSize - 1] = std::numeric_limits<T>::infinity();
  loops::gemm(false, false, kSize, kSize, kSize, T(1), a.data(), kSize, b.data(), kSize, T(0),
              c.data(), kSize);
  for (size_t i = 0; i < c.size(); ++i) {
    if (std::isnan(c[i]) == (i % kSize == kSize - 1)) continue;
    all_ok = false;
    std::printf("infinities: element %zu is %g\n", i, static_cast<double>(c[i]));
  }
}

template <class T>
void check_all() {
  for (const int m : {1, 2, 7, 65})
    for (const int n : {1, 10, 63, 129})
      for (const int k : {0, 1, 5, 64, 131}) {
        check_gemm<T>(m, n, k, 1, 0);
        check_gemm<T>(m, n, k, T(-0.5), T(0.25));
      }
  check_gemm<T>(3, 5, 7, 0, 1);
  for (const int step : {1, 2, -3}) {
    check_gemv<T>(1, 9, step, 1);
    check_gemv<T>(33, 70, 1, step);
    for (const int n : {1, 7, 63, 1025}) check_vectors<T>(n, step, -step);
    check_vectors<T>(1025, 1, step);
  }
  check_infinities<T>();
}

}  // namespace

int main() {
  check_all<float>();
  check_all<double>();
  std::printf("loops: %s\n", all_ok ? "ok" : "FAILED");
  return all_ok ? 0 : 1;
}
