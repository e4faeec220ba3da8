/** Images made larger or smaller. */
import { DataError } from '../../../../base/errors.js'
import { tensor } from '../../../../tensor/create.js'
import { format } from '../../../../tensor/shape.js'
import type { AnyTensor } from '../../../../tensor/tensor.js'
import type { Call, Operators } from '../call.js'
import type { Node } from '../node.js'
import { checkConstant, Value } from '../value.js'

/** One axis: how long it was, how long it becomes, and by what it is scaled. */
interface Axis {
  readonly extent: number
  readonly result: number
  readonly scale: number
}

/** Places in the image for those of the result, by the names that ONNX has for them. */
const PLACES: Readonly<Record<string, (i: number, axis: Axis) => number>> = {
  half_pixel: (i, { scale }) => (i + 0.5) / scale - 0.5,
  half_pixel_symmetric: (i, { extent, result, scale }) => {
    const adjusted = result / (scale * extent)
    return (extent / 2) * (1 - adjusted) + (i + 0.5) / scale - 0.5
  },
  pytorch_half_pixel: (i, { result, scale }) => (result > 1 ? (i + 0.5) / scale - 0.5 : 0),
  align_corners: (i, { extent, result }) => (result > 1 ? (i * (extent - 1)) / (result - 1) : 0),
  asymmetric: (i, { scale }) => i / scale,
}

/** The pixel nearest to a place. */
const NEAREST: Readonly<Record<string, (place: number, scale: number) => number>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
  // Of versions before 11.
  simple: (place, scale) => (scale < 1 ? Math.ceil(place) : Math.floor(place)),
}

/** Settings, or what they were before there were any. */
function waysOf(node: Node): { mode: string; place: string; nearest: string } {
  const isNew = node.op === 'Resize' && node.opset >= 11
  return {
    mode: node.text('mode', 'nearest'),
    place: node.text('coordinate_transformation_mode', isNew ? 'half_pixel' : 'asymmetric'),
    nearest: node.text('nearest_mode', isNew ? 'round_prefer_floor' : 'simple'),
  }
}

function refuse(node: Node): string | undefined {
  const { mode, place, nearest } = waysOf(node)
  if (mode !== 'nearest' && mode !== 'linear') return `mode ${mode}`
  if (!(place in PLACES)) return `coordinate_transformation_mode ${place}`
  if (!(nearest in NEAREST)) return `nearest_mode ${nearest}`
  if (node.flag('antialias')) return 'antialias'
  const policy = node.text('keep_aspect_ratio_policy', 'stretch')
  return policy === 'stretch' ? undefined : `keep_aspect_ratio_policy ${policy}`
}

/** The axes of the result, by scales or by sizes. */
function axesOf(call: Call, x: Value): Axis[] {
  const { node } = call
  const isNew = node.op === 'Resize' && node.opset >= 11
  const scales = call.listed('scales', isNew ? 2 : 1) ?? []
  const sizes = call.maybe(3)?.numbers('sizes') ?? []
  const given = scales.length > 0 ? scales : sizes
  const axes = node.numbers('axes', [...x.shape.keys()])
  if (given.length !== axes.length) {
    throw new DataError(`expected scales or sizes of ${axes.length} axes, got ${format(given)}`)
  }
  const result = x.shape.map((extent): Axis => ({ extent, result: extent, scale: 1 }))
  for (const [i, given] of axes.entries()) {
    const axis = call.axis(given)
    const extent = x.shape[axis]
    result[axis] =
      scales.length > 0
        ? { extent, result: Math.floor(extent * scales[i]), scale: scales[i] }
        : { extent, result: sizes[i], scale: sizes[i] / extent }
  }
  return result
}

function resize(call: Call): Value {
  const x = call.input(0)
  const { mode, place, nearest } = waysOf(call.node)
  const axes = axesOf(call, x)
  const order = x.axes ?? [...x.shape.keys()]
  let y = x.isHost ? x.device : x.physical
  for (const [i, axis] of axes.entries()) {
    if (axis.result === axis.extent && axis.scale === 1) continue
    checkConstant([axis.result])
    const places = Array.from({ length: axis.result }, (_, i) => PLACES[place](i, axis))
    const along = order.indexOf(i)
    y =
      mode === 'linear'
        ? between(y, along, places, axis.extent)
        : chosen(
            y,
            along,
            places.map((at) => NEAREST[nearest](at, axis.scale)),
            axis.extent,
          )
  }
  return new Value(x.kind, y, x.axes)
}

/** Pixels beyond the image are those at its edge. */
const clamped = (place: number, extent: number) => Math.min(Math.max(place, 0), extent - 1)

function chosen(x: AnyTensor, axis: number, places: readonly number[], extent: number): AnyTensor {
  const indices = Int32Array.from(places, (place) => clamped(place, extent))
  return x.indexSelect(axis, tensor(indices))
}

/** Between the two pixels beside each place. */
function between(x: AnyTensor, axis: number, places: readonly number[], extent: number): AnyTensor {
  const at = places.map((place) => clamped(place, extent))
  const [low, high] = [0, 1].map((step) =>
    chosen(
      x,
      axis,
      at.map((place) => Math.floor(place) + step),
      extent,
    ),
  )
  const share = tensor(
    at.map((place) => place - Math.floor(place)),
    [places.length, ...Array(x.shape.length - 1 - axis).fill(1)],
  )
  return low.add(high.sub(low).mul(share))
}

const ATTRIBUTES = [
  'antialias',
  'axes',
  'coordinate_transformation_mode',
  'cubic_coeff_a',
  'exclude_outside',
  'extrapolation_value',
  'keep_aspect_ratio_policy',
  'mode',
  'nearest_mode',
]

export const resizing: Operators = {
  Resize: { attributes: ATTRIBUTES, refuse, run: resize },
  Upsample: { attributes: ['mode', 'scales'], refuse, run: resize },
}
