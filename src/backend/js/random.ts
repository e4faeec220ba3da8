/** Random numbers, by the words of philox.ts. */
import { KernelError } from '../../base/errors.js'
import type { JsKernel } from './kernel.js'
import { advance, draw, multiplyHigh, WORD, words } from './philox.js'

const INVERSE_24 = 2 ** -24

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

// The high word of a product (Lemire, 2019, without the rejection): its bias is below range / 2^32.
export const randint: JsKernel<'randint'> = (y, state, n, low, high) => {
  const range = high - low
  for (let i = 0; i < n; i++) {
    if (i % 4 === 0) draw(state, i / 4)
    const word = words[i % 4]
    y[i] = low + (range === WORD ? word : multiplyHigh(word, range))
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
