// Random numbers, by the words of philox.h.
#include <cmath>

#include "philox.h"
#include "rows.h"
#include "simd/vmath.h"

namespace nb {
namespace {

// Fills y with convert(words, values), which makes kWords values from as many words.
template <typename Y, class Convert>
void draw(Y y, IntsInout state, Size n, Chunk chunk, const Convert& convert) {
  const Generator g = generator_of(state);
  const Range range = chunk.of(n);
  simd([=] {
    uint32_t words[kWords];
    typename Y::Element values[kWords];
    for (size_t i = range.first; i < range.second; i += kWords) {
      philox(g, i, words);
      convert(words, values);
      std::copy(values, values + std::min(kWords, range.second - i), y.data + i);
    }
  });
}

template <typename Y>
void draw_check(Y y, IntsInout state, Size n) {
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

void randint_check(IntsOut y, IntsInout state, Size n, Double low, Double high) {
  draw_check(y, state, n);
  const auto is_whole = [](double value) { return value == std::floor(value); };
  if (!(is_whole(low) && is_whole(high) && low >= -0x1p31 && low < high && high <= 0x1p31)) {
    throw KernelFault("low and high must be integers with -2^31 <= low < high <= 2^31");
  }
}
// The high word of a product (Lemire 2019, without the rejection: the bias is below range / 2^32).
void randint_run(IntsOut y, IntsInout state, Size n, Double low, Double high,
                 Chunk chunk) noexcept {
  const int64_t first = static_cast<int64_t>(low);
  const uint64_t range = static_cast<uint64_t>(high - low);
  draw(y, state, n, chunk, [=](const uint32_t* words, int32_t* values) {
    for (size_t i = 0; i < kWords; ++i) {
      values[i] = static_cast<int32_t>(first + static_cast<int64_t>(words[i] * range >> 32));
    }
  });
}
void randint_finish(IntsOut, IntsInout state, Size n, Double, Double) noexcept {
  advance(state, n);
}
const Registration randint =
    kernel<randint_check, randint_run, randint_finish>("randint", "y state n low high");

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
