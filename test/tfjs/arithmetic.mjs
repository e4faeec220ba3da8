// Calls of TensorFlow.js at random shapes: elementwise operations, reductions and products.
import { activations, gradientOf, hasNone } from './common.mjs'

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
const activationsOfOne = [
  'relu',
  'relu6',
  'elu',
  'selu',
  'sigmoid',
  'tanh',
  'softplus',
  'leakyRelu',
]
const rounded = ['step', 'sign', 'abs', 'neg', 'square', 'floor', 'ceil', 'round']
const predicates = ['isNaN', 'isInf', 'isFinite']
const smooth = ['exp', 'expm1', 'sin', 'cos', 'tan', 'atan', 'sinh', 'cosh', 'asinh', 'erf']
/** Of positive numbers only. */
const ofPositive = ['log', 'log1p', 'sqrt', 'rsqrt', 'reciprocal']

/** One of these of a tensor. */
const unary = (names, options) => (d) => {
  const name = d.pick(names)
  const specials = d.chance(0.3) && !['sin', 'cos', 'tan'].includes(name)
  const x = d.floats(d.shape(d.int(0, 4), 30), { ...options, specials })
  return { name, inputs: [x], compute: (tf, a) => tf[name](a) }
}

const axesOf = (d, shape) => shape.map((_, axis) => axis).filter(() => d.chance(0.5))

export const arithmetic = {
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
  comparisons(d) {
    const shape = d.shape(d.int(0, 3), 5)
    const make = d.pick([
      (of) => d.floats(of, { specials: true }),
      (of) => d.ints(of, -1, 1),
      (of) => d.bools(of),
    ])
    const compute = (tf, a, b) => tf.stack(comparisons.map((name) => tf[name](a, b)))
    return { name: 'comparisons', inputs: [make(shape), make(shape)], compute }
  },
  specials(d) {
    const compute = (tf, a) => tf.stack([tf.isNaN(a), tf.isInf(a), tf.isFinite(a)])
    const x = d.floats(d.shape(d.int(0, 3), 5), { specials: true })
    return { name: 'specials', inputs: [x], compute }
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
  activation: unary(activationsOfOne),
  rounded: unary([...rounded, ...predicates]),
  smooth: unary(smooth),
  ofPositive: unary(ofPositive, { positive: true }),
  unaryGradient(d) {
    const name = d.pick([...activationsOfOne, 'square', 'abs', 'exp', 'sin', 'erf'])
    const compute = (tf, a) => gradientOf(tf, tf[name], [a], 0)
    return { name: `gradient of ${name}`, inputs: [d.floats(d.shape(d.int(0, 3), 20))], compute }
  },
  slopes(d) {
    const shape = d.shape(d.int(1, 4), 9)
    const inputs = [d.floats(shape), d.floats(d.thinned(shape))]
    return { name: 'prelu', inputs, compute: (tf, x, slopes) => tf.prelu(x, slopes) }
  },
  clip(d) {
    const shape = d.shape(d.int(0, 3), 20)
    const [low, high] = [d.int(-3, 0), d.int(0, 3)]
    const x = d.pick([d.floats(shape, { specials: d.chance(0.3) }), d.ints(shape)])
    return { name: 'clip', inputs: [x], compute: (tf, a) => tf.clipByValue(a, low, high) }
  },
  sumOfMany(d) {
    const shape = d.shape(d.int(0, 3), 20)
    const make = d.chance(0.5) ? () => d.floats(shape) : () => d.ints(shape)
    const inputs = Array.from({ length: d.int(1, 4) }, make)
    return { name: 'addN', inputs, compute: (tf, ...list) => tf.addN(list) }
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
  softmax(d) {
    const name = d.pick(['softmax', 'logSoftmax'])
    return { name, inputs: [d.floats(d.shape(d.int(1, 3), 90))], compute: (tf, a) => tf[name](a) }
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
      ['ij->ji', [i, j]],
      ['bij->jb', [b, i, j]],
      ['ij->', [i, j]],
    ])
    return {
      name: `einsum ${equation}`,
      inputs: y ? [d.floats(x), d.floats(y)] : [d.floats(x)],
      compute: (tf, ...operands) => tf.einsum(equation, ...operands),
    }
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
          inputs: [d.chance(0.6) ? d.floats(shape) : d.ints(shape, -3, 3)],
          compute: (tf, a) => tf[name](a, axis, exclusive, reverse),
        }
  },
  wholePowers(d) {
    // Products beyond 2^53 are rounded by cpu.
    const shape = d.shape(d.int(0, 3), 3)
    return d.chance(0.5)
      ? {
          name: 'pow of int32',
          inputs: [d.ints(shape, -3, 3), d.ints(shape, -2, 6)],
          compute: (tf, a, b) => tf.pow(a, b),
        }
      : {
          name: 'prod of int32',
          inputs: [d.ints(shape, -3, 3)],
          compute: (tf, a) => tf.prod(a),
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
