/** Ops that rearrange, repeat and surround elements without computing with them. */
import { checkNumber, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { aroundAxis, format, resolveAxes, resolveAxis, sizeOf } from '../tensor/shape.js'
import { type AnyTensor, type Tensor, writeElements } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { indexSelect } from './gather.js'
import { expandTo } from './layout.js'
import { requireValue } from './require.js'
import { along, copyView, readView, type View, wholeOf, writeView } from './views.js'

/** Refuses what is no list of whole numbers, at least the one given. */
function checkIntegers(op: string, what: string, list: readonly number[], least: number): void {
  if (Array.isArray(list) && list.every((n) => Number.isInteger(n) && n >= least)) return
  throw new ArgumentError(`${op}: expected ${what}, got ${excerpt(list)}`)
}

/** Parts of an axis, one after another, of these lengths. */
export function split<T extends AnyTensor>(
  x: T,
  sizes: number | readonly number[],
  axis: number,
): T[] {
  const position = resolveAxis('split', axis, x.shape.length)
  const extent = x.shape[position]
  const lengths = typeof sizes === 'number' ? equalParts(extent, sizes) : sizes
  checkIntegers('split', 'a length, or a list of lengths', lengths, 0)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  if (total !== extent) {
    throw new ShapeError(
      `split: expected lengths with the sum ${extent} of axis ${position}, got ${excerpt(lengths)} (${total})`,
    )
  }
  let start = 0
  return lengths.map((length) => {
    const view = along(wholeOf(x.shape), position, start, length)
    start += length
    return readView(x, { view }) as T
  })
}

/** Lengths of parts that are all of one size, but for a shorter last one. */
function equalParts(extent: number, size: number): number[] {
  if (!Number.isInteger(size) || size < 1) {
    throw new ArgumentError(`split: expected a length >= 1, got ${excerpt(size)}`)
  }
  const count = Math.max(Math.ceil(extent / size), 1)
  return Array.from({ length: count }, (_, i) => Math.min(size, extent - i * size))
}

/** At most so many parts of an axis, all of one size but for a shorter last one. */
export function chunk<T extends AnyTensor>(x: T, count: number, axis: number): T[] {
  if (!Number.isInteger(count) || count < 1) {
    throw new ArgumentError(`chunk: expected a count >= 1, got ${excerpt(count)}`)
  }
  const position = resolveAxis('chunk', axis, x.shape.length)
  return split(x, Math.max(Math.ceil(x.shape[position] / count), 1), position)
}

/** f of x and each item in turn, and a copy of x where none made another tensor of it. */
function copyOnce<T extends AnyTensor, Item>(
  x: T,
  items: Iterable<Item>,
  f: (x: T, item: Item) => T,
): T {
  let y = x
  for (const item of items) y = f(y, item)
  return y === x ? (readView(x, { view: wholeOf(x.shape) }) as T) : y
}

/** Each run of elements along an axis several times: whole axes, or single elements. */
function repeatAxis<T extends AnyTensor>(x: T, axis: number, count: number, each: boolean): T {
  const [outer, length, inner] = aroundAxis(x.shape, axis)
  const [rows, cols] = each ? [outer * length, inner] : [outer, length * inner]
  const repeated = expandTo(x.reshape([rows, 1, cols]), [rows, count, cols])
  return repeated.reshape(x.shape.with(axis, length * count)) as T
}

/** Copies of x beside each other along every axis; missing counts, or missing axes, are 1. */
export function tile<T extends AnyTensor>(op: string, x: T, counts: readonly number[]): T {
  checkIntegers(op, 'a count >= 0 for each axis, such as [2, 1]', counts, 0)
  const rank = Math.max(counts.length, x.shape.length)
  const times = [...new Array(rank - counts.length).fill(1), ...counts]
  const start = x.reshape([...new Array(rank - x.shape.length).fill(1), ...x.shape]) as T
  return copyOnce(start, times.entries(), (y, [axis, count]) =>
    count === 1 ? y : repeatAxis(y, axis, count, false),
  )
}

/** PyTorch's `repeat`, which wants a count for each axis at least. */
export function repeat<T extends AnyTensor>(x: T, counts: readonly number[]): T {
  if (Array.isArray(counts) && counts.length < x.shape.length) {
    throw new ShapeError(
      `repeat: expected a count for each of the ${x.shape.length} axes, got ${excerpt(counts)}; tile takes less`,
    )
  }
  return tile('repeat', x, counts)
}

/** Every element several times in a row; along all of x, flattened, without an axis. */
export function repeatInterleave<T extends AnyTensor>(x: T, count: number, axis?: number): T {
  checkNumber('repeatInterleave', 'a count', count, (n) => Number.isInteger(n) && n >= 0, '>= 0')
  if (axis === undefined) return repeatAxis(x.reshape([x.size]) as T, 0, count, true)
  return repeatAxis(x, resolveAxis('repeatInterleave', axis, x.shape.length), count, true)
}

/** Some axes, or all of them, in reverse order. */
export function flip<T extends AnyTensor>(x: T, axes?: number | readonly number[]): T {
  const view = resolveAxes('flip', axes, x.shape.length).reduce(
    (view, axis) => along(view, axis, Math.max(x.shape[axis] - 1, 0), x.shape[axis], -1),
    wholeOf(x.shape),
  )
  return readView(x, { view }) as T
}

const rollAxis = defineOp<readonly [AnyTensor], { axis: number; shift: number }, AnyTensor>(
  'roll',
  {
    forward: ([x], { axis, shift }) => {
      const y = allocate(x, x.shape, x.dtype)
      const extent = x.shape[axis]
      const part = (start: number, length: number) => along(wholeOf(x.shape), axis, start, length)
      copyView(x, part(0, extent - shift), y, part(shift, extent - shift))
      copyView(x, part(extent - shift, shift), y, part(0, shift))
      return y
    },
    backward: (dy, _, { shapes: [shape], attributes: { axis, shift } }) => [
      (): Tensor => rollAxis(dy, { axis, shift: shift === 0 ? 0 : shape[axis] - shift }) as Tensor,
    ],
  },
)

/** Moved along axes, where what leaves at the end comes in at the front. */
export function roll<T extends AnyTensor>(
  x: T,
  shifts: number | readonly number[],
  axes?: number | readonly number[],
): T {
  const moves = typeof shifts === 'number' ? [shifts] : shifts
  checkIntegers('roll', 'whole numbers to move by', moves, -Infinity)
  if (axes === undefined) {
    if (moves.length !== 1) {
      throw new ArgumentError(`roll: expected one shift without axes, got ${excerpt(shifts)}`)
    }
    return roll(x.reshape([x.size]), moves, 0).reshape(x.shape) as T
  }
  const list = typeof axes === 'number' ? [axes] : axes
  checkIntegers('roll', 'an axis, or a list of axes', list, -Infinity)
  if (list.length !== moves.length) {
    throw new ArgumentError(
      `roll: expected a shift for each axis, got ${excerpt(shifts)} for ${excerpt(axes)}`,
    )
  }
  return copyOnce(x, list.entries(), (y, [i, given]) => {
    const axis = resolveAxis('roll', given, x.shape.length)
    const extent = x.shape[axis]
    const shift = extent === 0 ? 0 : ((moves[i] % extent) + extent) % extent
    return rollAxis(y, { axis, shift }) as T
  })
}

const triangleOp = defineOp<readonly [AnyTensor], { diagonal: number; upper: boolean }, AnyTensor>(
  'triangle',
  {
    forward: ([x], { diagonal, upper }) => {
      const y = allocate(x, x.shape, x.dtype)
      const [rows, cols] = x.shape.slice(-2)
      const outer = sizeOf(x.shape.slice(0, -2))
      const { backend } = x.storage
      backend.run('triangle', x.handle, y.handle, outer, rows, cols, diagonal, +upper)
      return y
    },
    backward: (dy, _, { attributes }) => [(): Tensor => triangleOp(dy, attributes) as Tensor],
  },
)

/** Of matrices, what lies below or above a diagonal, and on it; 0 elsewhere. */
export function triangle<T extends AnyTensor>(op: 'tril' | 'triu', x: T, diagonal: number): T {
  if (x.shape.length < 2) {
    throw new ShapeError(`${op}: expected at least 2 axes, got shape ${format(x.shape)}`)
  }
  checkNumber(op, 'diagonal', diagonal, Number.isSafeInteger, 'to be a whole number')
  return triangleOp(x, { diagonal, upper: op === 'triu' }) as T
}

/** The places of a diagonal of the last two axes: the rest of the axes, and along it. */
function diagonalOf(whole: View, diagonal: number): View {
  const { shape, strides, offset } = whole
  const rank = shape.length
  const [rows, cols] = shape.slice(-2)
  const [down, right] = strides.slice(-2)
  const [skippedRows, skippedCols] = diagonal < 0 ? [-diagonal, 0] : [0, diagonal]
  return {
    shape: [
      ...shape.slice(0, rank - 2),
      Math.max(Math.min(rows - skippedRows, cols - skippedCols), 0),
    ],
    strides: [...strides.slice(0, rank - 2), down + right],
    offset: offset + skippedRows * down + skippedCols * right,
  }
}

/** The elements of a diagonal of two axes, which become the last one of the result. */
export function diagonal<T extends AnyTensor>(
  x: T,
  offset: number,
  axis1: number,
  axis2: number,
): T {
  const { length: rank } = x.shape
  checkNumber('diagonal', 'offset', offset, Number.isSafeInteger, 'to be a whole number')
  const pair = [axis1, axis2].map((axis) => resolveAxis('diagonal', axis, rank))
  if (pair[0] === pair[1]) {
    throw new ShapeError(`diagonal: expected two different axes, got ${axis1} and ${axis2}`)
  }
  const order = [...[...x.shape.keys()].filter((axis) => !pair.includes(axis)), ...pair]
  const whole = wholeOf(x.shape)
  const turned: View = {
    ...whole,
    shape: order.map((axis) => x.shape[axis]),
    strides: order.map((axis) => whole.strides[axis]),
  }
  return readView(x, { view: diagonalOf(turned, offset) }) as T
}

/** A vector as the diagonal of a matrix, and the diagonal of a matrix as a vector. */
export function diag<T extends AnyTensor>(x: T, offset: number): T {
  if (x.shape.length === 2) return diagonal(x, offset, 0, 1)
  if (x.shape.length !== 1) {
    throw new ShapeError(`diag: expected a vector or a matrix, got shape ${format(x.shape)}`)
  }
  checkNumber('diag', 'offset', offset, Number.isSafeInteger, 'to be a whole number')
  const extent = x.size + Math.abs(offset)
  const shape = [extent, extent]
  return writeView(x, { shape, view: diagonalOf(wholeOf(shape), offset), value: 0 }) as T
}

/** @inline */
export type Pads = readonly (readonly [before: number, after: number])[]
/** @inline */
export interface PadOptions {
  mode?: 'constant' | 'reflect' | 'replicate'
  value?: number
}

/** More elements before and after each axis. */
export function pad<T extends AnyTensor>(x: T, pads: Pads, options: PadOptions): T {
  const { mode = 'constant', value } = optionsOf('pad', options, { mode: true, value: true })
  checkPads(x, pads)
  if (mode === 'constant') return padConstant(x, pads, value ?? 0)
  if (mode !== 'reflect' && mode !== 'replicate') {
    throw new ArgumentError(`pad: expected constant, reflect or replicate, got ${excerpt(mode)}`)
  }
  if (value !== undefined)
    throw new ArgumentError(`pad: ${mode} takes no value, got ${excerpt(value)}`)
  return copyOnce(x, pads.entries(), (y, [axis, pair]) => {
    if (pair[0] === 0 && pair[1] === 0) return y
    const places = placesAround(y.shape[axis], pair, mode)
    const indices = allocate(x, [places.length], 'int32')
    writeElements('pad', indices, places)
    return indexSelect(y, axis, indices)
  })
}

function checkPads(x: AnyTensor, pads: Pads): void {
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 0)
  if (!Array.isArray(pads) || pads.length !== x.shape.length || !pads.every(isPair)) {
    throw new ArgumentError(
      `pad: expected a pair [before, after] of numbers >= 0 for each of the ${x.shape.length} axes, got ${excerpt(pads)}`,
    )
  }
}

function padConstant<T extends AnyTensor>(x: T, pads: Pads, value: number): T {
  requireValue('pad', x, value)
  const shape = x.shape.map((extent, axis) => extent + pads[axis][0] + pads[axis][1])
  const view = pads.reduce(
    (view, [before], axis) => along(view, axis, before, x.shape[axis]),
    wholeOf(shape),
  )
  return writeView(x, { shape, view, value }) as T
}

/** For each place along a padded axis the element that lies there. */
function placesAround(
  extent: number,
  [before, after]: readonly [number, number],
  mode: 'reflect' | 'replicate',
): number[] {
  const most = mode === 'reflect' ? extent - 1 : extent === 0 ? 0 : Infinity
  if (before > most || after > most) {
    throw new ShapeError(
      `pad: expected at most ${Math.max(most, 0)} elements to ${mode} on either side of an axis of ${extent}, got [${before}, ${after}]`,
    )
  }
  return Array.from({ length: before + extent + after }, (_, i) => {
    const place = i - before
    if (mode === 'replicate') return Math.min(Math.max(place, 0), extent - 1)
    return extent - 1 - Math.abs(extent - 1 - Math.abs(place))
  })
}
