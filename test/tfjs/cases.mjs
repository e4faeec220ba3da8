// Calls of TensorFlow.js's operations at random shapes: each draws its tensors and says what is computed of
// them. Left out is where cpu itself is wrong: see the comments.

const reductions = ['sum', 'mean', 'max', 'min', 'prod', 'logSumExp']
const comparisons = ['greater', 'greaterEqual', 'less', 'lessEqual', 'equal', 'notEqual']
const binary = [
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'minimum',
  'squaredDifference',
  'mod',
  'atan2',
]
const whole = ['add', 'sub', 'mul', 'maximum', 'minimum', 'squaredDifference', 'floorDiv', 'mod']
const unary = [
  ...[
    'relu',
    'relu6',
    'elu',
    'selu',
    'sigmoid',
    'tanh',
    'softplus',
    'leakyRelu',
    'step',
    'sign',
    'abs',
    'neg',
  ],
  ...[
    'exp',
    'expm1',
    'square',
    'floor',
    'ceil',
    'round',
    'sin',
    'cos',
    'tan',
    'atan',
    'sinh',
    'cosh',
    'asinh',
  ],
  ...['erf', 'isNaN', 'isInf', 'isFinite'],
]
/** Of positive numbers only. */
const ofPositive = ['log', 'log1p', 'sqrt', 'rsqrt', 'reciprocal']
const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu']

const axesOf = (d, shape) => shape.map((_, axis) => axis).filter(() => d.chance(0.5))
const order = (d, shape) =>
  shape
    .map((_, axis) => [d.next(), axis])
    .sort(([a], [b]) => a - b)
    .map(([, axis]) => axis)
const hasNone = (shape) => shape.includes(0)

/** Sums of squares, so that every element of dy is another. */
const gradientOf = (tf, f, inputs, which) =>
  tf.grads((...x) => tf.sum(tf.square(f(...x))))(inputs)[which]

export const cases = {
  binary(d) {
    const shape = d.shape(d.int(0, 5), d.pick([3, 9, 30]))
    const name = d.pick(binary)
    const specials = !['div', 'mod', 'atan2', 'squaredDifference'].includes(name) && d.chance(0.3)
    const operand = () =>
      d.floats(d.chance(0.5) ? shape : d.thinned(shape), { positive: !specials, specials })
    return { name, inputs: [operand(), operand()], compute: (tf, a, b) => tf[name](a, b) }
  },
  whole(d) {
    const shape = d.shape(d.int(0, 5), d.pick([3, 9, 30]))
    const name = d.pick(whole)
    const large = name !== 'mul' && name !== 'squaredDifference' && d.chance(0.5)
    const operand = () => {
      const of = d.chance(0.5) ? shape : d.thinned(shape)
      return large ? d.large(of) : d.ints(of, 1, 2000)
    }
    return {
      name: `${name} of int32`,
      inputs: [operand(), operand()],
      compute: (tf, a, b) => tf[name](a, b),
    }
  },
  comparison(d) {
    const shape = d.shape(d.int(0, 5), d.pick([3, 9, 30]))
    const name = d.pick(comparisons)
    const make = d.pick([
      (of) => d.floats(of, { specials: true }),
      (of) => d.ints(of, 0, 2),
      (of) => d.large(of),
      (of) => d.bools(of),
    ])
    const inputs = [make(d.chance(0.5) ? shape : d.thinned(shape)), make(shape)]
    return { name, inputs, compute: (tf, a, b) => tf[name](a, b) }
  },
  logic(d) {
    const shape = d.shape(d.int(0, 4), 9)
    const name = d.pick(['logicalAnd', 'logicalOr', 'logicalXor'])
    return {
      name,
      inputs: [d.bools(shape), d.bools(d.thinned(shape))],
      compute: (tf, a, b) => tf[name](tf.logicalNot(a), b),
    }
  },
  unary(d) {
    const name = d.pick([...unary, ...ofPositive])
    const x = d.floats(d.shape(d.int(0, 4), 30), {
      positive: ofPositive.includes(name),
      specials: d.chance(0.3) && !['sin', 'cos', 'tan'].includes(name),
    })
    return { name, inputs: [x], compute: (tf, a) => tf[name](a) }
  },
  inverse(d) {
    const name = d.pick(['asin', 'acos', 'atanh', 'acosh'])
    return {
      name,
      inputs: [d.floats(d.shape(d.int(0, 3), 30))],
      compute: (tf, a) => tf[name](name === 'acosh' ? tf.add(tf.abs(a), 1) : tf.div(a, 2.1)),
    }
  },
  signed(d) {
    const name = d.pick(['neg', 'abs', 'sign', 'square', 'relu'])
    return {
      name: `${name} of int32`,
      inputs: [d.ints(d.shape(d.int(0, 3), 20))],
      compute: (tf, a) => tf[name](a),
    }
  },
  cast(d) {
    const shape = d.shape(d.int(0, 4), 12)
    const from = d.pick([
      d.floats(shape, { specials: d.chance(0.3) }),
      d.ints(shape),
      d.large(shape),
      d.bools(shape),
    ])
    const to = d.pick(['float32', 'int32', 'bool'])
    return {
      name: `cast ${from.dtype} to ${to}`,
      inputs: [from],
      compute: (tf, a) => tf.cast(a, to),
    }
  },
  where(d) {
    const shape = d.shape(d.int(0, 4), 9)
    const make = d.pick([
      (of) => d.floats(of, { specials: true }),
      (of) => d.large(of),
      (of) => d.bools(of),
    ])
    return {
      name: 'where',
      inputs: [d.bools(shape), make(shape), make(shape)],
      compute: (tf, c, a, b) => tf.where(c, a, b),
    }
  },
  reduce(d) {
    const shape = d.shape(d.int(0, 5), 12)
    const name = d.pick(reductions)
    const axes = axesOf(d, shape)
    const keep = d.chance(0.3)
    const specials = d.chance(0.2) && ['sum', 'max', 'min'].includes(name)
    return {
      name: `${name} over ${axes}`,
      inputs: [d.floats(shape, { specials })],
      compute: (tf, a) => tf[name](a, axes, keep),
    }
  },
  reduceWhole(d) {
    const shape = d.shape(d.int(0, 4), 12)
    const name = d.pick(['sum', 'max', 'min', 'mean'])
    const axes = axesOf(d, shape)
    const x =
      name === 'sum' || name === 'mean'
        ? d.pick([d.ints(shape, -5000, 5000), d.bools(shape)])
        : d.large(shape)
    return {
      name: `${name} of ${x.dtype} over ${axes}`,
      inputs: [x],
      compute: (tf, a) => tf[name](a, axes),
    }
  },
  truth(d) {
    const shape = d.shape(d.int(1, 4), 12)
    const axes = axesOf(d, shape)
    const name = d.pick(['any', 'all'])
    // Of no elements cpu gives what lies at the place.
    return hasNone(shape)
      ? undefined
      : { name, inputs: [d.bools(shape)], compute: (tf, a) => tf[name](a, axes) }
  },
  place(d) {
    const shape = d.shape(d.int(1, 4), 20)
    const axis = d.int(0, shape.length - 1)
    const name = d.pick(['argMax', 'argMin'])
    const x = d.pick([d.floats(shape, { specials: d.chance(0.4) }), d.ints(shape), d.large(shape)])
    return hasNone(shape) ? undefined : { name, inputs: [x], compute: (tf, a) => tf[name](a, axis) }
  },
  matMul(d) {
    const [m, n, k] = [d.int(1, 120), d.int(1, 120), d.int(1, 200)]
    const [tA, tB] = [d.chance(0.5), d.chance(0.5)]
    const outer = d.pick([[], [], [3], [2, 3], [2, 1, 3]])
    // Where only some axes of a batch are repeated, cpu takes the wrong matrices.
    const other = d.chance(0.5) ? outer : outer.map(() => 1)
    const a = d.floats([...outer, ...(tA ? [k, m] : [m, k])])
    const b = d.floats([...other, ...(tB ? [n, k] : [k, n])])
    return {
      name: `matMul ${tA} ${tB}`,
      inputs: [a, b],
      compute: (tf, x, y) => tf.matMul(x, y, tA, tB),
    }
  },
  dense(d) {
    const [m, n, k] = [d.int(1, 60), d.int(1, 90), d.int(1, 90)]
    const activation = d.pick(activations)
    const inputs = [
      d.floats([m, k]),
      d.floats([k, n]),
      d.floats(d.pick([[n], [1, n], [m, n], [1]])),
      d.floats([n]),
    ]
    const compute = (tf, a, b, bias, slopes) =>
      tf.fused.matMul({
        a,
        b,
        bias,
        activation,
        leakyreluAlpha: 0.3,
        preluActivationWeights: slopes,
      })
    return { name: `fused matMul ${activation}`, inputs, compute }
  },
  einsum(d) {
    const [i, j, k, b] = [d.int(1, 9), d.int(1, 9), d.int(1, 9), d.int(1, 4)]
    const [equation, x, y] = d.pick([
      ['ij,jk->ik', [i, j], [j, k]],
      ['bij,bjk->kbi', [b, i, j], [b, j, k]],
      ['ij,kj->ki', [i, j], [k, j]],
      ['bij,kj->bik', [b, i, j], [k, j]],
      ['ij,ij->ij', [i, j], [i, j]],
      ['i,j->ij', [i], [j]],
    ])
    return {
      name: `einsum ${equation}`,
      inputs: [d.floats(x), d.floats(y)],
      compute: (tf, a, c) => tf.einsum(equation, a, c),
    }
  },
  conv(d) {
    const size = [d.int(1, 20), d.int(1, 20)]
    const kernel = size.map((extent) => d.int(1, Math.min(5, extent)))
    const dilation = d.chance(0.3) ? 2 : 1
    const stride = dilation > 1 ? 1 : [d.int(1, 3), d.int(1, 3)]
    const pad = d.pick(['same', 'valid'])
    if (pad === 'valid' && kernel.some((extent, i) => (extent - 1) * dilation >= size[i]))
      return undefined
    const [channels, filters] = [d.int(1, 9), d.int(1, 17)]
    const inputs = [
      d.floats([d.int(1, 4), ...size, channels]),
      d.floats([...kernel, channels, filters]),
    ]
    return {
      name: `conv2d ${stride} ${pad} ${dilation}`,
      inputs,
      compute: (tf, x, w) => tf.conv2d(x, w, stride, pad, 'NHWC', dilation),
    }
  },
  fusedConv(d) {
    const [size, channels, filters, kernel] = [d.int(3, 12), d.int(1, 6), d.int(1, 9), d.int(1, 3)]
    const activation = d.pick(activations)
    const depthwise = d.chance(0.4)
    const w = depthwise ? [kernel, kernel, channels, 1] : [kernel, kernel, channels, filters]
    const results = depthwise ? channels : filters
    const inputs = [
      d.floats([2, size, size, channels]),
      d.floats(w),
      d.floats([results]),
      d.floats([results]),
    ]
    const name = depthwise ? 'depthwiseConv2d' : 'conv2d'
    const compute = (tf, x, filter, bias, slopes) =>
      tf.fused[name]({
        x,
        filter,
        strides: 1,
        pad: 'same',
        bias,
        activation,
        leakyreluAlpha: 0.3,
        preluActivationWeights: slopes,
      })
    return { name: `fused ${name} ${activation}`, inputs, compute }
  },
  convGradient(d) {
    const [size, channels, filters, kernel] = [d.int(3, 14), d.int(1, 6), d.int(1, 9), d.int(1, 3)]
    const [stride, pad, which] = [d.int(1, 2), d.pick(['same', 'valid', 1]), d.int(0, 1)]
    if (pad === 1 && kernel < 2) return undefined
    const inputs = [
      d.floats([2, size, size, channels]),
      d.floats([kernel, kernel, channels, filters]),
    ]
    const f = (tf) => (x, w) => tf.conv2d(x, w, stride, pad)
    return {
      name: `conv2d gradient ${which} ${stride} ${pad}`,
      inputs,
      compute: (tf, ...x) => gradientOf(tf, f(tf), x, which),
    }
  },
  depthwise(d) {
    const [size, channels, kernel] = [d.int(3, 14), d.int(1, 9), d.int(1, 3)]
    const [stride, pad, times] = [d.int(1, 2), d.pick(['same', 'valid']), d.pick([1, 1, 2])]
    const which = d.pick([undefined, 0, 1])
    const inputs = [
      d.floats([2, size, size, channels]),
      d.floats([kernel, kernel, channels, times]),
    ]
    const f = (tf) => (x, w) => tf.depthwiseConv2d(x, w, stride, pad)
    const compute = (tf, ...x) =>
      which === undefined ? f(tf)(...x) : gradientOf(tf, f(tf), x, which)
    return { name: `depthwiseConv2d ${which} ${stride} ${pad} ${times}`, inputs, compute }
  },
  transposedConv(d) {
    const [size, channels, filters, kernel, stride] = [
      d.int(2, 7),
      d.int(1, 5),
      d.int(1, 5),
      d.int(1, 4),
      d.int(1, 3),
    ]
    const out = (size - 1) * stride + kernel
    const inputs = [
      d.floats([2, size, size, channels]),
      d.floats([kernel, kernel, filters, channels]),
    ]
    return {
      name: `conv2dTranspose ${stride}`,
      inputs,
      compute: (tf, x, w) => tf.conv2dTranspose(x, w, [2, out, out, filters], stride, 'valid'),
    }
  },
  conv3d(d) {
    const size = [d.int(2, 6), d.int(2, 6), d.int(2, 6)]
    const kernel = size.map((extent) => d.int(1, Math.min(3, extent)))
    const [channels, filters, stride, pad] = [
      d.int(1, 4),
      d.int(1, 5),
      d.int(1, 2),
      d.pick(['same', 'valid']),
    ]
    const which = d.pick([undefined, 0, 1])
    const inputs = [d.floats([2, ...size, channels]), d.floats([...kernel, channels, filters])]
    const f = (tf) => (x, w) => tf.conv3d(x, w, stride, pad)
    const compute = (tf, ...x) =>
      which === undefined ? f(tf)(...x) : gradientOf(tf, f(tf), x, which)
    return { name: `conv3d ${which} ${stride} ${pad}`, inputs, compute }
  },
  pool(d) {
    const [size, channels, window] = [d.int(2, 18), d.int(1, 70), d.int(1, 3)]
    if (window > size) return undefined
    const [stride, pad, name, isGradient] = [
      d.int(1, 3),
      d.pick(['same', 'valid']),
      d.pick(['maxPool', 'avgPool']),
      d.chance(0.5),
    ]
    const x = d.floats([2, size, size, channels], {
      specials: d.chance(0.15) && name === 'maxPool' && !isGradient,
    })
    const f = (tf) => (a) => tf[name](a, window, stride, pad)
    const compute = (tf, a) => (isGradient ? gradientOf(tf, f(tf), [a], 0) : f(tf)(a))
    return { name: `${name} ${window} ${stride} ${pad} ${isGradient}`, inputs: [x], compute }
  },
  pool3d(d) {
    const [size, channels, window] = [d.int(2, 7), d.int(1, 9), d.int(1, 2)]
    const [stride, pad, name, isGradient] = [
      d.int(1, 2),
      d.pick(['same', 'valid']),
      d.pick(['maxPool3d', 'avgPool3d']),
      d.chance(0.5),
    ]
    const f = (tf) => (a) => tf[name](a, window, stride, pad)
    const compute = (tf, a) => (isGradient ? gradientOf(tf, f(tf), [a], 0) : f(tf)(a))
    return {
      name: `${name} ${window} ${stride} ${pad} ${isGradient}`,
      inputs: [d.floats([2, size, size, size, channels])],
      compute,
    }
  },
  batchNorm(d) {
    const c = d.int(1, 40)
    const inputs = [
      d.floats([3, 5, c]),
      d.floats([c]),
      d.floats([c], { positive: true }),
      d.floats([c]),
      d.floats([c]),
    ]
    return {
      name: 'batchNorm',
      inputs,
      compute: (tf, x, m, v, o, g) => tf.batchNorm(x, m, v, o, g, 1e-3),
    }
  },
  response(d) {
    const [radius, isGradient] = [d.int(0, 4), d.chance(0.5)]
    const f = (tf) => (x) => tf.localResponseNormalization(x, radius, 1.1, 0.7, 0.6)
    const compute = (tf, x) => (isGradient ? gradientOf(tf, f(tf), [x], 0) : f(tf)(x))
    return {
      name: `localResponseNormalization ${radius} ${isGradient}`,
      inputs: [d.floats([2, 3, 3, d.int(1, 9)])],
      compute,
    }
  },
  resize(d) {
    const name = d.pick(['resizeBilinear', 'resizeNearestNeighbor'])
    const [from, to] = [d.int(1, 9), [d.int(1, 14), d.int(1, 14)]]
    const align = d.chance(0.4)
    const half = !align && d.chance(0.5)
    // cpu's gradients are wrong for images that are not square, and for more than one image; of one pixel with
    // aligned corners they never end.
    const isGradient = !half && !(align && from === 1) && d.chance(0.4)
    const x = d.floats([isGradient ? 1 : 2, from, from, d.int(1, 4)])
    const f = (tf) => (a) => tf.image[name](a, to, align, half)
    const compute = (tf, a) => (isGradient ? gradientOf(tf, f(tf), [a], 0) : f(tf)(a))
    return { name: `${name} ${to} ${align} ${half} ${isGradient}`, inputs: [x], compute }
  },
  softmax(d) {
    const name = d.pick(['softmax', 'logSoftmax'])
    return { name, inputs: [d.floats(d.shape(d.int(1, 3), 90))], compute: (tf, a) => tf[name](a) }
  },
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
  scan(d) {
    const shape = d.shape(d.int(1, 3), 20)
    const [axis, exclusive, reverse, name] = [
      d.int(0, shape.length - 1),
      d.chance(0.5),
      d.chance(0.5),
      d.pick(['cumsum', 'cumprod']),
    ]
    return hasNone(shape)
      ? undefined
      : {
          name: `${name} ${axis} ${exclusive} ${reverse}`,
          inputs: [d.floats(shape)],
          compute: (tf, a) => tf[name](a, axis, exclusive, reverse),
        }
  },
  million(d) {
    const rows = d.int(900, 1100)
    const inputs = [d.floats([rows, 1000]), d.floats([1000])]
    const compute = d.pick([
      (tf, a, b) => tf.relu(tf.add(a, b)),
      (tf, a, b) => tf.mul(tf.sigmoid(a), b),
      (tf, a) => tf.sum(a, 0),
      (tf, a) => tf.max(a, 1),
      (tf, a) => tf.transpose(a),
      (tf, a, b) => tf.greater(a, b),
      (tf, a) => tf.cast(a, 'int32'),
      (tf, a) => tf.softmax(a),
    ])
    return d.chance(0.3) ? { name: `million ${compute}`, inputs, compute } : undefined
  },
}
