/**
 * Random numbers by Philox 4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3,
 * 2011): a block of 4 words is a pure function of a key and a counter. state is [key0, key1, low,
 * high]; low and high are the 64-bit number of the next block. Element i takes word i mod 4 of
 * block i / 4, as in native/kernels/random.cc.
 */
import { KernelError } from '../../base/errors.js'
import type { JsKernel } from './kernel.js'

const WORD = 2 ** 32
const INVERSE_24 = 2 ** -24

/** The last block. */
const words = new Uint32Array(4)

/** High 32 bits of a·b, by halves of 16 bits: integer operations only, twice as fast as doubles. */
function multiplyHigh(a: number, b: number): number {
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
function draw(state: Int32Array, block: number): void {
  const low = (state[2] >>> 0) + block
  philox(words, state[0], state[1], low | 0, (state[3] + Math.floor(low / WORD)) | 0, 0, 0)
}

/** Moves the state past what n elements took. */
function advance(state: Int32Array, n: number): void {
  const low = (state[2] >>> 0) + Math.ceil(n / 4)
  state[3] += Math.floor(low / WORD)
  state[2] = low
}

export const uniform: JsKernel<'uniform'> = (y, state, n, low, high) => {
  const range = high - low
  for (let i = 0; i < n; i += 4) {
    draw(state, i / 4)
    for (let j = 0; j < 4 && i + j < n; j++)
      y[i + j] = low + range * ((words[j] >>> 8) * INVERSE_24)
  }
  advance(state, n)
}

// Box and Muller (1958): two words give two independent normal numbers.
export const normal: JsKernel<'normal'> = (y, state, n, mean, std) => {
  for (let i = 0; i < n; i += 2) {
    if (i % 4 === 0) draw(state, i / 4)
    const even = words[i % 4]
    const odd = words[(i % 4) + 1]
    // From 2^-24 to 1: the logarithm is finite.
    const radius = std * Math.sqrt(-2 * Math.log(((even >>> 8) + 1) * INVERSE_24))
    const angle = 2 * Math.PI * ((odd >>> 8) * INVERSE_24)
    y[i] = mean + radius * Math.cos(angle)
    if (i + 1 < n) y[i + 1] = mean + radius * Math.sin(angle)
  }
  advance(state, n)
}

export const bernoulli: JsKernel<'bernoulli'> = (y, state, n, p) => {
  if (!(p >= 0 && p <= 1)) throw new KernelError(`bernoulli: p must be from 0 to 1, got ${p}`)
  // As the addon gets it: the share of ones is the same on every backend.
  const threshold = Math.floor(Math.fround(p) * WORD)
  for (let i = 0; i < n; i += 4) {
    draw(state, i / 4)
    for (let j = 0; j < 4 && i + j < n; j++) y[i + j] = words[j] < threshold ? 1 : 0
  }
  advance(state, n)
}

export const bernoulliEach: JsKernel<'bernoulliEach'> = (p, y, state, n) => {
  for (let i = 0; i < n; i += 4) {
    draw(state, i / 4)
    for (let j = 0; j < 4 && i + j < n; j++) {
      const probability = p[i + j]
      const isOne = (words[j] >>> 8) * INVERSE_24 < probability
      y[i + j] = Number.isNaN(probability) ? probability : +isOne
    }
  }
  advance(state, n)
}

// Fisher and Yates, from the last position down. The place is the high word of a product (Lemire,
// 2019, without the rejection): its bias is below n / 2^32.
export const permutation: JsKernel<'permutation'> = (y, state, n) => {
  for (let i = 0; i < n; i++) y[i] = i
  for (let t = 0; t < n - 1; t++) {
    if (t % 4 === 0) draw(state, t / 4)
    const i = n - 1 - t
    const j = multiplyHigh(words[t % 4], i + 1)
    const value = y[i]
    y[i] = y[j]
    y[j] = value
  }
  advance(state, Math.max(n - 1, 0))
}
