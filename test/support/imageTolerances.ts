/** How far pools and norms may be apart; see tolerance.ts. */
import { averagePool, averagePoolGrad, maxPoolGrad } from '../../lib/backend/js/pool.js'
import type { KernelName } from '../../lib/backend/kernels.js'
import { type Call, inARow, type Tolerance } from './tolerance.js'

type Geometry = [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]
const GEOMETRY =
  'batch height width channels windowHeight windowWidth strideHeight strideWidth top left outHeight outWidth'.split(
    ' ',
  )

function geometryOf(call: Call): { sizes: Geometry; inputs: number; outputs: number } {
  const sizes = GEOMETRY.map((name) => call.number(name)) as Geometry
  const [batch, height, width, channels, , , , , , , outHeight, outWidth] = sizes
  return {
    sizes,
    inputs: batch * height * width * channels,
    outputs: batch * outHeight * outWidth * channels,
  }
}

const absolutes = (values: ArrayLike<number>) => Float64Array.from(values, Math.abs)
const inWindow = (call: Call) => inARow(call.number('windowHeight') * call.number('windowWidth'))

/** Of row or column i: sum of the terms. */
function sums(
  call: Call,
  count: number,
  index: (i: number) => number,
  term: (i: number) => number,
): Float64Array {
  const found = new Float64Array(count)
  const size = call.number('rows') * call.number('cols')
  for (let i = 0; i < size; i++) found[index(i)] += term(i)
  return found
}

/** What normalized elements are made of, and their scale: column by column, or row by row. */
function normal(call: Call): { term: (i: number) => number; scale: (i: number) => number } {
  const cols = call.number('cols')
  const [x, mean, variance] = [call.values('x'), call.values('mean'), call.values('variance')]
  const scale = (c: number) => 1 / Math.sqrt(variance[c] + call.number('epsilon'))
  return {
    term: (i) => (Math.abs(x[i]) + Math.abs(mean[i % cols])) * scale(i % cols),
    scale: (i) => scale(i % cols),
  }
}

const batchNorm: Tolerance = {
  ulps: 6,
  magnitude: (call) => {
    const cols = call.number('cols')
    const { term } = normal(call)
    const [weight, bias] = [call.values('weight'), call.values('bias')]
    return (i) => term(i) * Math.abs(weight[i % cols]) + Math.abs(bias[i % cols])
  },
}

export const imageTolerances: Partial<Record<KernelName, Tolerance>> = {
  maxPoolGrad: {
    ulps: inWindow,
    magnitude: (call) => {
      const { sizes, inputs } = geometryOf(call)
      const terms = new Float64Array(inputs)
      const places = Int32Array.from(call.values('places'))
      maxPoolGrad(absolutes(call.values('dy')), places, terms, ...sizes)
      return (i) => terms[i]
    },
  },
  averagePool: {
    ulps: inWindow,
    magnitude: (call) => {
      const { sizes, outputs } = geometryOf(call)
      const terms = new Float64Array(outputs)
      averagePool(absolutes(call.values('x')), terms, call.number('countPadding'), ...sizes)
      return (i) => terms[i]
    },
  },
  averagePoolGrad: {
    ulps: inWindow,
    magnitude: (call) => {
      const { sizes, inputs } = geometryOf(call)
      const terms = new Float64Array(inputs)
      averagePoolGrad(absolutes(call.values('dy')), terms, call.number('countPadding'), ...sizes)
      return (i) => terms[i]
    },
  },
  // Squares are rounded, and so are sums of four.
  batchNormMoments: {
    ulps: 6,
    magnitude: (call, output) => {
      const [cols, momentum] = [call.number('cols'), call.number('momentum')]
      const before = output.startsWith('running') ? call.values(output) : []
      const x = call.values('x')
      const mean = sums(
        call,
        cols,
        (i) => i % cols,
        (i) => Math.abs(x[i]) / call.number('rows'),
      )
      return (c, expected) => {
        const own = output === 'mean' || output === 'runningMean' ? mean[c] : Math.abs(expected)
        return own + momentum * own + Math.abs(before[c] ?? 0)
      }
    },
  },
  batchNorm,
  batchNormRelu: batchNorm,
  batchNormSums: {
    ulps: 6,
    magnitude: (call, output) => {
      const cols = call.number('cols')
      const dy = call.values('dy')
      const { term } = normal(call)
      const isBias = output === 'dbias'
      const found = sums(
        call,
        cols,
        (i) => i % cols,
        (i) => Math.abs(dy[i]) * (isBias ? 1 : term(i)),
      )
      return (c) => found[c]
    },
  },
  batchNormGrad: {
    ulps: 8,
    magnitude: (call) => {
      const [rows, cols] = [call.number('rows'), call.number('cols')]
      const { term, scale } = normal(call)
      const [dy, weight, dweight, dbias] = ['dy', 'weight', 'dweight', 'dbias'].map((name) =>
        absolutes(call.values(name)),
      )
      return (i) => {
        const c = i % cols
        return weight[c] * scale(i) * (dy[i] + (dbias[c] + term(i) * dweight[c]) / rows)
      }
    },
  },
  layerNorm: {
    ulps: 6,
    magnitude: (call, output) => {
      const cols = call.number('cols')
      const [x, weight, bias] = ['x', 'weight', 'bias'].map((name) => absolutes(call.values(name)))
      const row = (i: number) => Math.floor(i / cols)
      const means = sums(call, call.number('rows'), row, (i) => x[i] / cols)
      if (output === 'mean') return (r) => means[r]
      if (output === 'scale') return (_, expected) => Math.abs(expected)
      const { centered, scales } = rowScales(call)
      return (i) =>
        (x[i] + centered * means[row(i)]) * scales[row(i)] * weight[i % cols] + bias[i % cols]
    },
  },
  layerNormGrad: {
    ulps: 10,
    magnitude: (call) => {
      const [rows, cols] = [call.number('rows'), call.number('cols')]
      const [dy, x, weight, mean, scale] = ['dy', 'x', 'weight', 'mean', 'scale'].map((name) =>
        absolutes(call.values(name)),
      )
      const row = (i: number) => Math.floor(i / cols)
      const term = (i: number) => (x[i] + mean[row(i)]) * scale[row(i)]
      const gradient = (i: number) => dy[i] * weight[i % cols]
      const shifts = sums(call, rows, row, (i) => gradient(i) / cols)
      const slopes = sums(call, rows, row, (i) => (gradient(i) * term(i)) / cols)
      return (i) => scale[row(i)] * (gradient(i) + shifts[row(i)] + term(i) * slopes[row(i)])
    },
  },
  layerNormSums: {
    ulps: 4,
    magnitude: (call, output) => {
      const cols = call.number('cols')
      const [dy, x, mean, scale] = ['dy', 'x', 'mean', 'scale'].map((name) =>
        absolutes(call.values(name)),
      )
      const term = (i: number) => {
        const r = Math.floor(i / cols)
        return output === 'dbias' ? dy[i] : dy[i] * (x[i] + mean[r]) * scale[r]
      }
      const found = sums(call, cols, (i) => i % cols, term)
      return (c) => found[c]
    },
  },
}

/** 1/√(variance + epsilon) of each row. */
function rowScales(call: Call): { centered: number; scales: number[] } {
  const [rows, cols, centered] = [call.number('rows'), call.number('cols'), call.number('centered')]
  const x = call.values('x')
  const scales = Array.from({ length: rows }, (_, r) => {
    const row = Array.from({ length: cols }, (_, c) => x[r * cols + c])
    const mean = centered * (row.reduce((sum, value) => sum + value, 0) / cols)
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cols
    return 1 / Math.sqrt(variance + call.number('epsilon'))
  })
  return { centered, scales }
}
