#include "bench.h"

#include <chrono>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "buffers.h"
#include "gemm/openblas.h"
#include "simd/peak.h"

namespace nb {
namespace {

constexpr size_t kFields = 8;
constexpr size_t kMatrices = 64;

struct Matrix {
  size_t size = 0;
  float* data = nullptr;
};

struct Call {
  bool trans_a, trans_b;
  size_t m, n, k;
  size_t a, b, c;
};

// The number as an integer from 0 to below limit; false for any other.
bool integer(double value, double limit, size_t& result) {
  if (!(value >= 0 && value < limit)) return false;
  result = static_cast<size_t>(value);
  return static_cast<double>(result) == value;
}

bool read_product(const double* f, Call& p) {
  size_t trans_a, trans_b;
  const double extents = 1 << 20;
  const bool ok = integer(f[0], 2, trans_a) && integer(f[1], 2, trans_b) &&
                  integer(f[2], extents, p.m) && integer(f[3], extents, p.n) &&
                  integer(f[4], extents, p.k) && integer(f[5], kMatrices, p.a) &&
                  integer(f[6], kMatrices, p.b) && integer(f[7], kMatrices, p.c);
  if (!ok) return false;
  p.trans_a = trans_a != 0;
  p.trans_b = trans_b != 0;
  return p.c != p.a && p.c != p.b;
}

// Random numbers from -0.1 to 0.1: neither denormal, which would be slow, nor growing from product
// to product.
void fill(const Matrix& matrix) {
  uint32_t state = 1;
  for (size_t i = 0; i < matrix.size; ++i) {
    state = state * 1664525 + 1013904223;  // Numerical Recipes' generator
    matrix.data[i] = (static_cast<float>(state >> 8) / (1 << 23) - 1) * 0.1f;
  }
}

void grow(Matrix& matrix, size_t size) {
  if (size > matrix.size) matrix.size = size;
}

// One call of OpenBLAS: gemm, or gemv or ger where there is a vector.
void call(const Cblas<float>& blas, const Call& p, const float* a, const float* b, float beta,
          float* c) {
  const int op_a = p.trans_a ? kTrans : kNoTrans, op_b = p.trans_b ? kTrans : kNoTrans;
  const int m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
  if (m == 1) {
    blas.gemv(kRowMajor, p.trans_b ? kNoTrans : kTrans, p.trans_b ? n : k, p.trans_b ? k : n, 1, b,
              p.trans_b ? k : n, a, 1, beta, c, 1);
  } else if (k == 1) {
    blas.ger(kRowMajor, m, n, 1, a, 1, b, 1, c, n);
  } else {
    blas.gemm(kRowMajor, op_a, op_b, m, n, k, 1, a, p.trans_a ? m : k, b, p.trans_b ? k : n, beta,
              c, n);
  }
}

double time_products(const Cblas<float>& blas, const std::vector<Call>& products, double repeats) {
  Buffers buffers;  // the memory is of the same kind as that of tensors
  Matrix matrices[kMatrices];
  for (const Call& p : products) {
    grow(matrices[p.a], p.m * p.k);
    grow(matrices[p.b], p.k * p.n);
    grow(matrices[p.c], p.m * p.n);
  }
  for (Matrix& matrix : matrices) {
    if (matrix.size == 0) continue;
    const double handle = buffers.allocate(matrix.size, DType::float32);
    matrix.data = static_cast<float*>(buffers.find(handle)->data);
    fill(matrix);
  }
  const auto begin = std::chrono::steady_clock::now();
  for (double i = 0; i < repeats; ++i) {
    for (const Call& p : products) {
      // ger can only add, and clearing c for it would be no call of BLAS.
      const float beta = p.k == 1 ? 1 : 0;
      call(blas, p, matrices[p.a].data, matrices[p.b].data, beta, matrices[p.c].data);
    }
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

Napi::Value time_gemms(const Napi::CallbackInfo& info) {
  const auto refuse = [&] {
    return Napi::TypeError::New(info.Env(), "timeGemms: expected products and repeats");
  };
  if (!info[0].IsTypedArray() || !info[1].IsNumber()) throw refuse();
  const auto numbers = info[0].As<Napi::TypedArray>();
  if (numbers.TypedArrayType() != napi_float64_array) throw refuse();
  const auto fields = numbers.As<Napi::Float64Array>();
  std::vector<Call> products(fields.ElementLength() / kFields);
  for (size_t i = 0; i < products.size(); ++i) {
    if (!read_product(fields.Data() + i * kFields, products[i])) throw refuse();
  }
  const OpenBlas* library = openblas();
  if (library == nullptr) {
    throw Napi::Error::New(info.Env(),
                           std::string("timeGemms: no OpenBLAS, ") + openblas_problem());
  }
  try {
    const double repeats = info[1].As<Napi::Number>().DoubleValue();
    return Napi::Number::New(info.Env(), time_products(library->floats, products, repeats));
  } catch (const std::bad_alloc&) {
    throw Napi::Error::New(info.Env(), "timeGemms: out of memory");
  }
}

Napi::Value time_flops(const Napi::CallbackInfo& info) {
  const double flops = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
  const double hours = 1e15;
  if (!(flops >= 0 && flops <= hours)) {
    throw Napi::TypeError::New(info.Env(), "timeFlops: expected a number of operations");
  }
  return Napi::Number::New(info.Env(), time_flops(flops));
}

}  // namespace nb
