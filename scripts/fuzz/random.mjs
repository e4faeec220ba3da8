// Random choices that the same seed repeats, and values that fit nothing.

/** Marsaglia's xorshift (2003). */
export function randomOf(seed) {
  let state = (seed * 2654435761) | 1
  const random = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  const below = (n) => Math.floor(random() * n)
  const pick = (list) => list[below(list.length)]
  const chance = (p) => random() < p
  return { random, below, pick, chance }
}

/** Numbers that are no sizes, handles or positions, or such as nobody has: no memory, either. */
export const HOSTILE = [
  -1,
  -0.5,
  0.5,
  Number.NaN,
  Infinity,
  -Infinity,
  1e300,
  2 ** 40,
  2 ** 45,
  2 ** 53 - 1,
  2 ** 53,
]
