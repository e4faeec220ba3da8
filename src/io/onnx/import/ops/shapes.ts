/** The same elements in other shapes and places, and constants. */
import { DataError } from '../../../../base/errors.js'
import { concat } from '../../../../ops/layout.js'
import { format, type Shape, sizeOf } from '../../../../tensor/shape.js'
import type { AnyTensor } from '../../../../tensor/tensor.js'
import type { Call, Operators } from '../call.js'
import { type Constant, encodeTexts, toValue } from '../constant.js'
import type { Node } from '../node.js'
import { checkConstant, compute, type Kind, Value } from '../value.js'

/** 0 keeps an extent, unless `allowzero`; -1 stands for what is left. */
function reshape(call: Call): Value {
  const x = call.input(0)
  const wanted = call.listed('shape', 1) ?? []
  const keeps = !call.node.flag('allowzero')
  const shape = wanted.map((extent, axis) =>
    extent === 0 && keeps ? (x.shape[axis] ?? 0) : extent,
  )
  return x.map((a) => a.reshape(shape))
}

/** A matrix: the axes before one, and those from there on. */
function flatten(call: Call): Value {
  const x = call.input(0)
  const given = call.node.number('axis', 1)
  const axis = given < 0 ? given + x.rank : given
  return x.map((a) => a.reshape([sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]))
}

function transpose(call: Call): Value {
  const x = call.input(0)
  const reversed = x.shape.map((_, axis) => x.rank - 1 - axis)
  const order = call.node.numbers('perm', reversed)
  return x.map((a) => a.transpose(order))
}

function squeeze(call: Call): Value {
  const axes = call.listed('axes', 1)
  return call.input(0).map((x) => x.squeeze(axes))
}

function unsqueeze(call: Call): Value {
  const axes = call.listed('axes', 1) ?? []
  const x = call.input(0)
  const rank = x.rank + axes.length
  const places = axes.map((axis) => call.axis(axis, rank)).sort((a, b) => a - b)
  const shape = places.reduce((shape: Shape, axis) => shape.toSpliced(axis, 0, 1), x.shape)
  return x.map((a) => a.reshape(shape))
}

function join(call: Call): Value {
  const { all } = call
  const [first] = all
  if (all.some(({ vocabulary }) => vocabulary !== first.vocabulary)) {
    throw new DataError('expected numbers to join, got text')
  }
  const axis = call.axis(call.node.number('axis', 1))
  if (all.length === 1) return first
  checkConstant([all.reduce((size, value) => size + value.size, 0)], all)
  return first.with(compute(all, (...tensors) => concat(tensors, axis)))
}

function split(call: Call): readonly Value[] {
  const x = call.input(0)
  const axis = call.axis(call.node.number('axis', 0))
  const count = call.node.outputs.length
  const even = Math.ceil(x.shape[axis] / call.node.number('num_outputs', count))
  const sizes = call.listed('split', 1) ?? even
  return compute([x], (a) => a.split(sizes, axis)).map((part) => x.with(part))
}

/** Begin and end of an axis; what stands for no end is one beyond it. */
const within = (place: number, extent: number) => Math.min(Math.max(place, -extent - 1), extent)

function slice(call: Call): Value {
  const x = call.input(0)
  const starts = call.listed('starts', 1) ?? []
  const ends = call.listed('ends', 2) ?? []
  const axes = call.listed('axes', 3) ?? starts.map((_, i) => i)
  const steps = call.listed('steps', 4) ?? starts.map(() => 1)
  const ranges: ([number, number, number] | undefined)[] = x.shape.map(() => undefined)
  for (const [i, given] of axes.entries()) {
    const axis = call.axis(given)
    const extent = x.shape[axis]
    ranges[axis] = [within(starts[i], extent), within(ends[i], extent), steps[i]]
  }
  return x.map((a) => a.slice(...ranges))
}

/** To the larger of both shapes, axis by axis. */
function expand(call: Call): Value {
  const x = call.input(0)
  const wanted = call.input(1).numbers('shape')
  const rank = Math.max(x.rank, wanted.length)
  const shape = Array.from({ length: rank }, (_, axis) => {
    const own = x.shape[axis - rank + x.rank] ?? 1
    const other = wanted[axis - rank + wanted.length] ?? 1
    return own === 1 ? other : own
  })
  return grown(x, shape, (a) => a.broadcastTo(shape))
}

/** More elements than there were, which a constant may not have too many of. */
function grown(x: Value, shape: Shape, fn: (a: AnyTensor) => AnyTensor): Value {
  checkConstant(shape, [x])
  return x.map(fn)
}

function tile(call: Call): Value {
  const x = call.input(0)
  const counts = call.input(1).numbers('repeats')
  return grown(
    x,
    x.shape.map((extent, axis) => extent * (counts[axis] ?? 1)),
    (a) => a.tile(counts),
  )
}

const MODES = { constant: 'constant', reflect: 'reflect', edge: 'replicate' } as const

const refusePad = (node: Node): string | undefined =>
  node.text('mode', 'constant') in MODES ? undefined : `mode ${node.text('mode')}`

/** Pads below 0 take elements away. */
function pad(call: Call): Value {
  const x = call.input(0)
  const pads = call.listed('pads', 1) ?? []
  const axes = call.maybe(3)?.numbers('axes') ?? x.shape.map((_, axis) => axis)
  if (pads.length !== 2 * axes.length) {
    throw new DataError(`expected pads before and after ${axes.length} axes, got ${format(pads)}`)
  }
  const value = call.limit('value', 2, 0)
  const mode = MODES[call.node.text('mode', 'constant') as keyof typeof MODES]
  const pairs = x.shape.map((): [number, number] => [0, 0])
  for (const [i, axis] of axes.entries()) pairs[call.axis(axis)] = [pads[i], pads[i + axes.length]]
  const cuts = pairs.map(([before, after], axis): [number, number] => [
    Math.max(0, -before),
    x.shape[axis] - Math.max(0, -after),
  ])
  const borders = pairs.map((pair) => pair.map((n) => Math.max(0, n)) as [number, number])
  const isCut = pairs.flat().some((n) => n < 0)
  const shape = x.shape.map((extent, axis) => extent + borders[axis][0] + borders[axis][1])
  return grown(x, shape, (a) =>
    (isCut ? a.slice(...cuts) : a).pad(borders, mode === 'constant' ? { mode, value } : { mode }),
  )
}

function shapeOf(call: Call): Value {
  const { shape } = call.input(0)
  const part = shape.slice(call.node.number('start', 0), call.node.number('end', shape.length))
  return Value.of('int', part, [part.length])
}

/** A list of values or one of them. */
const given = (kind: Kind, values: number | readonly number[]): Constant =>
  typeof values === 'number'
    ? { kind, shape: [], values: [values] }
    : { kind, shape: [values.length], values }

/** The value of a node that is one. */
export function constantOf(node: Node): Constant {
  if (node.has('value')) return node.constant('value')
  if (node.has('value_float')) return given('float', node.number('value_float'))
  if (node.has('value_floats')) return given('float', node.numbers('value_floats'))
  if (node.has('value_int')) return given('int', node.number('value_int'))
  if (node.has('value_ints')) return given('int', node.numbers('value_ints'))
  const texts = node.has('value_string') ? [node.text('value_string')] : node.texts('value_strings')
  return {
    kind: 'text',
    shape: node.has('value_string') ? [] : [texts.length],
    ...encodeTexts(texts),
  }
}

function constantOfShape(call: Call): Value {
  const shape = call.input(0).numbers('shape')
  checkConstant(shape)
  const { node } = call
  const value = node.has('value') ? toValue(node.constant('value')) : Value.of('float', [0], [1])
  return value.map((a) => a.reshape([]).broadcastTo(shape))
}

function range(call: Call): Value {
  const [start, limit, step] = ['start', 'limit', 'delta'].map((name, i) =>
    call.input(i).number(name),
  )
  const count = Math.max(0, Math.ceil((limit - start) / step))
  checkConstant([count])
  return Value.of(
    call.input(0).kind,
    Array.from({ length: count }, (_, i) => start + i * step),
    [count],
  )
}

/** Blocks of channels as blocks of pixels; DCR and CRD tell which of the axes comes first. */
function depthToSpace(call: Call): Value {
  const x = call.input(0)
  const size = call.node.number('blocksize')
  const [batch, channels, height, width] = x.shape
  const depth = channels / size ** 2
  const isDepthFirst = call.node.text('mode', 'DCR') === 'DCR'
  const blocks = isDepthFirst ? [size, size, depth] : [depth, size, size]
  const order = isDepthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]
  return x.map((a) =>
    a
      .reshape([batch, ...blocks, height, width])
      .transpose(order)
      .reshape([batch, depth, height * size, width * size]),
  )
}

function spaceToDepth(call: Call): Value {
  const x = call.input(0)
  const size = call.node.number('blocksize')
  const [batch, channels, height, width] = x.shape
  return x.map((a) =>
    a
      .reshape([batch, channels, height / size, size, width / size, size])
      .transpose([0, 3, 5, 1, 2, 4])
      .reshape([batch, channels * size ** 2, height / size, width / size]),
  )
}

/** Of matrices what lies above a diagonal, or below. */
function triangle(call: Call): Value {
  const offset = call.maybe(1)?.number('k') ?? 0
  const isUpper = call.node.flag('upper', true)
  return call.input(0).map((x) => (isUpper ? x.triu(offset) : x.tril(offset)))
}

const CONSTANT = ['float', 'floats', 'int', 'ints', 'string', 'strings'].map((of) => `value_${of}`)

const refuseValue = (node: Node): string | undefined =>
  node.has('sparse_value') ? 'sparse_value' : undefined

export const shapes: Operators = {
  Concat: { attributes: ['axis'], run: join },
  Constant: {
    attributes: ['value', ...CONSTANT],
    refuse: refuseValue,
    run: (call) => toValue(constantOf(call.node)),
  },
  ConstantOfShape: { attributes: ['value'], run: constantOfShape },
  DepthToSpace: { attributes: ['blocksize', 'mode'], run: depthToSpace },
  Expand: { run: expand },
  Flatten: { attributes: ['axis'], passes: true, run: flatten },
  Pad: { attributes: ['mode', 'pads', 'value'], refuse: refusePad, run: pad },
  Range: { run: range },
  Reshape: { attributes: ['allowzero', 'shape'], passes: true, run: reshape },
  Shape: { attributes: ['start', 'end'], run: shapeOf },
  Size: { run: (call) => Value.of('int', [call.input(0).size], []) },
  Slice: { attributes: ['starts', 'ends', 'axes', 'steps'], run: slice },
  SpaceToDepth: { attributes: ['blocksize'], run: spaceToDepth },
  Split: { outputs: Infinity, attributes: ['axis', 'split', 'num_outputs'], run: split },
  Squeeze: { attributes: ['axes'], passes: true, run: squeeze },
  Tile: { run: tile },
  Transpose: { attributes: ['perm'], passes: true, run: transpose },
  Trilu: { attributes: ['upper'], run: triangle },
  Unsqueeze: { attributes: ['axes'], passes: true, run: unsqueeze },
}
