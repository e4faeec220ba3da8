/**
 * Random words by Philox 4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011): a
 * block of 4 words is a pure function of a key and a counter. state is [key0, key1, low, high]; low and
 * high are the 64-bit number of the next block. Element i takes word i mod 4 of block i / 4, as in
 * native/kernels/philox.h.
 */

export const WORD = 2 ** 32

/** The last block. */
export const words = new Uint32Array(4)

/** The high 32 bits of a·b, by halves of 16 bits: integer operations only, twice as fast as doubles. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  // Neither sum exceeds 2^32 - 1.
  const left = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0
  const right = (Math.imul(aLow, bHigh) + (left & 0xffff)) | 0
  return (Math.imul(aHigh, bHigh) + (left >>> 16) + (right >>> 16)) >>> 0
}

/** Ten rounds on the counter c0 to c3 under the key k0, k1. */
export function philox(
  out: Uint32Array,
  k0: number,
  k1: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(c0, 0xd2511f53)
    const high1 = multiplyHigh(c2, 0xcd9e8d57)
    const low0 = Math.imul(c0, 0xd2511f53)
    const low1 = Math.imul(c2, 0xcd9e8d57)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** Puts the block that is `block` blocks ahead of the state into `words`. */
export function draw(state: Int32Array, block: number): void {
  const low = (state[2] >>> 0) + block
  philox(words, state[0], state[1], low | 0, (state[3] + Math.floor(low / WORD)) | 0, 0, 0)
}

/** Moves the state past what n elements took. */
export function advance(state: Int32Array, n: number): void {
  const low = (state[2] >>> 0) + Math.ceil(n / 4)
  state[3] += Math.floor(low / WORD)
  state[2] = low
}
