/**
 * Elements along an axis that an int32 tensor names: read, written and added to. An index tensor has
 * the rank of the elements, one index for each of them, or is a list that serves all.
 */
import { ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { aroundAxis, format, resolveAxis, type Shape, sameShape } from '../tensor/shape.js'
import { type AnyTensor, isTensor, type Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { selectRows } from './indexing.js'
import { filled } from './raw.js'
import { requireDType, requireNumeric, requireValue } from './require.js'
import { copyView, readView, type View, wholeOf } from './views.js'

type Indices = Tensor<'int32'>

interface Along {
  axis: number
  /** Whether every element has an index of its own. */
  each: boolean
}

/** What is taken along an axis. */
function takenShape(shape: Shape, indices: AnyTensor, { axis, each }: Along): Shape {
  return each ? indices.shape : shape.with(axis, indices.size)
}

/** The part of x in which a smaller index tensor chooses; undefined when it is all of x. */
function partOf(shape: Shape, taken: Shape, axis: number): View | undefined {
  const extents = taken.with(axis, shape[axis])
  return sameShape(extents, shape) ? undefined : { ...wholeOf(shape), shape: extents }
}

type Kernel = 'gather' | 'scatter' | 'scatterAdd'

/** Runs a kernel between the elements that are taken and the whole that they belong to. */
function run(
  kernel: Kernel,
  taken: AnyTensor,
  whole: AnyTensor,
  indices: AnyTensor,
  { axis, each }: Along,
): void {
  const [outer, count, inner] = aroundAxis(taken.shape, axis)
  const [x, y] = kernel === 'gather' ? [whole, taken] : [taken, whole]
  const extents = [outer, whole.shape[axis], count, inner, +each] as const
  x.storage.backend.run(kernel, x.handle, indices.handle, y.handle, ...extents)
}

function gatherForward(x: AnyTensor, indices: AnyTensor, attributes: Along): AnyTensor {
  const shape = takenShape(x.shape, indices, attributes)
  const y = allocate(x, shape, x.dtype)
  const part = partOf(x.shape, shape, attributes.axis)
  const whole = part ? copyOf(x, part) : x.view()
  run('gather', y, whole, indices, attributes)
  whole.dispose()
  return y
}

function copyOf(x: AnyTensor, view: View): AnyTensor {
  const y = allocate(x, view.shape, x.dtype)
  copyView(x, view, y, wholeOf(view.shape))
  return y
}

/** Writes into y, or adds to it, the elements of x. */
function scatterInto(
  kernel: 'scatter' | 'scatterAdd',
  y: AnyTensor,
  indices: AnyTensor,
  x: AnyTensor,
  attributes: Along,
): AnyTensor {
  const part = partOf(y.shape, x.shape, attributes.axis)
  if (part === undefined) {
    run(kernel, x, y, indices, attributes)
    return y
  }
  const whole = copyOf(y, part)
  run(kernel, x, whole, indices, attributes)
  copyView(whole, wholeOf(part.shape), y, part)
  whole.dispose()
  return y
}

const gatherOp = defineOp<readonly [AnyTensor, AnyTensor], Along, AnyTensor>('gather', {
  forward: ([x, indices], attributes) => gatherForward(x, indices, attributes),
  save: (_, [, indices]) => [indices],
  backward: (dy, [indices], { shapes: [shape], attributes }) => [
    () => scatterInto('scatterAdd', filled(dy, 0, shape), indices, dy, attributes) as Tensor,
    () => indices,
  ],
})

type Scatter = readonly [x: AnyTensor, indices: AnyTensor, source: AnyTensor]

const scatterOp = defineOp<Scatter, Along, AnyTensor>('scatter', {
  forward: ([x, indices, source], attributes) =>
    scatterInto('scatter', x.clone(), indices, source, attributes),
  save: (_, [, indices]) => [indices],
  backward: (dy, [indices], { shapes: [, , taken], attributes }) => [
    () => scatterInto('scatter', dy.clone(), indices, filled(dy, 0, taken), attributes) as Tensor,
    () => indices,
    () => gatherForward(dy, indices, attributes) as Tensor,
  ],
})

const scatterAddOp = defineOp<Scatter, Along, AnyTensor>('scatterAdd', {
  forward: ([x, indices, source], attributes) =>
    scatterInto('scatterAdd', x.clone(), indices, source, attributes),
  save: (_, [, indices]) => [indices],
  backward: (dy, [indices], { attributes }) => [
    () => dy,
    () => indices,
    () => gatherForward(dy, indices, attributes) as Tensor,
  ],
})

/** An index for each element: as many axes as x, and none but the one chosen along is longer. */
function checkEach(op: string, x: AnyTensor, axis: number, indices: AnyTensor): Along {
  requireDType(op, indices, 'int32')
  const along = resolveAxis(op, axis, x.shape.length)
  const fits = (extent: number, i: number) => i === along || extent <= x.shape[i]
  if (indices.shape.length !== x.shape.length || !indices.shape.every(fits)) {
    throw new ShapeError(
      `${op}: expected indices with the axes of ${format(x.shape)}, none but axis ${along} longer, got ${format(indices.shape)}`,
    )
  }
  return { axis: along, each: true }
}

/** A list of indices. */
function checkList(op: string, x: AnyTensor, axis: number, indices: AnyTensor): Along {
  requireDType(op, indices, 'int32')
  const along = resolveAxis(op, axis, x.shape.length)
  if (indices.shape.length !== 1) {
    throw new ShapeError(`${op}: expected a list of indices, got shape ${format(indices.shape)}`)
  }
  return { axis: along, each: false }
}

export function gather<T extends AnyTensor>(x: T, axis: number, indices: Indices): T {
  return gatherOp(x, indices, checkEach('gather', x, axis, indices)) as T
}

/** The entries along an axis that a list names. */
export function indexSelect<T extends AnyTensor>(x: T, axis: number, indices: Indices): T {
  const attributes = checkList('indexSelect', x, axis, indices)
  return (attributes.axis === 0 ? selectRows(x, indices) : gatherOp(x, indices, attributes)) as T
}

/** The elements of x at positions in its row-major order, in the shape of the indices. */
export function take<T extends AnyTensor>(x: T, indices: Indices): T {
  requireDType('take', indices, 'int32')
  const flat = indexSelect(x.reshape([x.size]), 0, indices.reshape([indices.size]))
  return flat.reshape(indices.shape) as T
}

/** The part of a source that an index tensor names places for. */
function sourceFor(op: string, x: AnyTensor, indices: AnyTensor, source: AnyTensor | number) {
  if (!isTensor(source)) {
    requireValue(op, x, source)
    return filled(x, source, indices.shape)
  }
  requireDType(op, source, x.dtype)
  const fits = (extent: number, i: number) => extent <= source.shape[i]
  if (source.shape.length !== indices.shape.length || !indices.shape.every(fits)) {
    throw new ShapeError(
      `${op}: expected a source that is nowhere smaller than its indices ${format(indices.shape)}, got ${format(source.shape)}`,
    )
  }
  if (sameShape(source.shape, indices.shape)) return source
  return readView(source, { view: { ...wholeOf(source.shape), shape: indices.shape } })
}

export function scatter<T extends AnyTensor>(
  x: T,
  axis: number,
  indices: Indices,
  source: T | number,
): T {
  const attributes = checkEach('scatter', x, axis, indices)
  return scatterOp(x, indices, sourceFor('scatter', x, indices, source), attributes) as T
}

export function scatterAdd<T extends AnyTensor>(
  x: T,
  axis: number,
  indices: Indices,
  source: T,
): T {
  requireNumeric('scatterAdd', x)
  const attributes = checkEach('scatterAdd', x, axis, indices)
  const part = sourceFor('scatterAdd', x, indices, source)
  return scatterAddOp(x, indices, part, attributes) as T
}

/** Refuses a source that is not in the shape of the entries that a list names. */
function checkSource(
  op: string,
  x: AnyTensor,
  indices: AnyTensor,
  source: AnyTensor,
  attributes: Along,
): void {
  requireDType(op, source, x.dtype)
  const expected = takenShape(x.shape, indices, attributes)
  if (!sameShape(source.shape, expected)) {
    throw new ShapeError(
      `${op}: expected a source of shape ${format(expected)}, got ${format(source.shape)}`,
    )
  }
}

export function indexAdd<T extends AnyTensor>(x: T, axis: number, indices: Indices, source: T): T {
  requireNumeric('indexAdd', x)
  const attributes = checkList('indexAdd', x, axis, indices)
  checkSource('indexAdd', x, indices, source, attributes)
  return scatterAddOp(x, indices, source, attributes) as T
}

export function indexCopy<T extends AnyTensor>(x: T, axis: number, indices: Indices, source: T): T {
  const attributes = checkList('indexCopy', x, axis, indices)
  checkSource('indexCopy', x, indices, source, attributes)
  return scatterOp(x, indices, source, attributes) as T
}

export function indexFill<T extends AnyTensor>(
  x: T,
  axis: number,
  indices: Indices,
  value: number,
): T {
  requireValue('indexFill', x, value)
  const attributes = checkList('indexFill', x, axis, indices)
  return scatterOp(
    x,
    indices,
    filled(x, value, takenShape(x.shape, indices, attributes)),
    attributes,
  ) as T
}
