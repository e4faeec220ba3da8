/**
 * How far the results of two backends may be apart, kernel by kernel. A kernel without an entry is
 * exact: it moves, compares or rounds once, and must give the same number (NaN for NaN, -0 for -0).
 *
 * Else |a - b| ≤ ulps·ε·magnitude with ε = 2^-23. The magnitude is that of the result, or, where
 * terms cancel, the sum of the absolute terms: what no rounding of float32 can do better than.
 */
import { jsKernels } from '../../lib/backend/js/kernels.js'
import { panelOrder } from '../../lib/backend/js/panels.js'
import { type KernelName, kernels } from '../../lib/backend/kernels.js'
import { activationTolerances } from './activationCases.js'
import { adaptiveTolerances } from './adaptiveCases.js'
import { imageTolerances } from './imageTolerances.js'

/** One call as it was before it ran; values by the names in the kernel table. */
export interface Call {
  number(name: string): number
  values(name: string): ArrayLike<number>
}

export interface Tolerance {
  ulps: number | ((call: Call) => number)
  /** Of element i of this output, whose value should be `expected`; absent: |expected|. */
  magnitude?: (call: Call, output: string) => (i: number, expected: number) => number
}

/** Rounding errors of n additions in a row, which mostly cancel: they grow as √n. */
export const inARow = (n: number) => 4 + Math.sqrt(n)

/** A quotient with e^-d above: d, rounded to float32, has an error of its own size. */
const power = (y: number) => (y === 0 ? 0 : Math.abs(y) * (1 + Math.abs(Math.log(Math.abs(y)))))

export const tolerances: Partial<Record<KernelName, Tolerance>> = {
  gemm: { ulps: (call) => inARow(call.number('k')), magnitude: gemmTerms },
  ...activationTolerances,
  gemmBatched: { ulps: (call) => inARow(call.number('k')), magnitude: batchTerms },
  linear: linear(),
  linearRelu: linear(),
  linearSigmoid: linear(),
  linearTanh: linear(),
  gemmReluGrad: gemmGrad(() => 1),
  gemmSigmoidGrad: gemmGrad((y) => Math.abs(y) * (1 + Math.abs(y))),
  gemmTanhGrad: gemmGrad((y) => 1 + y * y),

  conv: convolution('conv'),
  convBias: convolution('convBias'),
  convBiasRelu: convolution('convBias'),
  convInputGrad: convolution('convInputGrad'),
  convWeightGrad: convolution('convWeightGrad'),

  // As the steps, of gradients with the errors of their products; Adam squares them.
  gemmSgd: {
    ulps: (call) => inARow(call.number('k')) + 2,
    magnitude: ofWeights((call, output) => sgdTerms(call, output, productTerms(call))),
  },
  gemmSgdMomentum: {
    ulps: (call) => inARow(call.number('k')) + 3,
    magnitude: ofWeights((call, output) => sgdTerms(call, output, productTerms(call))),
  },
  gemmAdam: {
    ulps: (call) => 2 * inARow(call.number('k')) + 5,
    magnitude: ofWeights((call, output) => adamTerms(call, output, productTerms(call))),
  },

  // Bounds that the accuracy tests prove against float64.
  exp: { ulps: 2 },
  log: { ulps: 2 },
  log1p: { ulps: 2 },
  expm1: { ulps: 3 },
  erf: { ulps: 3 },
  sin: { ulps: 4 },
  cos: { ulps: 4 },
  sigmoid: { ulps: 4 },
  tanh: { ulps: 4 },
  softplus: { ulps: 4 },

  // Both are rounded from a double, which may lie next to a tie.
  pow: { ulps: 1 },
  // Rounded from float64, whose own last digit may be another.
  ...Object.fromEntries(
    ['tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'asinh', 'acosh', 'atanh', 'atan2'].map(
      (name) => [name, { ulps: 1 }],
    ),
  ),
  sigmoidGrad: { ulps: 2 },
  tanhGrad: {
    ulps: 2,
    magnitude: (call) => {
      const [y, dy] = [call.values('y'), call.values('dy')]
      return (i) => Math.abs(dy[i]) * (1 + y[i] * y[i])
    },
  },
  // Of x + bias, rounded: relative to itself, which the tail of a sigmoid sees as it sees d above.
  biasSigmoid: { ulps: 4, magnitude: () => (_, y) => power(y) },
  biasTanh: { ulps: 5 },
  biasReluGrad: biasGrad((_, dy) => Math.abs(dy)),
  biasSigmoidGrad: biasGrad((y, dy) => Math.abs(dy * y) * (1 + Math.abs(y))),
  biasTanhGrad: biasGrad((y, dy) => Math.abs(dy) * (1 + y * y)),
  affine: {
    ulps: 1,
    magnitude: (call) => {
      const x = call.values('x')
      const [scale, shift] = [call.number('scale'), call.number('shift')]
      return (i) => Math.abs(scale * x[i]) + Math.abs(shift)
    },
  },

  // The native sums are trees: no more than 32 additions follow each other, half an ulp each.
  sum: { ulps: 16, magnitude: sumTerms },
  // Rounded from a double, which may lie next to a tie.
  norm: { ulps: 1 },
  // The mean has the error of a double, and so has each of equal elements.
  variance: { ulps: 1, magnitude: varianceTerms },
  softmax: { ulps: (call) => inARow(call.number('cols')), magnitude: () => (_, y) => power(y) },
  // log Σ has an absolute error: it is 0 or more beside the largest term's 1.
  logSoftmax: {
    ulps: (call) => inARow(call.number('cols')),
    magnitude: () => (_, y) => 1 + Math.abs(y),
  },
  softmaxCrossEntropy: {
    ulps: (call) => inARow(call.number('cols')),
    magnitude: () => (_, y) => 1 + Math.abs(y),
  },
  softmaxGrad: {
    ulps: (call) => inARow(call.number('cols')),
    magnitude: (call) => {
      const [y, dy] = [call.values('y'), call.values('dy')]
      const dots = rowSums(call, (i) => Math.abs(y[i] * dy[i]))
      return (i) => Math.abs(y[i]) * (Math.abs(dy[i]) + dots(i))
    },
  },
  logSoftmaxGrad: {
    ulps: (call) => inARow(call.number('cols')),
    magnitude: (call) => {
      const [y, dy] = [call.values('y'), call.values('dy')]
      const sums = rowSums(call, (i) => Math.abs(dy[i]))
      return (i) => Math.abs(dy[i]) + Math.exp(y[i]) * sums(i)
    },
  },
  softmaxCrossEntropyGrad: {
    ulps: (call) => inARow(call.number('cols')),
    magnitude: (call) => {
      const cols = call.number('cols')
      const [labels, dlosses] = [call.values('labels'), call.values('dlosses')]
      return (i, dlogit) => {
        const row = Math.floor(i / cols)
        const dloss = Math.abs(dlosses[row])
        return i % cols === labels[row] ? dloss : dloss * power(dlogit / dloss)
      }
    },
  },

  scatterAdd: { ulps: (call) => inARow(call.number('count')), magnitude: scatterTerms },

  // Rounded from doubles, whose last digits differ where their order does.
  cdist: { ulps: 1 },

  uniform: {
    ulps: 1,
    magnitude: (call) => {
      const [low, high] = [call.number('low'), call.number('high')]
      return () => Math.abs(low) + Math.abs(high - low)
    },
  },
  // No radius is above √(-2 ln 2^-24) = 5.8; sine and cosine have absolute errors.
  normal: {
    ulps: 4,
    magnitude: (call) => () => Math.abs(call.number('mean')) + 6 * Math.abs(call.number('std')),
  },

  sgd: { ulps: 2, magnitude: sgdTerms },
  sgdMomentum: { ulps: 3, magnitude: sgdTerms },
  adam: { ulps: 5, magnitude: adamTerms },
  maxNorm: { ulps: (call) => inARow(call.number('rows')) },

  warp: { ulps: 4, magnitude: warpTerms },
  ...imageTolerances,
  ...adaptiveTolerances,
}

/** Elements of these terms, two roundings each, and the sums of their columns as `sum` has them. */
function biasGrad(term: (y: number, dy: number) => number): Tolerance {
  return {
    ulps: 18,
    magnitude: (call, output) => {
      const [y, dy] = [call.values('y'), call.values('dy')]
      const [rows, cols] = [call.number('rows'), call.number('cols')]
      if (output === 'dx') return (i) => term(y[i], dy[i])
      return (c) => {
        let sum = 0
        for (let i = c; i < rows * cols; i += cols) sum += term(y[i], dy[i])
        return sum
      }
    },
  }
}

/** x·w + bias, and an activation that is nowhere steeper than 1. */
function linear(): Tolerance {
  return {
    ulps: (call) => inARow(call.number('k')) + 6,
    magnitude: (call) => {
      const [k, n] = [call.number('k'), call.number('n')]
      const terms = productTerms(inRows(as(call, { a: 'x', b: 'w' }), 'b', k, n))
      const bias = call.values('bias')
      return (i, y) => terms(i) + Math.abs(bias[i % n]) + power(y)
    },
  }
}

/** Products dy·wᵀ times the slope of an activation, and the sums of their columns. */
function gemmGrad(slope: (y: number) => number): Tolerance {
  return {
    ulps: (call) => inARow(call.number('k')) + 18,
    magnitude: (call, output) => {
      const [m, n, k] = [call.number('m'), call.number('n'), call.number('k')]
      const product = as(call, { a: 'dy', b: 'w' }, { transA: 0, transB: 1 })
      const terms = productTerms(inRows(product, 'b', n, k))
      const y = call.values('y')
      if (output === 'dx') return (i) => slope(y[i]) * terms(i)
      return (c) => {
        let sum = 0
        for (let i = c; i < m * n; i += n) sum += slope(y[i]) * terms(i)
        return sum
      }
    },
  }
}

/** Sums whose terms, taken absolutely, are what the same kernel computes of absolute values. */
function convolution(kernel: 'conv' | 'convBias' | 'convInputGrad' | 'convWeightGrad'): Tolerance {
  const names = kernels[kernel].map((row) => row.split(':'))
  return {
    ulps: (call) => {
      const taps = call.number('kernelHeight') * call.number('kernelWidth')
      const results = call.number('outHeight') * call.number('outWidth')
      const pixels = kernel === 'convWeightGrad' ? call.number('batch') * results : taps
      return inARow(
        pixels * (kernel === 'convInputGrad' ? call.number('filters') : call.number('channels')),
      )
    },
    magnitude: (call, output) => {
      const args = names.map(([name, use]) => {
        if (use === 'size') return call.number(name)
        if (use === 'scratch') return new Float64Array(0)
        const values = Float64Array.from(call.values(name))
        return use === 'out' ? values : values.map(Math.abs)
      })
      const run = jsKernels[kernel] as (...args: unknown[]) => void
      run(...args)
      const magnitudes = args[names.findIndex(([name]) => name === output)] as Float64Array
      return (i) => magnitudes[i]
    },
  }
}

// |alpha|·Σ |a|·|b| + |beta·c|
function gemmTerms(call: Call): (i: number) => number {
  const [alpha, beta] = [Math.abs(call.number('alpha')), Math.abs(call.number('beta'))]
  const [n, k] = [call.number('n'), call.number('k')]
  const [rows, cols] = call.number('transB') ? [n, k] : [k, n]
  const [products, c] = [productTerms(inRows(call, 'b', rows, cols)), call.values('c')]
  return (i) => alpha * products(i) + (beta === 0 ? 0 : beta * Math.abs(c[i]))
}

/** The call with other names, and other or further numbers. */
function as(call: Call, names: Record<string, string>, numbers: Record<string, number> = {}): Call {
  return {
    number: (name) => numbers[name] ?? (name.startsWith('trans') ? 0 : call.number(name)),
    values: (name) => call.values(names[name] ?? name),
  }
}

/** The call with its weights [rows, cols] in rows, if they lay in panels. */
function inRows(call: Call, weights: string, rows: number, cols: number): Call {
  if (!call.number('panels')) return call
  const values = new Float64Array(rows * cols)
  const packed = call.values(weights)
  panelOrder(rows, cols).forEach((plain, i) => {
    values[plain] = packed[i]
  })
  return { ...call, values: (name) => (name === weights ? values : call.values(name)) }
}

type Magnitude = NonNullable<Tolerance['magnitude']>

/** The magnitudes of weights in panels, from those in rows. */
function ofWeights(magnitude: Magnitude): Magnitude {
  return (call, output) => {
    const [m, n] = [call.number('m'), call.number('n')]
    const terms = magnitude(inRows(call, 'w', m, n), output)
    if (!call.number('panels') || output !== 'w') return terms
    const order = panelOrder(m, n)
    return (i, expected) => terms(order[i], expected)
  }
}

// Σ |a|·|b|
function productTerms(call: Call): (i: number) => number {
  const [a, b] = [call.values('a'), call.values('b')]
  const [m, n, k] = [call.number('m'), call.number('n'), call.number('k')]
  const [aRow, aStep] = call.number('transA') ? [1, m] : [k, 1]
  const [bCol, bStep] = call.number('transB') ? [k, 1] : [1, n]
  return (i) => {
    let sum = 0
    const from = Math.floor(i / n) * aRow
    const to = (i % n) * bCol
    for (let p = 0; p < k; p++) sum += Math.abs(a[from + p * aStep] * b[to + p * bStep])
    return sum
  }
}

/** Σ |a|·|b| of each product of a batch. */
function batchTerms(call: Call): (i: number) => number {
  const n = ['n0', 'n1', 'n2'].map((name) => call.number(name))
  const [m, cols, k] = [call.number('m'), call.number('n'), call.number('k')]
  const matrix = (values: ArrayLike<number>, mask: number, batch: number, size: number) => {
    const places = [Math.floor(batch / n[1] / n[2]), Math.floor(batch / n[2]) % n[1], batch % n[2]]
    const at = places.reduce((sum, p, axis) => (mask & (1 << axis) ? sum * n[axis] + p : sum), 0)
    return Array.from(values).slice(at * size, (at + 1) * size)
  }
  const terms = Array.from({ length: n[0] * n[1] * n[2] }, (_, batch) => {
    const a = matrix(call.values('a'), call.number('aMask'), batch, m * k)
    const b = matrix(call.values('b'), call.number('bMask'), batch, k * cols)
    return productTerms({ number: call.number, values: (name) => (name === 'a' ? a : b) })
  })
  return (i) => terms[Math.floor(i / (m * cols))](i % (m * cols))
}

function sumTerms(call: Call): (i: number) => number {
  const x = call.values('x')
  const [length, inner, scale] = [call.number('length'), call.number('inner'), call.number('scale')]
  return (i) => {
    let sum = 0
    let at = Math.floor(i / inner) * length * inner + (i % inner)
    for (let r = 0; r < length; r++, at += inner) sum += Math.abs(x[at])
    return Math.abs(scale) * sum
  }
}

/** The variance, and the square of what a double loses of the largest element. */
function varianceTerms(call: Call): (i: number, expected: number) => number {
  let largest = 0
  for (const v of Array.from(call.values('x'))) {
    if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v))
  }
  return (_, expected) => Math.abs(expected) + (largest * 2 ** -40) ** 2
}

/** Of row i / cols: Σ term. */
function rowSums(call: Call, term: (i: number) => number): (i: number) => number {
  const [rows, cols] = [call.number('rows'), call.number('cols')]
  const sums = new Float64Array(rows)
  for (let i = 0; i < rows * cols; i++) sums[Math.floor(i / cols)] += term(i)
  return (i) => sums[Math.floor(i / cols)]
}

function scatterTerms(call: Call): (i: number) => number {
  const [x, indices, y] = [call.values('x'), call.values('indices'), call.values('y')]
  const [length, count, inner] = ['length', 'count', 'inner'].map((name) => call.number(name))
  const sums = Float64Array.from(y, Math.abs)
  for (let i = 0; i < call.number('outer') * count * inner; i++) {
    const row = Math.floor(i / inner)
    const index = indices[call.number('each') ? i : row % count]
    sums[(Math.floor(row / count) * length + index) * inner + (i % inner)] += Math.abs(x[i])
  }
  return (i) => sums[i]
}

/** |dw| as it was given. */
function gradientOf(call: Call): (i: number) => number {
  const dw = call.values('dw')
  return (i) => Math.abs(dw[i])
}

function sgdTerms(call: Call, output: string, dw = gradientOf(call)): (i: number) => number {
  const w = call.values('w')
  const [lr, momentum, , , weightDecay, l2, l1] = Array.from(call.values('settings'), Math.abs)
  const v = momentum === 0 ? undefined : call.values('velocity')
  return (i) => {
    const g = dw(i) + (weightDecay + 2 * l2) * Math.abs(w[i])
    const step = v === undefined ? g : momentum * Math.abs(v[i]) + g
    return output === 'velocity' ? step : Math.abs(w[i]) + lr * ((1 + momentum) * step + l1)
  }
}

function adamTerms(call: Call, output: string, dw = gradientOf(call)): (i: number) => number {
  const [w, mean, square] = ['w', 'mean', 'square'].map((name) => call.values(name))
  const [lr, step, gradientStep, meanRate, squareRate, scale, epsilon, , ...last] = Array.from(
    call.values('settings'),
  )
  const [weightDecay, l2, l1] = last
  return (i) => {
    const g = dw(i) + (weightDecay + 2 * l2) * Math.abs(w[i])
    const m = Math.abs(mean[i]) + meanRate * (g + Math.abs(mean[i]))
    const v = square[i] + squareRate * (g * g + square[i])
    if (output === 'mean') return m
    if (output === 'square') return v
    // Errors of the quotient grow with what its parts are made of, not with what they come to.
    const rest = (1 - squareRate) * square[i]
    const root = scale * Math.sqrt(rest > 0 ? rest : v) + epsilon
    const moved = step * m + gradientStep * g
    return Math.abs(w[i]) + (moved * v) / (rest > 0 ? rest : v || 1) / root + lr * l1
  }
}

/** A position is off by ulps of what it is made of; by as much of the steepest slope is the pixel. */
function warpTerms(call: Call): (i: number) => number {
  const [x, maps, shifts] = [call.values('x'), call.values('maps'), call.values('shifts')]
  const [height, width] = [call.number('height'), call.number('width')]
  const size = height * width
  return (i) => {
    const image = Math.floor(i / size)
    let largest = 0
    for (let j = 0; j < size; j++) largest = Math.max(largest, Math.abs(x[image * size + j]))
    let position = height + width
    for (let j = 0; j < 4; j++) position += Math.abs(maps[4 * image + j]) * (height + width)
    const at = 2 * image * size + (i % size)
    return largest * (1 + position + Math.abs(shifts[at]) + Math.abs(shifts[at + size]))
  }
}
