// The kernels over products: the product itself, layers in both directions, and the weight gradient
// together with the step of the optimizer that uses it.
#include "epilogues.h"
#include "finite.h"
#include "product.h"

namespace nb {
namespace {

Product<float> product_of(In a, In b, Size trans_a, Size trans_b, Size m, Size n, Size k,
                          Size panels, Chunk chunk) {
  Product<float> p{trans_a == 1, trans_b == 1, m, n, k, a.data, b.data};
  p.skips_zeros = m == 1 && trans_b == 0 && knows_finite(b, product(n, k), chunk);
  p.b_in_panels = panels == 1;
  return p;
}

void gemm_check(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k, Float,
                Float, Size panels) {
  flag("transA", trans_a);
  flag("transB", trans_b);
  flag("panels", panels);
  check_operands(a, b, c, m, n, k);
}
Fault gemm_run(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k, Float alpha,
               Float beta, Size panels, Chunk chunk) noexcept {
  const Product<float> p = product_of(a, b, trans_a, trans_b, m, n, k, panels, chunk);
  if (alpha == 1 && beta == 0) return multiply(p, Store<float>{c.data, n}, chunk);
  return multiply(p, StoreScaled<float>{alpha, beta, c.data, n}, chunk);
}
size_t gemm_chunks(In, In, Inout, Size, Size, Size m, Size n, Size k, Float, Float, Size,
                   size_t threads) noexcept {
  return chunks_of(m, n, k, threads);
}
const Registration gemm = kernel<gemm_check, gemm_run, nullptr, gemm_chunks>(
    "gemm", "a b c transA transB m n k alpha beta panels");

void linear_check(In x, In w, In bias, Out y, Size m, Size n, Size k, Size panels) {
  flag("panels", panels);
  check_operands(x, w, y, m, n, k);
  holds(bias, n);
}
// y [m, n] = F(x [m, k]·w [k, n] + bias)
template <float (*F)(float)>
Fault linear_run(In x, In w, In bias, Out y, Size m, Size n, Size k, Size panels,
                 Chunk chunk) noexcept {
  return multiply(product_of(x, w, 0, 0, m, n, k, panels, chunk),
                  BiasActivation<F>{bias.data, y.data, n}, chunk);
}
size_t linear_chunks(In, In, In, Out, Size m, Size n, Size k, Size, size_t threads) noexcept {
  return chunks_of(m, n, k, threads);
}
template <float (*F)(float)>
Registration linear(const char* name) {
  return kernel<linear_check, linear_run<F>, nullptr, linear_chunks>(name,
                                                                     "x w bias y m n k panels");
}

void gradient_check(In dy, In w, In y, Out dx, Out dbias, Scratch scratch, Size m, Size n, Size k,
                    Size panels) {
  flag("panels", panels);
  check_operands(dy, w, dx, m, n, k);
  holds(y, product(m, n));
  holds(dbias, n);
  holds(scratch, product(runs_of(m), n));
}
// dx [m, n] = F(y, dy [m, k]·wᵀ) for w [n, k], and dbias, the sums of its columns.
template <float (*F)(float, float)>
Fault gradient_run(In dy, In w, In y, Out dx, Out, Scratch scratch, Size m, Size n, Size k,
                   Size panels, Chunk chunk) noexcept {
  return multiply(product_of(dy, w, 0, 1, m, n, k, panels, chunk),
                  ActivationGradient<F>{y.data, dx.data, scratch.data, n}, chunk);
}
void gradient_finish(In, In, In, Out, Out dbias, Scratch scratch, Size m, Size n, Size,
                     Size) noexcept {
  sum_all_runs(m, n, scratch.data, dbias.data);
}
size_t gradient_chunks(In, In, In, Out, Out, Scratch, Size m, Size n, Size k, Size,
                       size_t threads) noexcept {
  return chunks_of(m, n, k, threads);
}
template <float (*F)(float, float)>
Registration gradient(const char* name) {
  return kernel<gradient_check, gradient_run<F>, gradient_finish, gradient_chunks>(
      name, "dy w y dx dbias scratch m n k panels");
}

[[maybe_unused]] const Registration layers[] = {
    linear<identity>("linear"),          linear<relu>("linearRelu"),
    linear<v_sigmoid>("linearSigmoid"),  linear<v_tanh>("linearTanh"),
    gradient<relu_grad>("gemmReluGrad"), gradient<sigmoid_grad>("gemmSigmoidGrad"),
    gradient<tanh_grad>("gemmTanhGrad"),
};

// The gradient op(a)·op(b) [m, n] is never stored.
template <class Update>
Fault update_run(const Update& update, In a, In b, Inout w, Size trans_a, Size trans_b, Size m,
                 Size n, Size k, Size panels, Chunk chunk) noexcept {
  if (k != 1 && w.contents != nullptr) w.contents->forget();
  return multiply(product_of(a, b, trans_a, trans_b, m, n, k, 0, chunk),
                  Updated<Update>{update, {m, n, panels == 1}, w.contents}, chunk);
}
void update_check(In a, In b, Inout w, std::initializer_list<Inout> states, Size trans_a,
                  Size trans_b, Size m, Size n, Size k, Size panels) {
  flag("transA", trans_a);
  flag("transB", trans_b);
  flag("panels", panels);
  check_operands(a, b, w, m, n, k);
  for (const Inout& state : states) holds(state, product(m, n));
}

void gemm_sgd_check(In a, In b, Watched<Inout> w, In settings, Size trans_a, Size trans_b, Size m,
                    Size n, Size k, Size panels) {
  update_check(a, b, w, {}, trans_a, trans_b, m, n, k, panels);
  holds(settings, kSettings);
}
Fault gemm_sgd_run(In a, In b, Inout w, In settings, Size trans_a, Size trans_b, Size m, Size n,
                   Size k, Size panels, Chunk chunk) noexcept {
  return update_run(SgdUpdate{settings_of(settings), w.data}, a, b, w, trans_a, trans_b, m, n, k,
                    panels, chunk);
}
size_t gemm_sgd_chunks(In, In, Inout, In, Size, Size, Size m, Size n, Size k, Size,
                       size_t threads) noexcept {
  return chunks_of(m, n, k, threads);
}
const Registration gemm_sgd = kernel<gemm_sgd_check, gemm_sgd_run, nullptr, gemm_sgd_chunks>(
    "gemmSgd", "a b w settings transA transB m n k panels");

void gemm_sgd_momentum_check(In a, In b, Watched<Inout> w, Inout velocity, In settings,
                             Size trans_a, Size trans_b, Size m, Size n, Size k, Size panels) {
  update_check(a, b, w, {velocity}, trans_a, trans_b, m, n, k, panels);
  holds(settings, kSettings);
}
Fault gemm_sgd_momentum_run(In a, In b, Inout w, Inout velocity, In settings, Size trans_a,
                            Size trans_b, Size m, Size n, Size k, Size panels,
                            Chunk chunk) noexcept {
  const Settings s = settings_of(settings);
  if (s.nesterov) {
    return update_run(MomentumUpdate<true>{s, w.data, velocity.data}, a, b, w, trans_a, trans_b, m,
                      n, k, panels, chunk);
  }
  return update_run(MomentumUpdate<false>{s, w.data, velocity.data}, a, b, w, trans_a, trans_b, m,
                    n, k, panels, chunk);
}
size_t gemm_sgd_momentum_chunks(In, In, Inout, Inout, In, Size, Size, Size m, Size n, Size k, Size,
                                size_t threads) noexcept {
  return chunks_of(m, n, k, threads);
}
const Registration gemm_sgd_momentum =
    kernel<gemm_sgd_momentum_check, gemm_sgd_momentum_run, nullptr, gemm_sgd_momentum_chunks>(
        "gemmSgdMomentum", "a b w velocity settings transA transB m n k panels");

void gemm_adam_check(In a, In b, Watched<Inout> w, Inout mean, Inout square, In settings,
                     Size trans_a, Size trans_b, Size m, Size n, Size k, Size panels) {
  update_check(a, b, w, {mean, square}, trans_a, trans_b, m, n, k, panels);
  holds(settings, kAdamSettings);
}
Fault gemm_adam_run(In a, In b, Inout w, Inout mean, Inout square, In settings, Size trans_a,
                    Size trans_b, Size m, Size n, Size k, Size panels, Chunk chunk) noexcept {
  return update_run(AdamUpdate{adam_settings_of(settings), w.data, mean.data, square.data}, a, b, w,
                    trans_a, trans_b, m, n, k, panels, chunk);
}
size_t gemm_adam_chunks(In, In, Inout, Inout, Inout, In, Size, Size, Size m, Size n, Size k, Size,
                        size_t threads) noexcept {
  return chunks_of(m, n, k, threads);
}
const Registration gemm_adam = kernel<gemm_adam_check, gemm_adam_run, nullptr, gemm_adam_chunks>(
    "gemmAdam", "a b w mean square settings transA transB m n k panels");

}  // namespace
}  // namespace nb
