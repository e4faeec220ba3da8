// The kernels over products: the product itself, and the product that updates weights in place.
#include "gemm.h"

#include "settings.h"

namespace nb {
namespace {

void operands_check(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k) {
  flag("transA", trans_a);
  flag("transB", trans_b);
  // OpenBLAS counts in int.
  for (size_t extent : {m, n, k}) {
    if (extent > INT32_MAX) throw KernelFault("m, n, k must be below 2^31");
  }
  holds(a, product(m, k));
  holds(b, product(k, n));
  holds(c, product(m, n));
  distinct(c, a);
  distinct(c, b);
}

void gemm_check(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k, Float,
                Float) {
  operands_check(a, b, c, trans_a, trans_b, m, n, k);
}
void gemm_run(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k, Float alpha,
              Float beta, Share share) noexcept {
  multiply({trans_a == 1, trans_b == 1, m, n, k, alpha, a.data, b.data, beta, c.data}, share);
}
size_t gemm_pieces(In, In, Inout, Size trans_a, Size trans_b, Size m, Size n, Size k, Float, Float,
                   size_t threads) noexcept {
  return pieces_of({trans_a == 1, trans_b == 1, m, n, k}, threads);
}
const Registration gemm = kernel<gemm_check, gemm_run, nullptr, gemm_pieces>(
    "gemm", "a b c transA transB m n k alpha beta");

void gemm_sgd_check(In a, In b, Inout w, In settings, Size trans_a, Size trans_b, Size m, Size n,
                    Size k) {
  operands_check(a, b, w, trans_a, trans_b, m, n, k);
  holds(settings, kSettings);
  distinct(w, settings);
}
// w = (1 - lr·decay)·w - lr·op(a)·op(b): the gradient is never stored.
void gemm_sgd_run(In a, In b, Inout w, In settings, Size trans_a, Size trans_b, Size m, Size n,
                  Size k, Share share) noexcept {
  const Settings s = settings_of(settings);
  multiply({trans_a == 1, trans_b == 1, m, n, k, -s.lr, a.data, b.data, 1 - s.lr * s.decay, w.data},
           share);
}
// The soft threshold needs the whole sum, and pieces may share a row: it comes last.
void gemm_sgd_finish(In, In, Inout w, In settings, Size, Size, Size m, Size n, Size) noexcept {
  const Settings s = settings_of(settings);
  if (s.threshold <= 0) return;
  simd([=, p = w.data] {
    for (size_t i = 0; i < m * n; ++i) p[i] = shrink(p[i], s.threshold);
  });
}
size_t gemm_sgd_pieces(In, In, Inout, In, Size trans_a, Size trans_b, Size m, Size n, Size k,
                       size_t threads) noexcept {
  return pieces_of({trans_a == 1, trans_b == 1, m, n, k}, threads);
}
const Registration gemm_sgd =
    kernel<gemm_sgd_check, gemm_sgd_run, gemm_sgd_finish, gemm_sgd_pieces>(
        "gemmSgd", "a b w settings transA transB m n k");

}  // namespace
}  // namespace nb
