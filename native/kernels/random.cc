// Random numbers from a counter: Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", 2011).
//
// state: two words of key and a 64-bit block counter, low word first. Element i takes word i mod 4
// of block counter + i / 4, so any chunk can compute its part by itself. The words are the same in
// the JavaScript backend. `run` only reads the state; it is advanced when all chunks are done.
#include <cmath>

#include "rows.h"
#include "simd/vmath.h"

namespace nb {
namespace {

constexpr size_t kBlockWords = 4;
constexpr size_t kWords = 256;  // made at a time; a multiple of the grain of a chunk
constexpr size_t kState = 4;

struct Generator {
  uint32_t key[2];
  uint64_t counter;
};

Generator generator_of(IntsInout state) {
  const auto word = [=](size_t i) { return static_cast<uint32_t>(state[i]); };
  return {{word(0), word(1)}, word(2) | uint64_t{word(3)} << 32};
}

size_t blocks_of(size_t words) { return words / kBlockWords + (words % kBlockWords != 0); }

void advance(IntsInout state, size_t words) {
  const uint64_t counter = generator_of(state).counter + blocks_of(words);
  state[2] = static_cast<int32_t>(static_cast<uint32_t>(counter));
  state[3] = static_cast<int32_t>(static_cast<uint32_t>(counter >> 32));
}

// kWords words from word `first` on, a multiple of 4. 32-bit words in 64-bit lanes: the products
// need them.
NB_INLINE void philox(const Generator& g, size_t first, uint32_t* words) {
  constexpr uint64_t kLow = 0xFFFFFFFF;
  for (size_t i = 0; i < kWords / kBlockWords; ++i) {
    const uint64_t counter = g.counter + first / kBlockWords + i;
    uint64_t x0 = counter & kLow, x1 = counter >> 32, x2 = 0, x3 = 0;
    uint32_t key0 = g.key[0], key1 = g.key[1];
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = 0xD2511F53 * x0;
      const uint64_t p1 = 0xCD9E8D57 * x2;
      x0 = (p1 >> 32) ^ x1 ^ key0;
      x1 = p1 & kLow;
      x2 = (p0 >> 32) ^ x3 ^ key1;
      x3 = p0 & kLow;
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
    words[4 * i] = static_cast<uint32_t>(x0);
    words[4 * i + 1] = static_cast<uint32_t>(x1);
    words[4 * i + 2] = static_cast<uint32_t>(x2);
    words[4 * i + 3] = static_cast<uint32_t>(x3);
  }
}

// A number in [0, 1) that float32 holds exactly.
NB_INLINE float unit(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

// Fills y with convert(words, values), which makes kWords values from as many words.
template <class Convert>
void draw(Out y, IntsInout state, Size n, Chunk chunk, const Convert& convert) {
  const Generator g = generator_of(state);
  const Range range = chunk.of(n);
  simd([=] {
    uint32_t words[kWords];
    float values[kWords];
    for (size_t i = range.first; i < range.second; i += kWords) {
      philox(g, i, words);
      convert(words, values);
      std::copy(values, values + std::min(kWords, range.second - i), y.data + i);
    }
  });
}

void draw_check(Out y, IntsInout state, Size n) {
  holds(y, n);
  holds(state, kState);
}
void draw_finish(Out, IntsInout state, Size n, Float, Float) noexcept { advance(state, n); }

void uniform_check(Out y, IntsInout state, Size n, Float, Float) { draw_check(y, state, n); }
void uniform_run(Out y, IntsInout state, Size n, Float low, Float high, Chunk chunk) noexcept {
  const float width = high - low;
  draw(y, state, n, chunk, [=](const uint32_t* words, float* values) {
    for (size_t i = 0; i < kWords; ++i) values[i] = low + width * unit(words[i]);
  });
}
const Registration uniform =
    kernel<uniform_check, uniform_run, draw_finish>("uniform", "y state n low high");

void normal_check(Out y, IntsInout state, Size n, Float, Float) { draw_check(y, state, n); }
// Box and Muller 1958; the logarithm's argument is in (0, 1].
void normal_run(Out y, IntsInout state, Size n, Float mean, Float std, Chunk chunk) noexcept {
  draw(y, state, n, chunk, [=](const uint32_t* words, float* values) {
    for (size_t i = 0; i < kWords; i += 2) {
      const float radius = std::sqrt(-2 * v_log(unit(words[i]) + 0x1p-24f));
      const float angle = 6.283185307179586f * unit(words[i + 1]);
      values[i] = mean + std * (radius * v_cos(angle));
      values[i + 1] = mean + std * (radius * v_sin(angle));
    }
  });
}
const Registration normal =
    kernel<normal_check, normal_run, draw_finish>("normal", "y state n mean std");

void bernoulli_check(Out y, IntsInout state, Size n, Float p) {
  draw_check(y, state, n);
  if (!(p >= 0 && p <= 1)) throw KernelFault("p must be from 0 to 1, got " + std::to_string(p));
}
void bernoulli_run(Out y, IntsInout state, Size n, Float p, Chunk chunk) noexcept {
  const uint64_t limit = static_cast<uint64_t>(static_cast<double>(p) * 0x1p32);
  draw(y, state, n, chunk, [=](const uint32_t* words, float* values) {
    for (size_t i = 0; i < kWords; ++i) values[i] = words[i] < limit ? 1 : 0;
  });
}
void bernoulli_finish(Out, IntsInout state, Size n, Float) noexcept { advance(state, n); }
const Registration bernoulli =
    kernel<bernoulli_check, bernoulli_run, bernoulli_finish>("bernoulli", "y state n p");

void bernoulli_each_check(In p, InPlace<Out> y, IntsInout state, Size n) {
  holds(p, n);
  draw_check(y, state, n);
}
void bernoulli_each_run(In p, Out y, IntsInout state, Size n, Chunk chunk) noexcept {
  const Generator g = generator_of(state);
  const Range range = chunk.of(n);
  simd([=] {
    uint32_t words[kWords];
    for (size_t begin = range.first; begin < range.second; begin += kWords) {
      philox(g, begin, words);
      const size_t size = std::min(kWords, range.second - begin);
      for (size_t i = 0; i < size; ++i) {
        const float probability = p[begin + i];
        const float drawn = unit(words[i]) < probability ? 1 : 0;
        y[begin + i] = probability != probability ? probability : drawn;
      }
    }
  });
}
void bernoulli_each_finish(In, Out, IntsInout state, Size n) noexcept { advance(state, n); }
const Registration bernoulli_each =
    kernel<bernoulli_each_check, bernoulli_each_run, bernoulli_each_finish>("bernoulliEach",
                                                                            "p y state n");

void permutation_check(IntsOut y, IntsInout state, Size n) {
  if (n > INT32_MAX) throw KernelFault("n must be below 2^31, got " + std::to_string(n));
  holds(y, n);
  holds(state, kState);
}
// Fisher and Yates; each swap needs the one before, so one chunk does it all. A position is the
// high half of word · size (Lemire 2019, without the rejection: the bias is below size / 2^32).
void permutation_run(IntsOut y, IntsInout state, Size n, Chunk chunk) noexcept {
  if (chunk.index != 0) return;
  const Generator g = generator_of(state);
  for (size_t i = 0; i < n; ++i) y[i] = static_cast<int32_t>(i);
  uint32_t words[kWords];
  for (size_t t = 0; t + 1 < n; ++t) {
    if (t % kWords == 0) simd([=, target = &words[0]] { philox(g, t, target); });
    const size_t last = n - 1 - t;
    std::swap(y[last], y[words[t % kWords] * uint64_t{last + 1} >> 32]);
  }
}
void permutation_finish(IntsOut, IntsInout state, Size n) noexcept {
  advance(state, n > 0 ? n - 1 : 0);
}
const Registration permutation =
    kernel<permutation_check, permutation_run, permutation_finish>("permutation", "y state n");

}  // namespace
}  // namespace nb
