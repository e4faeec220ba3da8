// Products of as many matrices as a batch has, each as the engine computes it alone. Threads take
// whole products where there are enough of them, else parts of each.
#include "epilogues.h"
#include "product.h"

namespace nb {
namespace {

// Products for each thread from which on it gains nothing by cutting them: then the thread that
// gets one more than the others is late by an eighth.
constexpr size_t kEnough = 8;

// An operand's matrices, n[0] × n[1] × n[2] of them less the dimensions that are missing from its
// mask, along which it is repeated (backend/broadcast.ts).
struct Matrices {
  size_t n[3];
  size_t mask;

  size_t count() const {
    return product(mask & 1 ? n[0] : 1, mask & 2 ? n[1] : 1, mask & 4 ? n[2] : 1);
  }
  // Which of them the batch-th product takes.
  size_t at(size_t batch) const {
    const size_t places[] = {batch / n[2] / n[1], batch / n[2] % n[1], batch % n[2]};
    size_t index = 0;
    for (size_t i = 0; i < 3; ++i) {
      if (mask >> i & 1) index = index * n[i] + places[i];
    }
    return index;
  }
};

void gemm_batched_check(In a, In b, Out y, Size trans_a, Size trans_b, Size n0, Size n1, Size n2,
                        Size a_mask, Size b_mask, Size m, Size n, Size k) {
  flag("transA", trans_a);
  flag("transB", trans_b);
  for (size_t mask : {a_mask, b_mask}) {
    if (mask > 7) throw KernelFault("a mask must be from 0 to 7, got " + std::to_string(mask));
  }
  check_extents(m, n, k);
  holds(a, product(Matrices{{n0, n1, n2}, a_mask}.count(), m, k));
  holds(b, product(Matrices{{n0, n1, n2}, b_mask}.count(), k, n));
  holds(y, product(n0, n1, n2, m, n));
}

// y [n0, n1, n2, m, n] = op(a) [.., m, k]·op(b) [.., k, n]
Fault gemm_batched_run(In a, In b, Out y, Size trans_a, Size trans_b, Size n0, Size n1, Size n2,
                       Size a_mask, Size b_mask, Size m, Size n, Size k, Chunk chunk) noexcept {
  const size_t batches = n0 * n1 * n2;
  if (m == 0 || n == 0 || batches == 0) return {};
  const Matrices of_a{{n0, n1, n2}, a_mask}, of_b{{n0, n1, n2}, b_mask};
  const bool is_even = batches % chunk.count == 0 || batches >= kEnough * chunk.count;
  const size_t parts = is_even ? 1 : chunk.count;
  const auto [begin, end] = chunk.of(batches * parts, 1);
  for (size_t i = begin; i < end; ++i) {
    const size_t batch = i / parts;
    const Product<float> p{trans_a == 1,
                           trans_b == 1,
                           m,
                           n,
                           k,
                           a.data + of_a.at(batch) * m * k,
                           b.data + of_b.at(batch) * k * n};
    const Store<float> store{y.data + batch * m * n, n};
    if (const Fault fault = multiply(p, store, Chunk{i % parts, parts})) return fault;
  }
  return {};
}

size_t gemm_batched_chunks(In, In, Out, Size, Size, Size n0, Size n1, Size n2, Size, Size, Size m,
                           Size n, Size k, size_t threads) noexcept {
  return chunks_of(n0 * n1 * n2 * m, n, k, threads);
}

const Registration gemm_batched =
    kernel<gemm_batched_check, gemm_batched_run, nullptr, gemm_batched_chunks>(
        "gemmBatched", "a b y transA transB n0 n1 n2 aMask bMask m n k");

}  // namespace
}  // namespace nb
