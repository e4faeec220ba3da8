/**
 * The error function in doubles, to about 1e-15: a series without cancellation near 0, a continued
 * fraction in the tail (Abramowitz and Stegun 1964, 7.1.6 and 7.1.14).
 */

// Where both are exact to the last digits, and take some 30 and 60 steps.
const NEAR = 2

/** 2/√π ∫ e^(-t²) dt from 0 to x. */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (!(a >= NEAR)) return series(x)
  return Math.sign(x) * (1 - tail(a))
}

/** 1 - erf(x), with relative accuracy in the right tail. */
export function erfc(x: number): number {
  return x >= NEAR ? tail(x) : 1 - erf(x)
}

// 2/√π·e^(-x²)·Σ 2^n·x^(2n + 1) / (1·3·5·…·(2n + 1))
function series(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

// e^(-x²)/√π / (x + (1/2)/(x + 1/(x + (3/2)/(x + …))))
function tail(x: number): number {
  let fraction = x
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction)
}
