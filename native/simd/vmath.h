// Float32 functions that a compiler can vectorise: branch-free, inline, for use
// in the loops given to simd() (simd.h). NaN gives NaN everywhere, infinities
// give the limits, denormals are kept, as arguments and as results. sqrt is the
// hardware's: use std::sqrt. Not here: loops, reductions, double precision.
//
// The largest errors over every float32 there is, in units of the last place
// (native/test/vmath_test.cc): exp 1.03, expm1 1.74, log 0.83, log1p 1.25, tanh 2.50,
// sigmoid 2.41, softplus 1.68; sin 2.39 and cos 2.48 for |x| <= 400.
//
// The results are the same bits at every SIMD level and in the scalar tail of a
// loop. That rests on the flags in binding.gyp: -ffp-contract=off (AVX-512 has
// fused multiply-add, SSE2 has not) and no -ffast-math. native/CMakeLists.txt
// must use the same flags.
//
// Method: Cody-Waite argument reduction, then a polynomial. Those for log, sin
// and cos are Moshier's (Cephes, single precision: logf, sinf, cosf); the one
// for exp is a minimax fit of (e^r - 1 - r) / r^2 over |r| <= ln 2 / 2.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "simd.h"

namespace nb {

namespace detail {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kLog2E = 1.44269504088896341f;
// ln 2 in two parts; the first has 9 bits, so n * kLn2Hi is exact.
constexpr float kLn2Hi = 0.693359375f;
constexpr float kLn2Lo = -2.12194440e-4f;
// Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits. The
// rounding instructions are SSE4.1, above the baseline.
constexpr float kRound = 12582912.0f;
constexpr float kRound254 = kRound + 254.0f;

NB_INLINE uint32_t to_bits(float x) {
  uint32_t u;
  std::memcpy(&u, &x, sizeof u);
  return u;
}

NB_INLINE float from_bits(uint32_t u) {
  float x;
  std::memcpy(&x, &u, sizeof x);
  return x;
}

NB_INLINE int32_t to_signed(uint32_t u) { return static_cast<int32_t>(u); }

// e^x in pieces: x = n ln 2 + r with |r| <= ln 2 / 2.
struct ExpParts {
  uint32_t n_plus_254;  // only the low 9 bits mean anything
  float expm1_r;        // e^r - 1
};

// x / ln 2 + 254, rounded to an integer that can be taken from the low bits.
NB_INLINE float exp_steps(float x) { return x * kLog2E + kRound254; }

// r, given exp_steps(x) or a limit that the caller puts on it.
NB_INLINE float exp_rest(float x, float steps) {
  const float n = steps - kRound254;
  return (x - n * kLn2Hi) - n * kLn2Lo;
}

NB_INLINE ExpParts exp_parts_of_rest(float r, float steps) {
  float p = 1.394645009e-3f;
  p = p * r + 8.366583934e-3f;
  p = p * r + 4.166628203e-2f;
  p = p * r + 1.666654299e-1f;
  p = p * r + 5.000000062e-1f;
  return {to_bits(steps), p * (r * r) + r};
}

NB_INLINE ExpParts exp_parts(float x, float steps) {
  return exp_parts_of_rest(exp_rest(x, steps), steps);
}

// 2^n is applied as two factors, whose biased exponents add up to n + 254: n can
// be 128, and below -126 the last product rounds once, into a denormal.
NB_INLINE float exp_of_parts(const ExpParts& e) {
  const uint32_t half = e.n_plus_254 >> 1;
  return (e.expm1_r + 1.0f) * from_bits(half << 23) * from_bits((e.n_plus_254 - half) << 23);
}

// e^x given exp_steps(x).
NB_INLINE float exp_stepped(float x, float steps) {
  const float y = exp_of_parts(exp_parts(x, steps));
  return x < -104.0f ? 0.0f : y;
}

// e^x for x <= 0.
NB_INLINE float exp_of_negative(float x) { return exp_stepped(x, exp_steps(x)); }

// log(1 + f) for sqrt(1/2) - 1 <= f <= sqrt(2) - 1, plus k ln 2.
NB_INLINE float log1p_reduced(float f, float k) {
  const float z = f * f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float low = (p * f * z + k * kLn2Lo) - 0.5f * z;
  return (f + low) + k * kLn2Hi;
}

// x = 2^k m with m in [sqrt(1/2), sqrt(2)), for x that is no denormal.
struct LogParts {
  int32_t k;
  float m;
};

NB_INLINE LogParts log_parts(float x) {
  const uint32_t u = to_bits(x) - 0x3F3504F3u;
  return {to_signed(u) >> 23, from_bits((u & 0x007FFFFFu) + 0x3F3504F3u)};
}

}  // namespace detail

// e^x. Above 88.72 inf, below -103.97 zero, between there and -87.3 denormal.
NB_INLINE float v_exp(float x) {
  // With n stopped at 128 the polynomial still grows, so that the result is inf.
  // (Limiting x itself makes GCC 12 split the loop's paths.)
  constexpr float kMost = detail::kRound254 + 128.0f;
  const float steps = detail::exp_steps(x);
  return detail::exp_stepped(x, steps > kMost ? kMost : steps);
}

// e^x - 1, accurate near zero.
NB_INLINE float v_expm1(float x) {
  constexpr float kMost = detail::kRound254 + 128.0f;
  const float steps = detail::exp_steps(x);
  const detail::ExpParts e = detail::exp_parts(x, steps > kMost ? kMost : steps);
  // 2^n (e^r - 1) + (2^n - 1), halved because 2^128 is not a float.
  const float half = detail::from_bits((e.n_plus_254 - 128u) << 23);
  float y = 2.0f * (half * e.expm1_r + (half - 0.5f));
  y = x < -20.0f ? -1.0f : y;
  return std::fabs(x) < 1e-8f ? x : y;
}

// Natural logarithm; log(0) = -inf, of negative numbers NaN.
NB_INLINE float v_log(float x) {
  const bool denormal = x < 1.17549435e-38f;
  const detail::LogParts parts = detail::log_parts(denormal ? x * 8388608.0f : x);
  const float k = static_cast<float>(parts.k - (denormal ? 23 : 0));
  float y = detail::log1p_reduced(parts.m - 1.0f, k);
  y = x == detail::kInf ? detail::kInf : y;
  y = x == 0.0f ? -detail::kInf : y;
  return x >= 0.0f ? y : detail::kNaN;
}

// log(1 + x), accurate near zero; log1p(-1) = -inf, below NaN.
NB_INLINE float v_log1p(float x) {
  const bool small = (x > -0.29f) & (x < 0.41f);
  const float u = 1.0f + x;
  const detail::LogParts parts = detail::log_parts(u);
  // What was rounded away of 1 + x, whose larger part comes off first.
  const float rest = x > 1.0f ? 1.0f - (u - x) : x - (u - 1.0f);
  const float f = small ? x : parts.m - 1.0f;
  const float k = small ? 0.0f : static_cast<float>(parts.k);
  float y = detail::log1p_reduced(f, k) + (small ? 0.0f : rest / u);
  y = x == detail::kInf ? detail::kInf : y;
  y = x == -1.0f ? -detail::kInf : y;
  y = x >= -1.0f ? y : detail::kNaN;
  return std::fabs(x) < 1e-8f ? x : y;
}

// 1 / (1 + e^-x), with relative accuracy in the left tail.
NB_INLINE float v_sigmoid(float x) {
  const float e = detail::exp_of_negative(-std::fabs(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

// log(1 + e^x), with relative accuracy in the left tail, x in the right one.
NB_INLINE float v_softplus(float x) {
  const float e = detail::exp_of_negative(-std::fabs(x));
  const bool high = e > 0.41421356f;
  const float log1p = detail::log1p_reduced(high ? 0.5f * (e - 1.0f) : e, high ? 1.0f : 0.0f);
  return (x > 0.0f ? x : 0.0f) + log1p;
}

// With e = e^(-2|x|) - 1: tanh |x| = -e / (e + 2), nothing cancels.
NB_INLINE float v_tanh(float x) {
  const float a = -2.0f * std::fabs(x);
  const detail::ExpParts parts = detail::exp_parts(a, detail::exp_steps(a));
  const float power = detail::from_bits((parts.n_plus_254 - 127u) << 23);
  const float e = power * parts.expm1_r + (power - 1.0f);
  return std::copysign(a < -20.0f ? 1.0f : -e / (e + 2.0f), x);
}

namespace detail {

// x = j pi/2 + r, |r| <= pi/4; sin r and cos r.
struct Quadrant {
  uint32_t j;  // only the low bits mean anything
  float sin_r;
  float cos_r;
};

NB_INLINE Quadrant reduce_sin(float x) {
  const float t = x * 0.636619772f + kRound;
  const float j = t - kRound;
  // pi/2 in parts of 16, 16 and 24 bits: j times the first two is exact.
  const float r = ((x - j * 0x1.922p+0f) + j * 0x1.2aeep-18f) + j * 0x1.e973dcp-35f;
  const float z = r * r;
  float s = -1.9515295891e-4f;
  s = s * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  float c = 2.443315711809948e-5f;
  c = c * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  return {to_bits(t), s * z * r + r, (c * z * z - 0.5f * z) + 1.0f};
}

NB_INLINE float pick(const Quadrant& q, uint32_t j) {
  const float y = (j & 1u) ? q.cos_r : q.sin_r;
  return from_bits(to_bits(y) ^ ((j & 2u) << 30));
}

}  // namespace detail

// Sine and cosine for |x| <= 400; beyond that (and for inf) NaN, because the
// reduction would lose its accuracy. Made for Box-Muller, x in [0, 2 pi).
NB_INLINE float v_sin(float x) {
  const detail::Quadrant q = detail::reduce_sin(x);
  return std::fabs(x) <= 400.0f ? detail::pick(q, q.j) : detail::kNaN;
}

NB_INLINE float v_cos(float x) {
  const detail::Quadrant q = detail::reduce_sin(x);
  return std::fabs(x) <= 400.0f ? detail::pick(q, q.j + 1u) : detail::kNaN;
}

}  // namespace nb
