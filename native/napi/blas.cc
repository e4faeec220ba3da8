// gemm, gemv, axpy and dot on plain typed arrays, in float32 and float64.
//
// src/blas/ explains to the user what is wrong with an argument. Here the numbers and the arrays
// are checked once more, whatever was passed, so that no call can touch memory it does not own.
#include "blas.h"

#include <cstdint>
#include <cstdlib>

#include "gemm/blas.h"
#include "values.h"

namespace nb {
namespace {

// Elements from the first to the last of a matrix or a vector. The factors are ints, so nothing
// overflows.
int64_t matrix_extent(int rows, int cols, int lead) {
  return rows == 0 || cols == 0 ? 0 : int64_t{rows - 1} * lead + cols;
}
int64_t vector_extent(int n, int step) {
  return n == 0 ? 0 : (int64_t{n} - 1) * std::llabs(step) + 1;
}

// The arguments of one call. After a refusal `ok` is false and nothing may be computed.
class BlasArguments {
 public:
  BlasArguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = kMost;
    napi_get_cb_info(env, info, &count, values_, nullptr, nullptr);
  }

  double number(size_t position) {
    double value = 0;
    ok &= napi_get_value_double(env_, values_[position], &value) == napi_ok;
    return value;
  }

  int integer(size_t position, double least) {
    const double value = number(position);
    // The comparison is false for NaN, so the cast is always defined.
    const bool fits = value >= least && value <= INT32_MAX && value == static_cast<int>(value);
    ok &= fits;
    return fits ? static_cast<int>(value) : 0;
  }
  int size(size_t position) { return integer(position, 0); }
  int step(size_t position) {
    const int value = integer(position, -INT32_MAX);
    ok &= value != 0;
    return value;
  }
  // A leading dimension of rows of `cols` elements.
  int lead(size_t position, int cols) { return integer(position, cols > 0 ? cols : 1); }

  bool flag(size_t position) {
    bool value = false;
    ok &= napi_get_value_bool(env_, values_[position], &value) == napi_ok;
    return value;
  }

  bool holds_doubles(size_t position) { return array_at(position).type == napi_float64_array; }

  template <typename T>
  T* array(size_t position, int64_t extent) {
    const Array array = array_at(position);
    constexpr auto kType = sizeof(T) == 4 ? napi_float32_array : napi_float64_array;
    ok &= array.type == kType && extent <= INT32_MAX && static_cast<size_t>(extent) <= array.length;
    return static_cast<T*>(array.data);
  }

  bool ok = true;

 private:
  static constexpr size_t kMost = 13;
  struct Array {
    napi_typedarray_type type = napi_int8_array;
    size_t length = 0;
    void* data = nullptr;
  };

  Array array_at(size_t position) {
    Array array;
    // Fails, and leaves the array empty, where the value is something else.
    napi_get_typedarray_info(env_, values_[position], &array.type, &array.length, &array.data,
                             nullptr, nullptr);
    return array;
  }

  napi_env env_;
  napi_value values_[kMost];
};

// gemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
template <typename T>
double gemm(BlasArguments& in) {
  const bool trans_a = in.flag(0), trans_b = in.flag(1);
  const int m = in.size(2), n = in.size(3), k = in.size(4);
  const int a_rows = trans_a ? k : m, a_cols = trans_a ? m : k;
  const int b_rows = trans_b ? n : k, b_cols = trans_b ? k : n;
  const int lda = in.lead(7, a_cols), ldb = in.lead(9, b_cols), ldc = in.lead(12, n);
  const T* a = in.array<T>(6, matrix_extent(a_rows, a_cols, lda));
  const T* b = in.array<T>(8, matrix_extent(b_rows, b_cols, ldb));
  T* c = in.array<T>(11, matrix_extent(m, n, ldc));
  const T alpha = static_cast<T>(in.number(5)), beta = static_cast<T>(in.number(10));
  if (in.ok && m > 0 && n > 0) {
    // With alpha = 0 the operands are not to be read, which OpenBLAS forgets for small ones.
    const int terms = alpha == 0 ? 0 : k;
    blas::gemm(trans_a, trans_b, m, n, terms, alpha, a, lda, b, ldb, beta, c, ldc);
  }
  return 0;
}

// gemv(trans, m, n, alpha, a, lda, x, incx, beta, y, incy)
template <typename T>
double gemv(BlasArguments& in) {
  const bool trans = in.flag(0);
  const int m = in.size(1), n = in.size(2);
  const int x_size = trans ? m : n, y_size = trans ? n : m;
  const int lda = in.lead(5, n), incx = in.step(7), incy = in.step(10);
  const T* a = in.array<T>(4, matrix_extent(m, n, lda));
  const T* x = in.array<T>(6, vector_extent(x_size, incx));
  T* y = in.array<T>(9, vector_extent(y_size, incy));
  const T alpha = static_cast<T>(in.number(3)), beta = static_cast<T>(in.number(8));
  if (!in.ok) return 0;
  // Not left to OpenBLAS, whose versions differ in whether 0·NaN is 0 and in what an empty matrix
  // does to y.
  for (int i = 0; beta != 1 && i < y_size; ++i) {
    T& element = y[int64_t{i} * std::abs(incy)];
    element = beta == 0 ? 0 : beta * element;
  }
  if (m > 0 && n > 0) blas::gemv(trans, m, n, alpha, a, lda, x, incx, y, incy);
  return 0;
}

// axpy(n, alpha, x, incx, y, incy)
template <typename T>
double axpy(BlasArguments& in) {
  const int n = in.size(0), incx = in.step(3), incy = in.step(5);
  const T* x = in.array<T>(2, vector_extent(n, incx));
  T* y = in.array<T>(4, vector_extent(n, incy));
  const T alpha = static_cast<T>(in.number(1));
  if (in.ok && n > 0) blas::axpy(n, alpha, x, incx, y, incy);
  return 0;
}

// dot(n, x, incx, y, incy): number
template <typename T>
double dot(BlasArguments& in) {
  const int n = in.size(0), incx = in.step(2), incy = in.step(4);
  const T* x = in.array<T>(1, vector_extent(n, incx));
  const T* y = in.array<T>(3, vector_extent(n, incy));
  return in.ok && n > 0 ? blas::dot(n, x, incx, y, incy) : 0;
}

// Array is the position of an array that says which of the two to call.
template <auto Floats, auto Doubles, size_t Array>
napi_value call(napi_env env, napi_callback_info info) {
  BlasArguments in(env, info);
  const double value = in.holds_doubles(Array) ? Doubles(in) : Floats(in);
  if (!in.ok) {
    napi_throw_type_error(env, "BLAS", "blas: arguments that src/blas/ should have refused");
    return nullptr;
  }
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

}  // namespace

void export_blas(Napi::Object exports) {
  Napi::Object blas = Napi::Object::New(exports.Env());
  export_function(blas, "gemm", call<gemm<float>, gemm<double>, 6>);
  export_function(blas, "gemv", call<gemv<float>, gemv<double>, 4>);
  export_function(blas, "axpy", call<axpy<float>, axpy<double>, 2>);
  export_function(blas, "dot", call<dot<float>, dot<double>, 1>);
  exports["blas"] = blas;
}

}  // namespace nb
