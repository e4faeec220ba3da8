/** The matrix products of a training step. */
import type { TrainingCase } from './cases.js'

/**
 * A product of matrices of one step, c = op(a)·op(b). a, b and c name matrices: the same number is
 * the same memory.
 */
export interface Product {
  transA: boolean
  transB: boolean
  m: number
  n: number
  k: number
  a: number
  b: number
  c: number
}

/**
 * The products of one step: each layer's forward product, its weight gradient, and its input
 * gradient except at the first layer, in the order in which they are computed.
 */
export function productsOf({ units, batch }: TrainingCase): Product[] {
  const layers = units.length - 1
  // Of layer l: its inputs (layer l + 1's are its outputs), weights, and the gradients of both.
  const [x, w, dx, dw] = [0, 1, 2, 3].map((kind) => (l: number) => kind * (layers + 1) + l)
  const forward: Product[] = []
  const backward: Product[] = []
  for (let l = 0; l < layers; l++) {
    const [fanIn, fanOut] = [units[l], units[l + 1]]
    const product = (
      [transA, transB]: [boolean, boolean],
      [m, n, k]: [number, number, number],
      [a, b, c]: [number, number, number],
    ): Product => ({ transA, transB, m, n, k, a, b, c })
    forward.push(product([false, false], [batch, fanOut, fanIn], [x(l), w(l), x(l + 1)]))
    const input = product([false, true], [batch, fanIn, fanOut], [dx(l + 1), w(l), dx(l)])
    const weight = product([true, false], [fanIn, fanOut, batch], [x(l), dx(l + 1), dw(l)])
    backward.unshift(...(l > 0 ? [input, weight] : [weight]))
  }
  return [...forward, ...backward]
}
