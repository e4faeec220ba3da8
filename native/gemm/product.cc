// How a product is cut into calls of OpenBLAS: for speed, and for several threads.
//
// Narrow products go by the tiles of tiles.h, with their own rule. All others are whole calls,
// which can be cut without changing a bit, as long as every chunk stays above the limit of
// OpenBLAS's small-matrix path (m·n·k = 10^6), for the two paths round differently, and begins
// where OpenBLAS's kernels do not notice. native/test/chunks_test.cc checks it.
#include <strings.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "gemm.h"
#include "openblas.h"
#include "simd/simd.h"
#include "tiles.h"

namespace nb {
namespace {

// Work below which cutting a whole call costs more than it saves; well above the limit.
constexpr double kChunkWork = 4e6;
// And that of tiles and vectors, where it is a matter of handing over alone: some 4 µs.
constexpr double kSmallChunkWork = 250e3;

// Multiplications; in double, because three extents below 2^31 may overflow an integer.
double work_of(const Product& p) {
  return static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
}

int integer(size_t size) { return static_cast<int>(size); }

bool is_core(std::initializer_list<const char*> names) {
  const char* core = openblas_get_corename();
  return std::any_of(names.begin(), names.end(),
                     [=](const char* name) { return strcasecmp(core, name) == 0; });
}

// Whether an element's bits do not depend on where in the result it lies.
bool cuts_anywhere() {
  static const bool result =
      is_core({"SkylakeX", "Cooperlake", "Sapphirerapids", "Sandybridge", "Nehalem"});
  return result;
}

// Rows are taken in groups, counted from the first one: of 12 and 4 with AVX2, of 4, 8, 12 or 24
// elsewhere. Along a row, the AVX2 kernels treat both ends of a block in another way.
size_t row_group() {
  static const size_t result = is_core({"Haswell", "Zen"}) ? 12 : 48;
  return result;
}

// Along the longer side, else between rows. What is left over is no chunk of its own: it could be
// small enough for the other path.
struct Cut {
  bool by_rows;
  size_t extent, grain, grains;
};
Cut cut_of(const Product& p) {
  const bool by_rows = p.m >= p.n || !cuts_anywhere();
  const size_t extent = by_rows ? p.m : p.n, grain = cuts_anywhere() ? 32 : row_group();
  return {by_rows, extent, grain, std::max(extent / grain, size_t{1})};
}

size_t chunks_of_whole(const Product& p) {
  return std::min(std::max(size_t{1}, static_cast<size_t>(work_of(p) / kChunkWork)),
                  cut_of(p).grains);
}

void multiply_whole(const Product& p, Chunk chunk) {
  const Cut cut = cut_of(p);
  const size_t chunks = std::min(chunk.count, chunks_of_whole(p));
  if (chunk.index >= chunks) return;
  const size_t begin = cut.grains * chunk.index / chunks * cut.grain;
  const size_t end =
      chunk.index + 1 == chunks ? cut.extent : cut.grains * (chunk.index + 1) / chunks * cut.grain;
  if (cut.by_rows) {
    multiply_part(p, begin, 0, end - begin, p.n);
  } else {
    multiply_part(p, 0, begin, p.m, end - begin);
  }
}

// OpenBLAS's vector routines do not all promise to ignore c for beta = 0, so they add to a c that
// was scaled before.
void scale(float* c, size_t size, float beta) {
  if (beta == 1) return;
  if (beta == 0) {
    std::memset(c, 0, size * sizeof(float));
  } else {
    simd([=] {
      for (size_t i = 0; i < size; ++i) c[i] *= beta;
    });
  }
}

NB_INLINE void add_scaled(float* y, const float* x, float factor, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

// One example, c [n] += alpha·x [k]·b [k, n]: the rows of b whose input is zero are not read.
// Images and relu outputs are mostly zeros.
void add_row_product(const Product& p, size_t begin, size_t end) {
  const Product q = p;
  simd([=] {
    float* c = q.c + begin;
    const float* b = q.b + begin;
    const size_t width = end - begin;
    const float* rows[4];
    float factors[4];
    size_t held = 0;
    for (size_t i = 0; i < q.k; ++i) {
      if (q.a[i] == 0) continue;
      rows[held] = b + i * q.n;
      factors[held++] = q.alpha * q.a[i];
      if (held < 4) continue;
      const float *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
      const float f0 = factors[0], f1 = factors[1], f2 = factors[2], f3 = factors[3];
      for (size_t j = 0; j < width; ++j) {
        c[j] += f0 * r0[j] + f1 * r1[j] + (f2 * r2[j] + f3 * r3[j]);
      }
      held = 0;
    }
    for (size_t r = 0; r < held; ++r) add_scaled(c, rows[r], factors[r], width);
  });
}

// Its weight gradient, c [m, n] += alpha·x [m]·dy [n]: the same rows are left alone.
void add_outer_product(const Product& p, size_t begin, size_t end) {
  const Product q = p;
  simd([=] {
    for (size_t i = begin; i < end; ++i) {
      if (q.a[i] != 0) add_scaled(q.c + i * q.n, q.b, q.alpha * q.a[i], q.n);
    }
  });
}

// c = alpha·x·dyᵀ in one pass.
void outer_product(const Product& p, size_t begin, size_t end) {
  const Product q = p;
  simd([=] {
    for (size_t i = begin; i < end; ++i) {
      const float factor = q.alpha * q.a[i];
      for (size_t j = 0; j < q.n; ++j) q.c[i * q.n + j] = factor * q.b[j];
    }
  });
}

// c [rows] += alpha·op(matrix)·x for a row-major matrix of rows × cols before op.
void add_matrix_vector(CBLAS_TRANSPOSE op, const float* matrix, size_t rows, size_t cols,
                       float alpha, const float* x, float* c) {
  cblas_sgemv(CblasRowMajor, op, integer(rows), integer(cols), alpha, matrix, integer(cols), x, 1,
              1, c, 1);
}

// With a vector among the operands.
void multiply_vector(const Product& p, Chunk chunk) {
  if (p.m == 1 && !p.trans_b) {
    const auto [begin, end] = chunk.of(p.n, 64);
    if (begin == end) return;
    scale(p.c + begin, end - begin, p.beta);
    add_row_product(p, begin, end);
  } else if (p.k == 1) {
    const auto [begin, end] = chunk.of(p.m, 1);
    if (p.beta == 0) return outer_product(p, begin, end);
    scale(p.c + begin * p.n, (end - begin) * p.n, p.beta);
    add_outer_product(p, begin, end);
  } else if (chunk.index == 0) {
    scale(p.c, p.m * p.n, p.beta);
    if (p.k == 0) return;
    if (p.m == 1) {
      add_matrix_vector(CblasNoTrans, p.b, p.n, p.k, p.alpha, p.a, p.c);
    } else {
      add_matrix_vector(p.trans_a ? CblasTrans : CblasNoTrans, p.a, p.trans_a ? p.k : p.m,
                        p.trans_a ? p.m : p.k, p.alpha, p.b, p.c);
    }
  }
}

}  // namespace

void multiply_part(const Product& p, size_t row, size_t col, size_t rows, size_t cols) noexcept {
  const size_t lda = p.trans_a ? p.m : p.k, ldb = p.trans_b ? p.k : p.n;
  cblas_sgemm(CblasRowMajor, p.trans_a ? CblasTrans : CblasNoTrans,
              p.trans_b ? CblasTrans : CblasNoTrans, integer(rows), integer(cols), integer(p.k),
              p.alpha, p.a + (p.trans_a ? row : row * lda), integer(lda),
              p.b + (p.trans_b ? col * ldb : col), integer(ldb), p.beta, p.c + row * p.n + col,
              integer(p.n));
}

namespace {

bool has_vector(const Product& p) { return p.m == 1 || p.n == 1 || p.k <= 1; }

bool takes_tiles(const Product& p) {
  return p.k > 0 && (p.panels || (!has_vector(p) && goes_by_tiles(p)));
}

size_t chunks_of_vector(const Product& p) {
  if (p.m == 1 && !p.trans_b) return p.n / 64;
  return p.k == 1 ? p.m : 1;
}

}  // namespace

size_t chunks_of(const Product& p, size_t threads) noexcept {
  const bool tiles = takes_tiles(p);
  if (!tiles && !has_vector(p)) return std::min(threads, chunks_of_whole(p));
  const size_t most = tiles ? tiles_along(p) : chunks_of_vector(p);
  const size_t worth = static_cast<size_t>(work_of(p) / kSmallChunkWork);
  return std::max(size_t{1}, std::min({threads, most, worth}));
}

void multiply(const Product& p, Chunk chunk) noexcept {
  if (p.m == 0 || p.n == 0) return;
  use_one_blas_thread();
  if (takes_tiles(p)) {
    multiply_in_tiles(p, chunk);
  } else if (has_vector(p)) {
    multiply_vector(p, chunk);
  } else {
    multiply_whole(p, chunk);
  }
}

}  // namespace nb
