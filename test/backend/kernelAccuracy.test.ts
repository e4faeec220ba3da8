/**
 * Native transcendental kernels against float64, in ulp of the exact result, over a sample of all
 * float32 arguments; and sums, where float32 additions in a row would lose digits.
 */
import t from 'tap'
import { erf, erfc } from '../../lib/backend/js/erf.js'
import type { KernelName } from '../../lib/backend/kernels.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'

type Function =
  | ('exp' | 'log' | 'log1p' | 'expm1' | 'erf' | 'tanh' | 'sigmoid' | 'softplus' | 'sin' | 'cos')
  | ('gelu' | 'silu' | 'mish')

const native = new NativeBackend()

function withBuffers<T>(inputs: Float32Array[], outputLength: number, run: (...h: never[]) => T) {
  const handles = inputs.map((x) => {
    const handle = native.alloc(x.length, 'float32')
    native.write(handle, x)
    return handle
  })
  const y = native.alloc(outputLength, 'float32')
  const result = new Float32Array(outputLength)
  try {
    run(...(handles as never[]), y as never)
    native.read(y, result)
  } finally {
    for (const handle of [...handles, y]) native.release(handle)
  }
  return result
}

const compute = (kernel: Function, x: Float32Array) =>
  withBuffers([x], x.length, (a, y) => native.run(kernel as KernelName & Function, a, y, x.length))

/** The distance of neighbouring float32 numbers at |x|. */
function ulpAt(x: number): number {
  const exponent = Math.floor(Math.log2(Math.abs(x)))
  return 2 ** Math.max(Math.min(exponent, 127) - 23, -149)
}

const exactSigmoid = (x: number) =>
  x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))

// Math's functions are within 1 ulp of a double, 2^-29 of one of float32.
const exact: Record<Function, (x: number) => number> = {
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  expm1: Math.expm1,
  erf,
  gelu: (x) => (x * erfc(-x * Math.SQRT1_2)) / 2,
  silu: (x) => x * exactSigmoid(x),
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  tanh: Math.tanh,
  sigmoid: exactSigmoid,
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sin: Math.sin,
  cos: Math.cos,
}

/** Every 4093rd float32 there is (a prime: all exponents, signs and kinds of mantissas). */
function sample(): Float32Array {
  const bits = Uint32Array.from({ length: Math.floor(2 ** 32 / 4093) }, (_, i) => i * 4093)
  return new Float32Array(bits.buffer)
}

/** n numbers from low to high, and the multiples of π/2 among them, where sine or cosine is tiny. */
function dense(low: number, high: number, n: number): Float32Array {
  const even = Array.from({ length: n }, (_, i) => low + ((high - low) * i) / n)
  const first = Math.ceil(low / (Math.PI / 2))
  const last = Math.floor(high / (Math.PI / 2))
  const zeros = Array.from({ length: last - first }, (_, i) => ((first + i) * Math.PI) / 2)
  return Float32Array.from([...even, ...zeros])
}

function worst(kernel: Function, x: Float32Array): { ulps: number; at: number } {
  const y = compute(kernel, x)
  const isProduct = kernel === 'gelu' || kernel === 'silu' || kernel === 'mish'
  let ulps = 0
  let at = 0
  for (let i = 0; i < x.length; i++) {
    const expected = exact[kernel](x[i])
    // Times x is the last digit of what is no normal number.
    const isLost = isProduct && Math.abs(expected / x[i]) < 2 ** -126
    if (isLost || Object.is(y[i], Math.fround(expected))) continue
    const error = Math.abs(y[i] - expected) / ulpAt(expected)
    if (!(error <= ulps)) {
      ulps = Number.isNaN(error) ? Infinity : error
      at = x[i]
    }
  }
  return { ulps, at }
}

const bounds: Record<Function, number> = {
  exp: 2,
  log: 2,
  log1p: 2,
  expm1: 3,
  erf: 3,
  gelu: 6,
  silu: 4,
  mish: 6,
  tanh: 4,
  sigmoid: 4,
  softplus: 4,
  sin: 4,
  cos: 4,
}
for (const kernel of Object.keys(bounds) as Function[]) {
  t.test(kernel, async (t) => {
    const [low, high] = kernel === 'log' ? [0.25, 4] : [-110, 110]
    for (const x of [sample(), dense(low, high, 200_000), dense(-1, 1, 200_000)]) {
      const { ulps, at } = worst(kernel, x)
      t.ok(ulps <= bounds[kernel], `${ulps.toFixed(2)} of ${bounds[kernel]} ulp, at ${at}`)
    }
  })
}

// x, erf(x) and 1 - erf(x), of mpmath 1.3 with 30 digits.
const ERF = [
  [1e-10, 1.1283791670955126e-10, 0.999999999887162],
  [0.5, 0.5204998778130465, 0.4795001221869535],
  [1, 0.8427007929497149, 0.15729920705028513],
  [2.25, 0.9985372834133188, 0.0014627165866811518],
  [2.5, 0.999593047982555, 0.0004069520174449589],
  [3, 0.9999779095030014, 2.209049699858544e-5],
  [5, 0.9999999999984626, 1.537459794428035e-12],
  [8, 1, 1.1224297172982926e-29],
]
t.test('the exact error function is exact', async (t) => {
  for (const [x, value, complement] of ERF) {
    for (const [got, wanted] of [
      [erf(x), value],
      [erf(-x), -value],
      [erfc(x), complement],
      [erfc(-x), 1 + value],
    ]) {
      t.ok(Math.abs(got - wanted) <= 4e-15 * Math.abs(wanted), `${x}: ${got}, ${wanted}`)
    }
  }
})

t.test('the tails keep their relative accuracy', async (t) => {
  const x = Float32Array.of(-100, -87, -50, -20)
  for (const kernel of ['sigmoid', 'softplus'] as const) {
    const y = compute(kernel, x)
    for (const [i, value] of x.entries()) {
      const expected = exact[kernel](value)
      t.ok(Math.abs(y[i] - expected) <= 4 * ulpAt(expected), `${kernel}(${value}) = ${y[i]}`)
    }
  }
})

t.test('a sum of many elements', async (t) => {
  const n = 3_000_000
  const x = new Float32Array(n).fill(0.1)
  const expected = n * Math.fround(0.1)
  for (const [outer, inner] of [
    [1, 1],
    [1, 3],
    [3, 1],
  ]) {
    const length = n / outer / inner
    const sums = withBuffers([x], outer * inner, (a, y) =>
      native.run('sum', a, y, outer, length, inner, 1),
    )
    for (const sum of sums) {
      const relative = Math.abs((sum * outer * inner) / expected - 1)
      t.ok(relative < 2 ** -22, `[${outer}, ${length}, ${inner}]: ${sum}`)
    }
  }
})
