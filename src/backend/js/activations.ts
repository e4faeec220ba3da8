/**
 * Activations as functions of x, and their gradients from x; the formulas are those of
 * native/kernels/activations.cc.
 */
import { erfc } from './erf.js'
import type { JsKernel } from './kernel.js'

export const leakyRelu: JsKernel<'leakyRelu'> = (x, y, n, slope) => {
  for (let i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : slope * x[i]
}

export const leakyReluGrad: JsKernel<'leakyReluGrad'> = (x, dy, dx, n, slope) => {
  for (let i = 0; i < n; i++) dx[i] = x[i] > 0 ? dy[i] : slope * dy[i]
}

export const step: JsKernel<'step'> = (x, y, n, below) => {
  for (let i = 0; i < n; i++) y[i] = x[i] > 0 ? 1 : Number.isNaN(x[i]) ? x[i] : below
}

export const elu: JsKernel<'elu'> = (x, y, n, positive, negative) => {
  for (let i = 0; i < n; i++) y[i] = x[i] > 0 ? positive * x[i] : negative * Math.expm1(x[i])
}

export const eluGrad: JsKernel<'eluGrad'> = (x, dy, dx, n, positive, negative) => {
  for (let i = 0; i < n; i++) dx[i] = dy[i] * (x[i] <= 0 ? negative * Math.exp(x[i]) : positive)
}

/** Of the standard normal distribution, with relative accuracy in the left tail. */
const normalCdf = (x: number) => 0.5 * erfc(-x * Math.SQRT1_2)

export const gelu: JsKernel<'gelu'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = x[i] * normalCdf(x[i])
}

export const geluGrad: JsKernel<'geluGrad'> = (x, dy, dx, n) => {
  const peak = 1 / Math.sqrt(2 * Math.PI)
  for (let i = 0; i < n; i++) {
    const v = x[i]
    dx[i] = dy[i] * (normalCdf(v) + v * peak * Math.exp((-v * v) / 2))
  }
}

/** The derivative of the sigmoid, σ(x)·σ(-x). */
function sigmoidSlope(x: number): number {
  const e = Math.exp(-Math.abs(x))
  return e / (1 + e) / (1 + e)
}

function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x))
  return (x < 0 ? e : 1) / (1 + e)
}

const INNER = 2 * Math.sqrt(2 / Math.PI)
const CUBIC = 0.044715

export const geluTanh: JsKernel<'geluTanh'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = x[i] * sigmoid(INNER * (x[i] + CUBIC * x[i] ** 3))
}

export const geluTanhGrad: JsKernel<'geluTanhGrad'> = (x, dy, dx, n) => {
  for (let i = 0; i < n; i++) {
    const v = x[i]
    const u = INNER * (v + CUBIC * v ** 3)
    const slope = sigmoidSlope(u)
    const inner = INNER * (1 + 3 * CUBIC * v * v)
    dx[i] = dy[i] * (sigmoid(u) + (slope === 0 ? 0 : v * slope * inner))
  }
}

export const silu: JsKernel<'silu'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = x[i] * sigmoid(x[i])
}

export const siluGrad: JsKernel<'siluGrad'> = (x, dy, dx, n) => {
  for (let i = 0; i < n; i++) dx[i] = dy[i] * (sigmoid(x[i]) + x[i] * sigmoidSlope(x[i]))
}

/** tanh(log(1 + e^x)) as a quotient of polynomials in e^-|x|, and the denominator. */
function mishParts(x: number): [tanh: number, denominator: number, e: number] {
  const e = Math.exp(-Math.abs(x))
  const numerator = x < 0 ? e * (e + 2) : 1 + 2 * e
  const denominator = numerator + (x < 0 ? 2 : 2 * e * e)
  return [numerator / denominator, denominator, e]
}

export const mish: JsKernel<'mish'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = x[i] * mishParts(x[i])[0]
}

export const mishGrad: JsKernel<'mishGrad'> = (x, dy, dx, n) => {
  for (let i = 0; i < n; i++) {
    const [tanh, denominator, e] = mishParts(x[i])
    const slope = 4 * e * (x[i] < 0 ? 1 : e) * (1 + e)
    dx[i] = dy[i] * (tanh + x[i] * (slope / (denominator * denominator)))
  }
}

export const softsign: JsKernel<'softsign'> = (x, y, n) => {
  for (let i = 0; i < n; i++) y[i] = x[i] / (1 + Math.abs(x[i]))
}

export const softsignGrad: JsKernel<'softsignGrad'> = (x, dy, dx, n) => {
  for (let i = 0; i < n; i++) dx[i] = dy[i] / (1 + Math.abs(x[i])) ** 2
}
