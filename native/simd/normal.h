// The normal distribution and the error function in float32, by the rules of vmath.h and with its
// accuracy; the largest errors over every float32: erf 1.58, normal_cdf 4.04 ulp
// (native/test/vmath_test.cc).
//
// Method: Φ(-a) = e^(-a²/2)·erfcx(a/√2)/2 for a >= 0, where (1 + a)·erfcx(a/√2) is a polynomial in
// (a - 4)/(a + 4) (Shepherd and Laframboise 1981), a minimax fit up to a = 15, where Φ is 0 as a
// float32. Near 0 the error function is x + x·p(x²), a minimax fit, too.
#pragma once

#include "vmath.h"

namespace nb {

// Of a = |x|.
struct NormalParts {
  float power;  // e^(-a²/2)
  float tail;   // Φ(-a)
};

NB_INLINE NormalParts normal_parts(float x) {
  const float magnitude = std::fabs(x);
  const float a = magnitude > 15.0f ? 15.0f : magnitude;  // NaN stays
  // a²/2 in two parts: of 12 bits of a, which is exact, and of the rest.
  const float high = detail::from_bits(detail::to_bits(a) & 0xFFFFF000u);
  const float square = -0.5f * high * high;
  const float rest = -0.5f * (a - high) * (a + high);
  const float steps = detail::exp_steps(square);
  const float power = detail::exp_of_parts(
      detail::exp_parts_of_rest(detail::exp_rest(square, steps) + rest, steps));
  const float q = (a - 4.0f) / (a + 4.0f);
  float p = -0.000143964106f;
  p = p * q - 0.000123085178f;
  p = p * q + 0.0013844287f;
  p = p * q - 0.000606882444f;
  p = p * q - 0.0100078937f;
  p = p * q + 0.0358804539f;
  p = p * q - 0.0643946975f;
  p = p * q + 0.0571999364f;
  p = p * q + 0.0279991999f;
  p = p * q - 0.19340694f;
  p = p * q + 0.9441064f;
  return {a > 14.4f ? 0.0f : power, a > 14.4f ? 0.0f : power * (0.5f * p / (1.0f + a))};
}

// Φ(x), the share of a standard normal distribution below x, with relative accuracy in the left
// tail.
NB_INLINE float normal_cdf(float x, const NormalParts& parts) {
  return x < 0.0f ? parts.tail : 1.0f - parts.tail;
}
NB_INLINE float v_normal_cdf(float x) { return normal_cdf(x, normal_parts(x)); }

// 2/√π ∫ e^(-t²) dt from 0 to x.
NB_INLINE float v_erf(float x) {
  const float z = x * x;
  float p = 8.382390660699457e-05f;
  p = p * z - 0.0008145597530528903f;
  p = p * z + 0.005201286170631647f;
  p = p * z - 0.026859499514102936f;
  p = p * z + 0.11283697187900543f;
  p = p * z - 0.37612634897232056f;
  p = p * z + 0.12837916612625122f;
  const float large = 1.0f - 2.0f * normal_parts(1.41421356f * x).tail;
  return std::fabs(x) < 0.92f ? p * x + x : std::copysign(large, x);
}

}  // namespace nb
