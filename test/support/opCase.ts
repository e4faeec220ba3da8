/**
 * Makers of rows for the op table: an op of one or two operands over a list of awkward shapes.
 */
import type { Tensor } from '../../lib/index.js'
import { map, type Nd, sample } from './reference.js'

export interface OpCase {
  name: string
  inputs: Nd[]
  /** Gets as many tensors as there are inputs. */
  apply: (...x: any[]) => Tensor
  expected: (...x: Nd[]) => Nd
}

export type Shape = number[]
export const show = (shapes: Shape[]) => shapes.map((shape) => `[${shape}]`).join(' and ')

const pairs: [Shape, Shape][] = [
  [[], []],
  [[3], []],
  [[1], [1]],
  [[7], [7]],
  [
    [2, 3],
    [2, 1],
  ],
  [[4], [3, 1]],
  [
    [2, 1, 3],
    [1, 2, 1],
  ],
  [
    [2, 1, 2, 1, 2],
    [1, 3, 1, 2, 1],
  ],
  [
    [0, 3],
    [1, 3],
  ],
]

type Make = (shape: Shape, seed?: number) => Nd

export function binary(
  op: string,
  f: (a: number, b: number) => number,
  make: Make = sample,
): OpCase[] {
  return pairs.flatMap(([p, q]) =>
    [
      [p, q],
      [q, p],
    ].map((shapes) => ({
      name: show(shapes),
      inputs: [make(shapes[0]), make(shapes[1], 1)],
      apply: (a, b) => a[op](b),
      expected: (a: Nd, b: Nd) => map(f, a, b),
    })),
  )
}

export const shapes: Shape[] = [[], [1], [7], [2, 3], [3, 1, 2], [0], [0, 3]]

export function unary(op: string, f: (x: number) => number, make: Make = sample): OpCase[] {
  return shapes.map((shape) => ({
    name: show([shape]),
    inputs: [make(shape)],
    apply: (x) => x[op](),
    expected: (x) => map(f, x),
  }))
}

/** One case per shape of a single operand. */
export function each(
  list: Shape[],
  apply: (x: Tensor, shape: Shape) => Tensor,
  expected: (x: Nd) => Nd,
): OpCase[] {
  return list.map((shape) => ({
    name: show([shape]),
    inputs: [sample(shape)],
    apply: (x) => apply(x, shape),
    expected,
  }))
}
