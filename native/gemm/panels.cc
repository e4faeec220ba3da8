// Weights in panels: a matrix [rows, cols] as blocks of 64 columns one after another, the last one
// narrower, each with its rows one after another. That is how the tiles of a product with them want
// to find them: without panels, every product of a training step copies them first. A program packs
// its weights before the first iteration, and unpacks them after the last.
#include <cstring>

#include "gemm.h"
#include "kernels/settings.h"
#include "tiles.h"

namespace nb {
namespace {

void pack_check(In x, Out y, Size rows, Size cols) {
  holds(x, product(rows, cols));
  holds(y, product(rows, cols));
}

// Calls copy(in rows, in panels, width) for each panel's part of each row: row by row, so that what
// is read or written lies one after another on both sides.
template <class Copy>
void for_panel_rows(Size rows, Size cols, Chunk chunk, const Copy& copy) {
  if (cols == 0) return;  // then no buffer bounds the rows
  const auto [first, last] = chunk.of(rows, 1);
  for (size_t row = first; row < last; ++row) {
    for (size_t col = 0; col < cols; col += kPanel) {
      const size_t width = std::min(kPanel, cols - col);
      copy(row * cols + col, col * rows + row * width, width);
    }
  }
}

void pack_run(In x, Out y, Size rows, Size cols, Chunk chunk) noexcept {
  for_panel_rows(rows, cols, chunk, [=](size_t plain, size_t packed, size_t width) {
    std::memcpy(y.data + packed, x.data + plain, width * sizeof(float));
  });
}
const Registration pack = kernel<pack_check, pack_run>("packPanels", "x y rows cols");

void unpack_run(In x, Out y, Size rows, Size cols, Chunk chunk) noexcept {
  for_panel_rows(rows, cols, chunk, [=](size_t plain, size_t packed, size_t width) {
    std::memcpy(y.data + plain, x.data + packed, width * sizeof(float));
  });
}
const Registration unpack = kernel<pack_check, unpack_run>("unpackPanels", "x y rows cols");

// c = a·op(b); what is in panels is b before op.
Product product_of(Size trans_b, Size m, Size n, Size k) {
  Product p{false, trans_b == 1, m, n, k};
  p.panels = true;
  return p;
}
void gemm_check(In a, In b, Out c, Size trans_b, Size m, Size n, Size k) {
  flag("transB", trans_b);
  check_operands(a, b, c, m, n, k);
}
void gemm_run(In a, In b, Out c, Size trans_b, Size m, Size n, Size k, Chunk chunk) noexcept {
  Product p = product_of(trans_b, m, n, k);
  p.a = a.data;
  p.b = b.data;
  p.c = c.data;
  multiply(p, chunk);
}
size_t gemm_chunks(In, In, Out, Size trans_b, Size m, Size n, Size k, size_t threads) noexcept {
  return chunks_of(product_of(trans_b, m, n, k), threads);
}
const Registration gemm =
    kernel<gemm_check, gemm_run, nullptr, gemm_chunks>("gemmPanels", "a b c transB m n k");

// w = (1 - lr·decay)·w - lr·aᵀ·b
Product step_of(Size m, Size n, Size k) {
  Product p{true, false, m, n, k};
  p.panels = true;
  return p;
}
void gemm_sgd_check(In a, In b, Inout w, In settings, Size m, Size n, Size k) {
  check_operands(a, b, w, m, n, k);
  holds(settings, kSettings);
}
void gemm_sgd_run(In a, In b, Inout w, In settings, Size m, Size n, Size k, Chunk chunk) noexcept {
  const Settings s = settings_of(settings);
  Product p = step_of(m, n, k);
  p.alpha = -s.lr;
  p.a = a.data;
  p.b = b.data;
  p.beta = 1 - s.lr * s.decay;
  p.c = w.data;
  multiply(p, chunk);
}
void gemm_sgd_finish(In, In, Inout w, In settings, Size m, Size n, Size) noexcept {
  shrink_all(w.data, m * n, settings_of(settings));
}
size_t gemm_sgd_chunks(In, In, Inout, In, Size m, Size n, Size k, size_t threads) noexcept {
  return chunks_of(step_of(m, n, k), threads);
}
const Registration gemm_sgd =
    kernel<gemm_sgd_check, gemm_sgd_run, gemm_sgd_finish, gemm_sgd_chunks>("gemmSgdPanels",
                                                                           "a b w settings m n k");

}  // namespace
}  // namespace nb
