/** Computations that ops and `backward` share, and that leave no graph behind. */
import { ALONG_ALL } from '../backend/broadcast.js'
import { ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { checkShape, format, type Shape, sameShape, sizeOf } from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'

/** One value everywhere, in the dtype of x. */
export function filled(x: AnyTensor, value: number, shape: Shape = x.shape): AnyTensor {
  const y = allocate(x, shape, x.dtype)
  y.storage.backend.run('fill', y.handle, y.size, value)
  return y
}

/** x repeated to a shape that it broadcasts to; always a buffer of its own. */
export function expandForward(x: AnyTensor, shape: Shape): AnyTensor {
  checkShape('broadcastTo', shape)
  const offset = shape.length - x.shape.length
  const aligned = shape.map((_, axis) => x.shape[axis - offset] ?? 1)
  if (offset < 0 || aligned.some((extent, axis) => extent !== shape[axis] && extent !== 1)) {
    throw new ShapeError(
      `broadcastTo: expected a shape that ${format(x.shape)} can be repeated to, got ${format(shape)}`,
    )
  }
  let y = x.view(aligned)
  // Neighbouring axes that are repeated together are one run of the kernel.
  for (let end = shape.length; end > 0; end--) {
    if (aligned[end - 1] === shape[end - 1]) continue
    let begin = end - 1
    while (begin > 0 && aligned[begin - 1] === 1) begin--
    const outer = sizeOf(aligned.slice(0, begin))
    const inner = sizeOf(shape.slice(end))
    const repeat = sizeOf(shape.slice(begin, end))
    const next = allocate(x, [...aligned.slice(0, begin), ...shape.slice(begin)], x.dtype)
    x.storage.backend.run('expand', y.handle, next.handle, outer, repeat, inner)
    y.dispose()
    y = next
    end = begin + 1
  }
  if (y.storage !== x.storage) return y
  const copy = y.clone()
  y.dispose()
  return copy
}

/**
 * Axes in another order, without a graph: each in turn is brought to its place by one swap of two
 * neighbouring groups of axes. Shares the buffer when there is nothing to swap.
 */
export function permuteForward(x: AnyTensor, axes: readonly number[]): AnyTensor {
  const order = x.shape.map((_, axis) => axis)
  let y = x.view()
  for (let place = 0; place < axes.length; place++) {
    const from = order.indexOf(axes[place])
    if (from === place) continue
    const extents = order.map((axis) => x.shape[axis])
    const outer = sizeOf(extents.slice(0, place))
    const rows = sizeOf(extents.slice(place, from))
    const inner = sizeOf(extents.slice(from + 1))
    order.splice(place, 0, ...order.splice(from, 1))
    const next = allocate(
      x,
      order.map((axis) => x.shape[axis]),
      x.dtype,
    )
    x.storage.backend.run('transpose', y.handle, next.handle, outer, rows, extents[from], inner)
    y.dispose()
    y = next
  }
  return y
}

/** Runs of neighbouring axes, last first: each is one call of a kernel. */
function runsOf(axes: readonly number[]): [number, number][] {
  const runs: [number, number][] = []
  for (const axis of axes) {
    const last = runs.at(-1)
    if (last && last[1] === axis) last[1] = axis + 1
    else runs.push([axis, axis + 1])
  }
  return runs.reverse()
}

type Fold = 'sum' | 'max' | 'any' | 'all'

/** One run of axes away: x is [outer, length, inner]; only sums of floats are scaled. */
function foldRun(
  kernel: Fold,
  x: AnyTensor,
  y: AnyTensor,
  extents: readonly [outer: number, length: number, inner: number],
  scale: number,
): void {
  const { backend } = x.storage
  if (kernel !== 'sum') backend.run(kernel, x.handle, y.handle, ...extents)
  else if (x.dtype === 'int32') backend.run('sumInt32', x.handle, y.handle, ...extents)
  else backend.run('sum', x.handle, y.handle, ...extents, scale)
}

/** Folds the axes away, one run after the other; the scale goes into the last call. */
export function fold(
  kernel: Fold,
  x: AnyTensor,
  axes: readonly number[],
  scale: number,
): AnyTensor {
  let y = x.view()
  const runs = runsOf(axes)
  for (const [i, [begin, end]] of runs.entries()) {
    const { shape } = y
    const outer = sizeOf(shape.slice(0, begin))
    const length = sizeOf(shape.slice(begin, end))
    const inner = sizeOf(shape.slice(end))
    const next = allocate(x, shape.toSpliced(begin, end - begin), x.dtype)
    foldRun(kernel, y, next, [outer, length, inner], i === runs.length - 1 ? scale : 1)
    y.dispose()
    y = next
  }
  if (runs.length > 0) return y
  const copy = y.clone()
  y.dispose()
  return copy
}

/** Sums what broadcasting repeated, back to the shape before it. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const offset = x.shape.length - shape.length
  const axes = x.shape.flatMap((extent, axis) =>
    axis < offset || (shape[axis - offset] === 1 && extent !== 1) ? [axis] : [],
  )
  const y = fold('sum', x, axes, 1)
  if (sameShape(y.shape, shape)) return y
  // A view alone would leave the sum's own reference behind.
  const reshaped = y.view(shape)
  y.dispose()
  return reshaped
}

/** x += y, outside any graph; y broadcasts to x. */
export function addInPlace(x: Tensor, y: Tensor): void {
  if (!sameShape(x.shape, y.shape)) {
    throw new ShapeError(
      `add: expected equal shapes, got ${format(x.shape)} and ${format(y.shape)}`,
    )
  }
  x.storage.backend.run('add', x.handle, y.handle, x.handle, 1, 1, x.size, ALONG_ALL, ALONG_ALL)
  x.storage.version++
}
