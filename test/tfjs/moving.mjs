// Calls of TensorFlow.js at random shapes: operations that move, index and sort.
import { hasNone } from './common.mjs'

const axesOf = (d, shape) => shape.map((_, axis) => axis).filter(() => d.chance(0.5))
const order = (d, shape) =>
  shape
    .map((_, axis) => [d.next(), axis])
    .sort(([a], [b]) => a - b)
    .map(([, axis]) => axis)

export const moving = {
  move(d) {
    const shape = d.shape(d.int(1, 5), 7)
    const make = d.pick([(of) => d.floats(of), (of) => d.large(of), (of) => d.bools(of)])
    const perm = order(d, shape)
    const begin = shape.map((extent) => d.int(0, Math.max(0, extent - 1)))
    const size = shape.map((extent, i) => d.int(0, extent - begin[i]))
    const reps = shape.map(() => d.int(1, 3))
    const strides = shape.map(() => d.pick([-2, -1, 1, 2]))
    const [from, to] = [
      shape.map((extent, i) => (strides[i] > 0 ? 0 : extent - 1)),
      shape.map((extent, i) => (strides[i] > 0 ? extent : -extent - 1)),
    ]
    const compute = d.pick([
      (tf, x) => tf.transpose(x, perm),
      (tf, x) => tf.slice(x, begin, size),
      (tf, x) => tf.tile(x, reps),
      (tf, x) => tf.reverse(x, axesOf(new d.constructor(shape.length), shape)),
      (tf, x) => tf.stridedSlice(x, from, to, strides),
      (tf, x) => tf.stack([x, x], shape.length),
      (tf, x) => tf.concat(tf.unstack(tf.expandDims(x, 1), 0), 0),
    ])
    return hasNone(shape)
      ? undefined
      : {
          name: `move ${compute} ${perm} ${begin} ${size} ${strides}`,
          inputs: [make(shape)],
          compute,
        }
  },
  concat(d) {
    const shape = d.shape(d.int(1, 4), 7)
    const axis = d.int(0, shape.length - 1)
    const make = d.pick([(of) => d.floats(of), (of) => d.large(of), (of) => d.bools(of)])
    const inputs = Array.from({ length: d.int(1, 4) }, () => make(shape.with(axis, d.int(0, 5))))
    return { name: `concat ${axis}`, inputs, compute: (tf, ...list) => tf.concat(list, axis) }
  },
  split(d) {
    const shape = d.shape(d.int(1, 4), 7)
    const axis = d.int(0, shape.length - 1)
    const first = d.int(0, shape[axis])
    const make = d.pick([(of) => d.floats(of), (of) => d.large(of), (of) => d.bools(of)])
    const compute = (tf, x) => {
      const parts = tf.split(x, [first, shape[axis] - first], axis)
      return tf.concat(parts.reverse(), axis)
    }
    return hasNone(shape) ? undefined : { name: `split ${axis}`, inputs: [make(shape)], compute }
  },
  constant(d) {
    const shape = d.shape(d.int(0, 4), 7)
    const x = d.pick([d.floats(shape), d.ints(shape), d.bools(shape)])
    const compute = d.pick([
      (tf) => tf.fill(shape, x.dtype === 'float32' ? 2.5 : 1, x.dtype),
      (tf, a) => tf.onesLike(a),
      (tf, a) => tf.zerosLike(a),
    ])
    return { name: `constant ${compute}`, inputs: [x], compute }
  },
  pad(d) {
    const shape = d.shape(d.int(1, 4), 8)
    const mode = d.pick(['constant', 'reflect', 'symmetric'])
    const most = (extent) =>
      mode === 'constant' ? 3 : mode === 'reflect' ? Math.min(3, extent - 1) : Math.min(3, extent)
    const paddings = shape.map((extent) => [
      d.int(0, Math.max(0, most(extent))),
      d.int(0, Math.max(0, most(extent))),
    ])
    const compute = (tf, x) =>
      mode === 'constant' ? tf.pad(x, paddings, 1.5) : tf.mirrorPad(x, paddings, mode)
    return hasNone(shape)
      ? undefined
      : { name: `pad ${mode} ${paddings}`, inputs: [d.floats(shape)], compute }
  },
  blocks(d) {
    const [height, width, block, channels] = [d.int(1, 4), d.int(1, 4), d.int(1, 3), d.int(1, 3)]
    const x = d.floats([2, height * block, width * block, channels * block * block])
    const compute = d.pick([
      (tf, a) =>
        tf.spaceToBatchND(
          a,
          [block, block],
          [
            [0, block],
            [block, 0],
          ],
        ),
      (tf, a) =>
        tf.batchToSpaceND(
          tf.spaceToBatchND(
            a,
            [block, block],
            [
              [0, 0],
              [0, 0],
            ],
          ),
          [block, block],
          [
            [0, 1],
            [0, 0],
          ],
        ),
      (tf, a) => (block > 1 ? tf.depthToSpace(a, block) : a.clone()),
    ])
    return height * block < 2
      ? undefined
      : { name: `blocks ${block} ${compute}`, inputs: [x], compute }
  },
  gather(d) {
    const shape = d.shape(d.int(1, 4), 9)
    const axis = d.int(0, shape.length - 1)
    const batchDims = d.chance(0.3) ? d.int(0, axis) : 0
    if (hasNone(shape)) return undefined
    const indices = d.ints([...shape.slice(0, batchDims), d.int(1, 9)], 0, shape[axis] - 1)
    const x = d.pick([d.floats(shape), d.large(shape)])
    return {
      name: `gather ${axis} ${batchDims}`,
      inputs: [x, indices],
      compute: (tf, a, i) => tf.gather(a, i, axis, batchDims),
    }
  },
  scatter(d) {
    const [rows, cols, count] = [d.int(1, 9), d.int(1, 7), d.int(1, 9)]
    const [indices, updates] = [d.ints([count, 1], 0, rows - 1), d.floats([count, cols])]
    const compute = d.pick([
      (tf, i, x) => tf.scatterND(i, x, [rows, cols]),
      (tf, i, x) => tf.unsortedSegmentSum(x, tf.reshape(i, [count]), rows),
      (tf, i, x) => tf.tensorScatterUpdate(tf.ones([rows, cols]), i, x),
      (tf, i, x) => tf.gatherND(tf.concat([x, tf.zeros([rows, cols])], 0), i),
      (tf, i) => tf.oneHot(tf.reshape(i, [count]), rows + 1, 2, -1),
    ])
    return { name: `scatter ${compute}`, inputs: [indices, updates], compute }
  },
  topk(d) {
    const shape = d.shape(d.int(1, 3), 30)
    const k = d.int(1, Math.max(1, shape.at(-1)))
    const [which, x] = [
      d.pick(['values', 'indices']),
      d.pick([d.floats(shape), d.ints(shape), d.large(shape)]),
    ]
    return hasNone(shape)
      ? undefined
      : { name: `topk ${k}`, inputs: [x], compute: (tf, a) => tf.topk(a, k)[which] }
  },
}
