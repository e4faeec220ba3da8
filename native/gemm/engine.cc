#include "engine.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <tuple>

#include "openblas_block.h"

namespace nb {
namespace {

// Multiplications below which another thread costs more than it saves: it takes some microseconds
// to get to its part.
constexpr double kChunkWork = 100e3;

enum class Engine { own, openblas };

Engine engine() {
  static const Engine chosen = [] {
    const char* name = std::getenv("NEUROBLAS_GEMM");
    return name && !std::strcmp(name, "openblas") ? Engine::openblas : Engine::own;
  }();
  return has_own_engine() ? chosen : Engine::openblas;
}

// Threads take columns where there are enough for all, because then each reads and writes weights
// of its own, else rows.
bool cuts_columns(size_t m, size_t n, size_t count) {
  const size_t panels = n / kPanel;
  return panels >= 4 * count || (n % kPanel == 0 && panels % count == 0) || m < 16 * count;
}

Block block_of(size_t m, size_t n, Chunk chunk) {
  Block block{0, m, 0, n};
  if (engine() == Engine::openblas) {
    std::tie(block.row, block.row_end) = chunk.of(m, kRowsOfBlas);
  } else if (cuts_columns(m, n, chunk.count)) {
    std::tie(block.col, block.col_end) = chunk.of(n, kPanel);
  } else {
    std::tie(block.row, block.row_end) = chunk.of(m, kRun);
  }
  return block;
}

// Nothing was multiplied: all sums are zero.
template <class T, class Epilogue>
void finish_empty(const Epilogue& epilogue, const Block& block) {
  // It is rare enough for no level of its own.
  detail::run_baseline([=] {
    const T zeros[kPanel] = {};
    for (size_t row = block.row; row < block.row_end; ++row) {
      for (size_t col = block.col; col < block.col_end; col += kPanel) {
        epilogue.row(zeros, row, col, std::min(kPanel, block.col_end - col));
      }
    }
  });
}

}  // namespace

bool has_own_engine() noexcept {
#ifdef NB_SIMD_X86
  static const bool has_fma = __builtin_cpu_supports("fma");
  return has_fma && simd_level_in_use() != SimdLevel::Baseline;
#elif defined(__aarch64__)
  return true;
#else
  return false;
#endif
}

const char* engine_name() { return engine() == Engine::own ? "own" : "openblas"; }

size_t chunks_of(size_t m, size_t n, size_t k, size_t threads) noexcept {
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const size_t most = engine() == Engine::openblas ? (m + kRowsOfBlas - 1) / kRowsOfBlas
                                                   : std::max((n + kPanel - 1) / kPanel, m / kRun);
  return std::max(size_t{1}, std::min({threads, most, static_cast<size_t>(work / kChunkWork)}));
}

template <class T>
const Workspace<T>& Workspace<T>::of_this_thread() noexcept {
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  constexpr size_t kAll = kRoomForA + kRoomForB + kRoomForSums;
  static thread_local const std::unique_ptr<T, Free> memory(
      static_cast<T*>(std::aligned_alloc(64, kAll * sizeof(T))));
  T* all = memory.get();
  static thread_local const Workspace own{all, all + kRoomForA, all + kRoomForA + kRoomForB};
  return own;
}
template struct Workspace<float>;
template struct Workspace<double>;

// By the engine of our own.
template <class T, class Epilogue>
void multiply_at_level(const Product<T>& p, const Epilogue& epilogue, const Block& block) noexcept {
  if (p.k == 0) return finish_empty<T>(epilogue, block);
#ifdef NB_SIMD_X86
  // Double is there for who has no OpenBLAS: AVX2 is enough for that, and keeps the binary small.
  if constexpr (std::is_same_v<T, float>) {
    if (simd_level_in_use() == SimdLevel::Avx512) return avx512::multiply_block(p, epilogue, block);
  }
  avx2::multiply_block(p, epilogue, block);
#else
  neon::multiply_block(p, epilogue, block);
#endif
}

template <class T, class Epilogue>
void multiply_block(const Product<T>& p, const Epilogue& epilogue, const Block& block) noexcept {
  if constexpr (std::is_same_v<T, float>) {
    if (p.k > 0 && engine() == Engine::openblas) {
      return multiply_block_by_blas(p, epilogue, block);
    }
  }
  multiply_at_level(p, epilogue, block);
}

template <class T, class Epilogue>
Fault multiply(const Product<T>& p, const Epilogue& epilogue, Chunk chunk) noexcept {
  const Block block = block_of(p.m, p.n, chunk);
  if (block.row >= block.row_end || block.col >= block.col_end) return {};
  if (!Workspace<T>::of_this_thread().a)
    return Fault::of("expected memory to compute in, got none");
  multiply_block(p, epilogue, block);
  return {};
}
#define NB_INSTANTIATE(T, E) template Fault multiply(const Product<T>&, const E&, Chunk) noexcept;
NB_EACH_PRODUCT(NB_INSTANTIATE)
#undef NB_INSTANTIATE

namespace blas {
namespace {

template <class T>
bool by_engine(bool trans_a, bool trans_b, int m, int n, int k, T alpha, const T* a, int lda,
               const T* b, int ldb, T beta, T* c, int ldc) noexcept {
  if (!has_own_engine()) return false;
  const auto size = [](int extent) { return static_cast<size_t>(extent); };
  // Whatever a and b hold does not matter for alpha = 0.
  const Product<T> p{trans_a, trans_b, size(m),   size(n),  alpha == 0 ? 0 : size(k),
                     a,       b,       size(lda), size(ldb)};
  if (p.m == 0 || p.n == 0) return true;
  if (!Workspace<T>::of_this_thread().a) return false;
  multiply_at_level(p, StoreScaled<T>{alpha, beta, c, size(ldc)}, Block{0, p.m, 0, p.n});
  return true;
}

}  // namespace

bool gemm_by_engine(bool trans_a, bool trans_b, int m, int n, int k, float alpha, const float* a,
                    int lda, const float* b, int ldb, float beta, float* c, int ldc) noexcept {
  return by_engine(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
bool gemm_by_engine(bool trans_a, bool trans_b, int m, int n, int k, double alpha, const double* a,
                    int lda, const double* b, int ldb, double beta, double* c, int ldc) noexcept {
  return by_engine(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace blas
}  // namespace nb
