/**
 * The naive counterpart of the library for tests: arrays in doubles, every element found by its own
 * index. Slow and obvious.
 */
import t, { type Test } from 'tap'
import { type BackendName, fullLike, memory, setBackend, Tensor, tensor } from '../../lib/index.js'
import type { Nested } from '../../lib/tensor/print.js'

export interface Nd {
  shape: readonly number[]
  data: number[]
  dtype?: 'float32' | 'int32' | 'uint8' | 'bool'
}

/** All indices of a shape, row-major. */
export function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (found, extent) =>
      found.flatMap((index) => Array.from({ length: extent }, (_, i) => [...index, i])),
    [[]],
  )
}

export function build(shape: readonly number[], value: (index: number[]) => number): Nd {
  return { shape, data: indices(shape).map(value) }
}

/** Like NumPy: aligned at the last axis, an extent of 1 stands for any index. */
export function at({ shape, data }: Nd, index: readonly number[]): number {
  const own = index.slice(index.length - shape.length)
  return data[shape.reduce((sum, extent, axis) => sum * extent + (extent === 1 ? 0 : own[axis]), 0)]
}

/**
 * Different numbers between -6.5 and 6.5, none of them 0 or whole, exact in float32 together with
 * their sums and products.
 */
export function sample(shape: readonly number[], seed = 0): Nd {
  let i = seed * 17
  return build(shape, () => ((i++ * 37) % 101) / 8 - 6.4375)
}

export function positive(shape: readonly number[], seed = 0): Nd {
  return map(Math.abs, sample(shape, seed))
}

export function ints(shape: readonly number[], values: readonly number[]): Nd {
  let i = 0
  return { ...build(shape, () => values[i++ % values.length]), dtype: 'int32' }
}

function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)
    return extents.find((extent) => extent !== 1) ?? 1
  })
}

/** f of the elements that broadcasting brings together. */
export function map(f: (...values: number[]) => number, ...xs: Nd[]): Nd {
  return build(broadcast(xs.map((x) => x.shape)), (index) => f(...xs.map((x) => at(x, index))))
}

export function permute(x: Nd, axes: readonly number[]): Nd {
  return build(
    axes.map((axis) => x.shape[axis]),
    (index) =>
      at(
        x,
        axes.map((_, axis) => index[axes.indexOf(axis)]),
      ),
  )
}

/** f of all elements that differ only along the axes, which stay as 1 when they are kept. */
export function fold(
  f: (values: number[]) => number,
  x: Nd,
  axes: readonly number[],
  keepDims = false,
): Nd {
  const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
  const y = build(kept, (index) =>
    f(
      indices(x.shape)
        .filter((other) => other.every((i, axis) => axes.includes(axis) || i === index[axis]))
        .map((other) => at(x, other)),
    ),
  )
  return keepDims ? y : { ...y, shape: kept.filter((_, axis) => !axes.includes(axis)) }
}

export const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

export function matmul(a: Nd, b: Nd): Nd {
  const inner = Array.from({ length: a.shape[1] }, (_, k) => k)
  return build([a.shape[0], b.shape[1]], ([i, j]) =>
    total(inner.map((k) => at(a, [i, k]) * at(b, [k, j]))),
  )
}

export function toTensor(x: Nd): Tensor {
  return tensor(x.data, x.shape, x.dtype ?? 'float32') as Tensor
}

/** A tensor of numbers that wants a gradient. */
export function leaf(data: Nested): Tensor {
  const x = tensor(data)
  x.requiresGrad = true
  return x
}

/** Its gradient as nested arrays; a tensor in a failing assertion would print all its buffers. */
export const gradOf = (x: Tensor): Nested | undefined => x.grad?.toArray()

/** On the backend of another tensor, which a gradient check chooses. */
export function toTensorOn(like: Tensor, x: Nd): Tensor {
  const y = fullLike(like, 0, x.shape)
  y.assign(x.data)
  return y
}

/** Shape and elements of y are those expected, to a tolerance relative to max(1, |expected|). */
export function same(t: Test, y: unknown, expected: Nd, message: string, tolerance = 0): void {
  if (!(y instanceof Tensor)) {
    t.fail(`${message}: expected a tensor`)
    return
  }
  t.strictSame(y.shape, expected.shape, `${message}: shape`)
  const data = [...y.data()]
  const differing = data.findIndex((value, i) => {
    const wanted = expected.data[i]
    if (Object.is(value, wanted) || value === wanted) return false
    return !(Math.abs(value - wanted) <= tolerance * Math.max(1, Math.abs(wanted)))
  })
  if (differing < 0 && data.length === expected.data.length) t.pass(message)
  else t.equal(`at ${differing}: [${data}]`, `[${expected.data}]`, message)
}

type ErrorClass = new (...args: any[]) => Error

/** How many more buffers there are after fn than before. */
export function growth(fn: () => unknown): number {
  const before = memory().buffers
  fn()
  return memory().buffers - before
}

/** What plain JavaScript could pass. */
export const wrong = (value: unknown) => value as any

/** fn throws exactly this class of error, with this message or one that matches. */
export function refuses(
  t: Test,
  fn: () => unknown,
  errorClass: ErrorClass,
  message?: string | RegExp,
): void {
  const name = `refuses ${fn
    .toString()
    .replace(/^\(\) => /, '')
    .slice(0, 60)}`
  try {
    fn()
  } catch (error) {
    t.equal((error as Error).name, errorClass.name, `${name}: ${(error as Error).message}`)
    t.ok(error instanceof errorClass)
    if (typeof message === 'string') t.equal((error as Error).message, message)
    else if (message) t.match((error as Error).message, message)
    return
  }
  t.fail(`${name}: nothing was thrown`)
}

/** A test on both backends; the native one is the current one afterwards. */
export function onBothBackends(name: string, fn: (t: Test, backend: BackendName) => void): void {
  for (const backend of ['js', 'native'] as const) {
    t.test(`${name} (${backend})`, async (t) => {
      setBackend(backend)
      fn(t, backend)
    })
  }
}
