/**
 * Products with what comes after them: here, one kernel after the other. The results are those of the
 * kernels alone.
 */
import {
  biasRelu,
  biasReluGrad,
  biasSigmoid,
  biasSigmoidGrad,
  biasTanh,
  biasTanhGrad,
} from './bias.js'
import * as elementwise from './elementwise.js'
import { multiply } from './gemm.js'
import type { Floats, JsKernel } from './kernel.js'
import { adam, sgd, sgdMomentum } from './optim.js'
import { inRows, packPanels } from './panels.js'

export const gemm: JsKernel<'gemm'> = (a, b, c, transA, transB, m, n, k, alpha, beta, panels) => {
  const weights = transB ? inRows(panels, b, n, k) : inRows(panels, b, k, n)
  multiply(a, weights, c, transA, transB, m, n, k, alpha, beta)
}

/** Which of an operand's matrices one of n0 × n1 × n2 products takes. */
function placeOf(batch: number, n: readonly number[], mask: number): number {
  const places = [Math.floor(batch / n[2] / n[1]), Math.floor(batch / n[2]) % n[1], batch % n[2]]
  return places.reduce((index, place, i) => (mask & (1 << i) ? index * n[i] + place : index), 0)
}

export const gemmBatched: JsKernel<'gemmBatched'> = (a, b, y, transA, transB, ...extents) => {
  const [n0, n1, n2, aMask, bMask, m, n, k] = extents
  const batches = [n0, n1, n2]
  for (let i = 0; i < n0 * n1 * n2; i++) {
    const left = a.subarray(placeOf(i, batches, aMask) * m * k)
    const right = b.subarray(placeOf(i, batches, bMask) * k * n)
    multiply(left, right, y.subarray(i * m * n), transA, transB, m, n, k, 1, 0)
  }
}

function linearWith(activation: JsKernel<'biasRelu'>): JsKernel<'linear'> {
  return (x, w, bias, y, m, n, k, panels) => {
    multiply(x, inRows(panels, w, k, n), y, 0, 0, m, n, k, 1, 0)
    activation(y, bias, y, m, n)
  }
}

export const linear = linearWith((x, bias, y, rows, cols) =>
  elementwise.add(x, bias, y, 1, rows, cols, 7, 4),
)
export const linearRelu = linearWith(biasRelu)
export const linearSigmoid = linearWith(biasSigmoid)
export const linearTanh = linearWith(biasTanh)

function gradientWith(gradient: JsKernel<'biasReluGrad'>): JsKernel<'gemmReluGrad'> {
  return (dy, w, y, dx, dbias, scratch, m, n, k, panels) => {
    multiply(dy, inRows(panels, w, n, k), dx, 0, 1, m, n, k, 1, 0)
    gradient(y, dx, dx, dbias, scratch, m, n)
  }
}

export const gemmReluGrad = gradientWith(biasReluGrad)
export const gemmSigmoidGrad = gradientWith(biasSigmoidGrad)
export const gemmTanhGrad = gradientWith(biasTanhGrad)

export const gemmSgd: JsKernel<'gemmSgd'> = (a, b, w, settings, ...product) => {
  update(a, b, w, product, (dw, w, n) => sgd(w, dw, settings, n))
}

export const gemmSgdMomentum: JsKernel<'gemmSgdMomentum'> = (
  a,
  b,
  w,
  velocity,
  settings,
  ...product
) => {
  update(a, b, w, product, (dw, w, n) => sgdMomentum(w, dw, velocity, settings, n))
}

export const gemmAdam: JsKernel<'gemmAdam'> = (a, b, w, mean, square, settings, ...product) => {
  update(a, b, w, product, (dw, w, n) => adam(w, dw, mean, square, settings, n))
}

type Product = [transA: number, transB: number, m: number, n: number, k: number, panels: number]

let gradients: Floats = new Float32Array(0)

/** Computes the gradient and lets `step` move the weights by it, both in rows. */
function update(
  a: Floats,
  b: Floats,
  w: Floats,
  [transA, transB, m, n, k, panels]: Product,
  step: (dw: Floats, w: Floats, n: number) => void,
): void {
  const size = m * n
  if (gradients.length < size || gradients.constructor !== w.constructor) {
    gradients = w instanceof Float64Array ? new Float64Array(size) : new Float32Array(size)
  }
  multiply(a, b, gradients, transA, transB, m, n, k, 1, 0)
  const rows = inRows(panels, w, m, n)
  step(gradients, rows, size)
  if (panels) packPanels(rows, w, m, n)
}
