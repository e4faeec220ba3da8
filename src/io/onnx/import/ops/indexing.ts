/** Elements that indices name, and indices of elements. */
import { DataError } from '../../../../base/errors.js'
import { where } from '../../../../ops/elementwise.js'
import { format, type Shape } from '../../../../tensor/shape.js'
import type { AnyTensor, Tensor } from '../../../../tensor/tensor.js'
import type { Call, Operators } from '../call.js'
import type { Node } from '../node.js'
import { checkConstant, compute, Value } from '../value.js'

/** Indices as they are looked up by; those below 0 count from the end. */
function placesOf(indices: AnyTensor, extent: number): Tensor<'int32'> {
  const places: AnyTensor = indices.cast('int32')
  return places.add(places.less(0).cast('int32').mul(extent))
}

function gather(call: Call): Value {
  const [x, indices] = [call.input(0), call.input(1)]
  const axis = call.axis(call.node.number('axis', 0))
  const shape: Shape = x.shape.toSpliced(axis, 1, ...indices.shape)
  checkConstant(shape, [x, indices])
  return x.with(
    compute([x, indices], (a, i) =>
      a.indexSelect(axis, placesOf(i, x.shape[axis]).reshape([i.size])).reshape(shape),
    ),
  )
}

function gatherElements(call: Call): Value {
  const [x, indices] = [call.input(0), call.input(1)]
  const axis = call.axis(call.node.number('axis', 0))
  return x.with(compute([x, indices], (a, i) => a.gather(axis, placesOf(i, x.shape[axis]))))
}

/** Parts of x, each named by the last axis of the indices, which counts along as many axes. */
function gatherNd(call: Call): Value {
  const [x, indices] = [call.input(0), call.input(1)]
  const depth = indices.shape.at(-1) ?? 0
  if (depth < 1 || depth > x.rank) {
    throw new DataError(
      `expected indices of 1 to ${x.rank} axes, got shape ${format(indices.shape)}`,
    )
  }
  const [outer, inner] = [x.shape.slice(0, depth), x.shape.slice(depth)]
  checkConstant([indices.size, ...inner], [x, indices])
  return x.with(
    compute([x, indices], (a, i) => {
      const columns = i.reshape([-1, depth]).split(1, 1)
      const rows = columns
        .map((column: AnyTensor, axis: number) => placesOf(column, outer[axis]))
        .reduce((sum: AnyTensor, place: AnyTensor, axis: number) => sum.mul(outer[axis]).add(place))
      const flat = a.reshape([outer.reduce((size, extent) => size * extent, 1), ...inner])
      return flat.indexSelect(0, rows.flatten()).reshape([...indices.shape.slice(0, -1), ...inner])
    }),
  )
}

function scatterElements(call: Call): Value {
  const [x, indices, updates] = [0, 1, 2].map((i) => call.input(i))
  const axis = call.axis(call.node.number('axis', 0))
  const isSum = call.node.text('reduction', 'none') === 'add'
  return x.with(
    compute([x, indices, updates], (a, i, b) => {
      const places = placesOf(i, x.shape[axis])
      return isSum ? a.scatterAdd(axis, places, b) : a.scatter(axis, places, b)
    }),
  )
}

const refuseReduction = (node: Node): string | undefined => {
  const reduction = node.text('reduction', 'none')
  return reduction === 'none' || reduction === 'add' ? undefined : `reduction ${reduction}`
}

/** Where the largest element is, or the smallest: of equal ones the first, or the last. */
const extreme = (name: 'argmax' | 'argmin') => ({
  attributes: ['axis', 'keepdims', 'select_last_index'],
  run: (call: Call): Value => {
    const { node } = call
    const x = call.input(0)
    const axis = call.axis(node.number('axis', 0))
    const isLast = node.flag('select_last_index')
    const y = compute([x], (a) => {
      const found: AnyTensor = (isLast ? a.flip(axis) : a)[name](axis)
      const place = isLast ? found.neg().add(x.shape[axis] - 1) : found
      return node.flag('keepdims', true) ? place.unsqueeze(axis) : place
    })
    return new Value('int', y)
  },
})

function topK(call: Call): readonly Value[] {
  const { node } = call
  const x = call.input(0)
  const k = call.limit('k', 1, 1)
  const axis = call.axis(node.number('axis', -1))
  const { values, indices } = compute([x], (a) => a.topK(k, axis, node.flag('largest', true)))
  return [x.with(values), new Value('int', indices)]
}

/** One of two values for each class: what is no class has the first everywhere. */
function oneHot(call: Call): Value {
  const [indices, values] = [call.input(0), call.input(2)]
  const depth = call.input(1).number('depth')
  const axis = call.axis(call.node.number('axis', -1), indices.rank + 1)
  checkConstant([depth])
  checkConstant([...indices.shape, depth], [indices, values])
  const classes = Value.of(
    'int',
    Array.from({ length: depth }, (_, i) => i),
    [depth, ...Array(indices.rank - axis).fill(1)],
  )
  const y = compute([indices, classes, values], (i, classes, pair) => {
    const places = placesOf(i, depth).unsqueeze(axis)
    const [off, on] = pair.split(1).map((value: AnyTensor) => value.reshape([]))
    return where(places.equal(classes.cast('int32')), on, off)
  })
  return values.with(y)
}

/** Sums so far, from the front or the back, with each element or only those before it. */
function cumsum(call: Call): Value {
  const x = call.input(0)
  const axis = call.axis(call.input(1).number('axis'))
  const isReverse = call.node.flag('reverse')
  const isExclusive = call.node.flag('exclusive')
  return x.map((a) => {
    const turned = isReverse ? a.flip(axis) : a
    const sums = (isExclusive ? shifted(turned, axis) : turned).cumsum(axis)
    return isReverse ? sums.flip(axis) : sums
  })
}

/** One place further along an axis, with 0 in the first place. */
function shifted(x: AnyTensor, axis: number): AnyTensor {
  const pairs = x.shape.map((_, i) => [i === axis ? 1 : 0, 0] as const)
  const whole: undefined[] = Array(axis).fill(undefined)
  return x.pad(pairs).slice(...whole, [0, x.shape[axis]])
}

/** Only outside captured functions, whose shapes do not depend on values. */
function nonzero(call: Call): Value {
  return new Value(
    'int',
    compute([call.input(0)], (x) => x.nonzero().transpose()),
  )
}

export const indexing: Operators = {
  ArgMax: extreme('argmax'),
  ArgMin: extreme('argmin'),
  CumSum: { attributes: ['exclusive', 'reverse'], run: cumsum },
  Gather: { attributes: ['axis'], weights: [0], run: gather },
  GatherElements: { attributes: ['axis'], run: gatherElements },
  GatherND: {
    attributes: ['batch_dims'],
    refuse: (node) => (node.flag('batch_dims') ? 'batch_dims' : undefined),
    run: gatherNd,
  },
  NonZero: { run: nonzero },
  OneHot: { attributes: ['axis'], run: oneHot },
  ScatterElements: {
    attributes: ['axis', 'reduction'],
    refuse: refuseReduction,
    run: scatterElements,
  },
  TopK: { outputs: 2, attributes: ['axis', 'k', 'largest', 'sorted'], run: topK },
}
