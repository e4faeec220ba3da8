// The kernels over products: the product itself, and the weight gradient together with the step of
// the optimizer that uses it, so that the gradient is never stored.
#include "gemm.h"

#include <cstring>

#include "kernels/updates.h"

namespace nb {
namespace {

void operands_check(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k) {
  flag("transA", trans_a);
  flag("transB", trans_b);
  check_operands(a, b, c, m, n, k);
}

void gemm_check(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k, Float,
                Float) {
  operands_check(a, b, c, trans_a, trans_b, m, n, k);
}
void gemm_run(In a, In b, Inout c, Size trans_a, Size trans_b, Size m, Size n, Size k, Float alpha,
              Float beta, Chunk chunk) noexcept {
  multiply({trans_a == 1, trans_b == 1, m, n, k, alpha, a.data, b.data, beta, c.data}, chunk);
}
size_t gemm_chunks(In, In, Inout, Size trans_a, Size trans_b, Size m, Size n, Size k, Float, Float,
                   size_t threads) noexcept {
  return chunks_of({trans_a == 1, trans_b == 1, m, n, k}, threads);
}
const Registration gemm = kernel<gemm_check, gemm_run, nullptr, gemm_chunks>(
    "gemm", "a b c transA transB m n k alpha beta");

void gemm_sgd_check(In a, In b, Inout w, In settings, Size trans_a, Size trans_b, Size m, Size n,
                    Size k) {
  operands_check(a, b, w, trans_a, trans_b, m, n, k);
  holds(settings, kSettings);
}
// w = (1 - lr·decay)·w - lr·op(a)·op(b): the gradient is never stored.
void gemm_sgd_run(In a, In b, Inout w, In settings, Size trans_a, Size trans_b, Size m, Size n,
                  Size k, Chunk chunk) noexcept {
  const Settings s = settings_of(settings);
  multiply({trans_a == 1, trans_b == 1, m, n, k, -s.lr, a.data, b.data, 1 - s.lr * s.decay, w.data},
           chunk);
}
// The soft threshold needs the whole sum, and chunks may lie in the same row: it comes last.
void gemm_sgd_finish(In, In, Inout w, In settings, Size, Size, Size m, Size n, Size) noexcept {
  shrink_all(w.data, m * n, settings_of(settings));
}
size_t gemm_sgd_chunks(In, In, Inout, In, Size trans_a, Size trans_b, Size m, Size n, Size k,
                       size_t threads) noexcept {
  return chunks_of({trans_a == 1, trans_b == 1, m, n, k}, threads);
}
const Registration gemm_sgd =
    kernel<gemm_sgd_check, gemm_sgd_run, gemm_sgd_finish, gemm_sgd_chunks>(
        "gemmSgd", "a b w settings transA transB m n k");

// Other optimizers keep more than the weights, so the product cannot be added to them. It is
// computed in blocks of rows small enough for the cache, each of them used before the next.

// Rows of a block, by the shape alone so that the result does not depend on the chunks. Four blocks
// or a multiple of it are even for two or four threads; by measurement, of 64 to 256 rows some 90
// are best.
size_t block_rows(size_t m) {
  constexpr size_t kMost = 96;
  const size_t blocks = 4 * (m / (4 * kMost) + 1);
  return (m / blocks / 16 + 1) * 16;
}

void blocks_check(In a, In b, Inout w, std::initializer_list<Inout> states, In settings,
                  Scratch scratch, Size trans_a, Size trans_b, Size m, Size n, Size k) {
  operands_check(a, b, w, trans_a, trans_b, m, n, k);
  holds(scratch, product(m, total(n, k)));
  for (const Inout& state : states) holds(state, product(m, n));
}

size_t block_chunks(size_t m, size_t threads) {
  return std::max(size_t{1}, std::min(threads, (m + block_rows(m) - 1) / block_rows(m)));
}

// Calls use(gradient, first, size) for every block of op(a)·op(b) in the chunk: its elements, and
// where they lie in w. Rows of a transposed a are copied for it, because at its full stride they
// push each other out of the cache.
template <class Use>
void for_gradient_blocks(In a, In b, Scratch scratch, Size trans_a, Size trans_b, Size m, Size n,
                         Size k, Chunk chunk, const Use& use) {
  const size_t most = block_rows(m);
  const auto [first, last] = chunk.of(m, most);
  // A chunk has at least as many rows as its blocks, so its part of the scratch holds one.
  float* gradient = scratch.data + first * (n + k);
  for (size_t row = first; row < last; row += most) {
    const size_t rows = std::min(most, last - row);
    const float* block = a.data + row * k;
    if (trans_a == 1) {
      float* copy = gradient + rows * n;
      for (size_t i = 0; i < k; ++i) {
        std::memcpy(copy + i * rows, a.data + i * m + row, rows * sizeof(float));
      }
      block = copy;
    }
    multiply({trans_a == 1, trans_b == 1, rows, n, k, 1, block, b.data, 0, gradient}, Chunk{0, 1});
    use(gradient, row * n, rows * n);
  }
}

void gemm_sgd_momentum_check(In a, In b, Inout w, Inout velocity, In settings, Scratch scratch,
                             Size trans_a, Size trans_b, Size m, Size n, Size k) {
  blocks_check(a, b, w, {velocity}, settings, scratch, trans_a, trans_b, m, n, k);
  holds(settings, kSettings);
}
void gemm_sgd_momentum_run(In a, In b, Inout w, Inout velocity, In settings, Scratch scratch,
                           Size trans_a, Size trans_b, Size m, Size n, Size k,
                           Chunk chunk) noexcept {
  const Settings s = settings_of(settings);
  for_gradient_blocks(a, b, scratch, trans_a, trans_b, m, n, k, chunk,
                      [&](const float* dw, size_t first, size_t size) {
                        momentum_update(s, w.data + first, dw, velocity.data + first, size);
                      });
}
size_t gemm_sgd_momentum_chunks(In, In, Inout, Inout, In, Scratch, Size, Size, Size m, Size, Size,
                                size_t threads) noexcept {
  return block_chunks(m, threads);
}
const Registration gemm_sgd_momentum =
    kernel<gemm_sgd_momentum_check, gemm_sgd_momentum_run, nullptr, gemm_sgd_momentum_chunks>(
        "gemmSgdMomentum", "a b w velocity settings scratch transA transB m n k");

void gemm_adam_check(In a, In b, Inout w, Inout mean, Inout square, In settings, Scratch scratch,
                     Size trans_a, Size trans_b, Size m, Size n, Size k) {
  blocks_check(a, b, w, {mean, square}, settings, scratch, trans_a, trans_b, m, n, k);
  holds(settings, kAdamSettings);
}
void gemm_adam_run(In a, In b, Inout w, Inout mean, Inout square, In settings, Scratch scratch,
                   Size trans_a, Size trans_b, Size m, Size n, Size k, Chunk chunk) noexcept {
  const AdamSettings s = adam_settings_of(settings);
  for_gradient_blocks(a, b, scratch, trans_a, trans_b, m, n, k, chunk,
                      [&](const float* dw, size_t first, size_t size) {
                        adam_update(s, w.data + first, dw, mean.data + first, square.data + first,
                                    size);
                      });
}
size_t gemm_adam_chunks(In, In, Inout, Inout, Inout, In, Scratch, Size, Size, Size m, Size, Size,
                        size_t threads) noexcept {
  return block_chunks(m, threads);
}
const Registration gemm_adam = kernel<gemm_adam_check, gemm_adam_run, nullptr, gemm_adam_chunks>(
    "gemmAdam", "a b w mean square settings scratch transA transB m n k");

}  // namespace
}  // namespace nb
