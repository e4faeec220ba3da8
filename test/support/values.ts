/**
 * Numbers for tests of kernels: random ones that are the same in every run, special ones, extents.
 */

export const SIZES = [0, 1, 7, 63, 1025]

// Marsaglia's xorshift (2003), the same in every run.
let state = 2463534242
export function random(): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 8) / 2 ** 24
}
export const floats = (n: number, scale = 2): Float32Array =>
  Float32Array.from({ length: n }, () => scale * (2 * random() - 1))
export const ints = (n: number, limit: number): Int32Array =>
  Int32Array.from({ length: n }, () => Math.floor(random() * limit))
export const doubles = (n: number): Float64Array =>
  Float64Array.from({ length: n }, () => 2 * random() - 1 + 2 ** -40)
// No 165, which the guard zones hold.
export const bytes = (n: number) => Uint8Array.from({ length: n }, () => random() * 160)

export const bools = (n: number) => Uint8Array.from({ length: n }, () => +(random() < 0.5))

export const FINITE = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  3,
  -7,
  0.1,
  1e-3,
  88.5,
  -88.5,
  89,
  -104,
  127,
  1e4,
  -1e4,
  1e-7,
  1e7,
  2 ** -126,
  -(2 ** -126),
  2 ** -149,
  -(2 ** -149),
  2 ** -130,
  3e38,
  -3e38,
  1e30,
  16777216,
  -31.5,
]
export const SPECIAL = [Number.NaN, Infinity, -Infinity, ...FINITE]
/** n special values, starting at another one each time. */
let start = 0
export function specials(n: number, values = SPECIAL): Float32Array {
  start += 5
  return Float32Array.from({ length: n }, (_, i) => values[(start + i) % values.length])
}

export function* tuples(count: number, limit: number, sizes = SIZES): Iterable<number[]> {
  if (count === 0) {
    yield []
    return
  }
  for (const rest of tuples(count - 1, limit, sizes)) {
    for (const n of sizes) {
      if (n * rest.reduce((a, b) => a * b, 1) <= limit) yield [...rest, n]
    }
  }
}
