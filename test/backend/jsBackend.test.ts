/**
 * What is particular to the JavaScript backend: its buffers, float64, the generator's published
 * vectors, and accuracy in double precision. Its arithmetic is held against the native one in
 * kernels.test.ts.
 */
import t, { type Test } from 'tap'
import type { DType, TypedArray } from '../../lib/backend/dtype.js'
import { JsBackend } from '../../lib/backend/js/backend.js'
import { philox } from '../../lib/backend/js/philox.js'
import type { Handle } from '../../lib/backend/kernels.js'
import { KernelError, OutOfMemoryError } from '../../lib/base/errors.js'

const js = new JsBackend()

function put(backend: JsBackend, values: number[], dtype: DType = 'float32'): Handle {
  const handle = backend.alloc(values.length, dtype)
  backend.write(handle, dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values))
  return handle
}

function get(backend: JsBackend, handle: Handle, n: number): Float32Array {
  const array = new Float32Array(n)
  backend.read(handle, array)
  return array
}

/** The result of a unary or row kernel on float64 values. */
function wideResult(values: number[], n: number, run: (x: Handle, y: Handle) => void): number[] {
  const x = js.alloc(values.length, 'float64')
  js.write(x, Float64Array.from(values))
  const y = js.alloc(n, 'float64')
  run(x, y)
  const results = new Float64Array(n)
  js.read(y, results)
  return Array.from(results)
}

function close(t: Test, got: number, expected: number, ulps: number, message: string): void {
  const tolerance = ulps * 2 ** -52 * Math.abs(expected)
  t.ok(Math.abs(got - expected) <= tolerance, `${message}: ${got}, expected ${expected}`)
}

// Random123, tests/kat_vectors: counter, key, result.
const VECTORS = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0'],
]
const RESULTS = [
  '6627e8d5 e169c58d bc57ac4c 9b00dbd8',
  '408f276d 41c83b0e a20bc7c6 6d5451fd',
  'd16cfe09 94fdcceb 5001e420 24126ea1',
]
const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16))

t.test("Philox 4x32-10 gives its authors' known answers", async (t) => {
  for (const [i, [counter, key]] of VECTORS.entries()) {
    const [c0, c1, c2, c3] = words(counter)
    const [k0, k1] = words(key)
    const result = new Uint32Array(4)
    philox(result, k0, k1, c0, c1, c2, c3)
    t.strictSame(Array.from(result), words(RESULTS[i]), counter)
  }
  // Through a kernel: the upper 24 bits of each word.
  const state = put(js, [0, 0, 0, 0], 'int32')
  const y = js.alloc(4, 'float32')
  js.run('uniform', y, state, 4, 0, 1)
  const expected = words(RESULTS[0]).map((word) => (word >>> 8) / 2 ** 24)
  t.strictSame(Array.from(get(js, y, 4)), expected)
})

t.test('random kernels have the distributions they promise', async (t) => {
  const n = 200_000
  const y = js.alloc(n, 'float32')
  const state = put(js, [7, 8, 0, 0], 'int32')
  const moments = () => {
    const values = Float64Array.from(get(js, y, n))
    const mean = values.reduce((a, b) => a + b, 0) / n
    return [mean, values.reduce((a, b) => a + (b - mean) ** 2, 0) / n]
  }
  // Within 5 standard errors.
  const near = (got: number, expected: number, deviation: number) =>
    t.ok(Math.abs(got - expected) < (5 * deviation) / Math.sqrt(n), `${got} ~ ${expected}`)
  js.run('uniform', y, state, n, -1, 3)
  let [mean, variance] = moments()
  near(mean, 1, Math.sqrt(4 / 3))
  near(variance, 4 / 3, 1.2)
  js.run('normal', y, state, n, 2, 3)
  ;[mean, variance] = moments()
  near(mean, 2, 3)
  near(variance, 9, 9 * Math.SQRT2)
  js.run('bernoulli', y, state, n, 0.3)
  near(moments()[0], 0.3, Math.sqrt(0.21))
  const order = js.alloc(n, 'int32')
  js.run('permutation', order, state, n)
  const positions = new Int32Array(n)
  js.read(order, positions)
  t.not(positions[0], 0)
  t.ok(
    positions.sort().every((value, i) => value === i),
    'a permutation has every index once',
  )
})

t.test('draws go on where the last one stopped', async (t) => {
  const state = put(js, [1, 2, -1, 0], 'int32')
  const again = put(js, [1, 2, -1, 0], 'int32')
  const [a, b, c] = [8, 6, 14].map((n) => js.alloc(n, 'float32'))
  js.run('normal', a, state, 8, 0, 1)
  js.run('normal', b, state, 6, 0, 1)
  js.run('normal', c, again, 14, 0, 1)
  t.strictSame([...get(js, a, 8), ...get(js, b, 6)], [...get(js, c, 14)])
  const after = new Int32Array(4)
  js.read(state, after)
  t.strictSame([...after], [1, 2, 3, 1], 'four blocks on, with a carry')
})

t.test('buffers are reused and counted', async (t) => {
  const backend = new JsBackend()
  const empty = backend.memory()
  t.strictSame(empty, { live: 0, pooled: 0, peak: 0, buffers: 0 })
  const first = backend.alloc(1000, 'float32')
  const second = backend.alloc(10, 'uint8')
  t.strictSame(backend.memory(), { live: 4010, pooled: 0, peak: 4010, buffers: 2 })
  backend.release(first)
  t.strictSame(backend.memory(), { live: 10, pooled: 4000, peak: 4010, buffers: 1 })
  const third = backend.alloc(1000, 'float32')
  t.not(third, first, 'a handle is never given out twice')
  t.strictSame(backend.memory(), { live: 4010, pooled: 0, peak: 4010, buffers: 2 })
  const other = backend.alloc(1000, 'int32')
  t.equal(backend.memory().live, 8010, 'another dtype has another pool')
  for (const handle of [second, third, other]) backend.release(handle)
  t.strictSame(backend.memory(), { live: 0, pooled: 8010, peak: 8010, buffers: 0 })
})

t.test('the pool is bounded', async (t) => {
  const backend = new JsBackend()
  const large = 2 ** 25
  for (let i = 0; i < 6; i++) backend.release(backend.alloc(large + i, 'float32'))
  t.ok(backend.memory().pooled <= 512 * 2 ** 20, `${backend.memory().pooled} bytes`)
})

t.test('handles, lengths and transfers that are refused', async (t) => {
  const backend = new JsBackend()
  const a = backend.alloc(4, 'float32')
  const stale = backend.alloc(4, 'float32')
  backend.release(stale)
  const current = backend.alloc(4, 'float32')
  const bad = [stale, Number.NaN, -1, 0.5, a + 0.5, a + 2 ** 22, 1e300, Infinity, 77]
  for (const handle of bad as Handle[]) {
    t.throws(() => backend.run('relu', handle, a, 4), {
      name: 'KernelError',
      message: 'relu: x is not a buffer in use',
    })
    t.throws(() => backend.release(handle), KernelError)
    t.throws(() => backend.read(handle, new Float32Array(1)), KernelError)
    t.throws(() => backend.write(handle, new Float32Array(1)), KernelError)
  }
  for (const size of [Number.NaN, -1, 0.5, 2 ** 53]) {
    t.throws(() => backend.run('fill', a, size, 1), { message: /^fill: n must be an integer/ })
  }
  for (const length of [-1, 0.5, Number.NaN, Infinity, 1e300]) {
    t.throws(() => backend.alloc(length, 'float32'), KernelError, `${length}`)
  }
  for (const length of [2 ** 40, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
    t.throws(() => backend.alloc(length, 'uint8'), OutOfMemoryError, `${length}`)
  }
  t.throws(() => backend.alloc(1, 'toString' as DType), KernelError)
  const wrong: TypedArray[] = [new Int32Array(4), new Uint8Array(4), new Float64Array(4)]
  for (const array of wrong) t.throws(() => backend.write(current, array), KernelError)
  for (const offset of [1, -1, 0.5, Number.NaN]) {
    t.throws(() => backend.write(current, new Float32Array(4), offset), KernelError)
    t.throws(() => backend.read(current, new Float32Array(4), offset), KernelError)
  }
  const ints = backend.alloc(4, 'int32')
  t.throws(() => backend.run('relu', ints, a, 4), {
    message: 'relu: x is int32, expected float32 or float64',
  })
  t.throws(() => backend.run('transpose', ints, a, 1, 2, 2, 1), {
    message: 'transpose: x and y have different dtypes',
  })
  t.equal(backend.memory().buffers, 3)
})

t.test('float64 and bool are dtypes of their own', async (t) => {
  const backend = new JsBackend()
  const x = backend.alloc(3, 'float64')
  backend.write(x, Float64Array.of(0.1, -0.2, 1e300))
  const y = backend.alloc(3, 'float64')
  backend.run('affine', x, y, 3, 0.1, 0.3)
  const doubles = new Float64Array(3)
  backend.read(y, doubles)
  t.strictSame([...doubles], [0.1 * 0.1 + 0.3, 0.1 * -0.2 + 0.3, 1e299], 'nothing is rounded')
  const single = backend.alloc(3, 'float32')
  t.throws(() => backend.run('relu', x, single, 3), {
    message: 'relu: x and y have different dtypes',
  })
  t.throws(() => backend.write(x, new Float32Array(3)), {
    message: 'write: the typed array does not hold float64',
  })
  const [bool, bytes] = [backend.alloc(3, 'bool'), backend.alloc(3, 'uint8')]
  backend.run('cast', x, bool, 3)
  backend.run('cast', x, bytes, 3)
  const read = new Uint8Array(3)
  backend.read(bool, read)
  t.strictSame([...read], [1, 1, 1])
  backend.read(bytes, read)
  t.strictSame([...read], [0, 0, 0])
  t.throws(() => backend.run('copy2d', bool, bytes, 1, 3, 0, 3, 0, 3), {
    message: 'copy2d: x and y have different dtypes',
  })
})

t.test('float64 is a dtype of its own', async (t) => {
  const handle = js.alloc(2, 'float64')
  js.write(handle, Float64Array.of(0.1, 0.2))
  t.throws(() => js.write(handle, Float32Array.of(0.5)), KernelError)
  t.throws(() => js.read(handle, new Float32Array(2)), KernelError)
  t.throws(() => js.run('add', handle, put(js, [1, 2]), handle, 1, 1, 2, 7, 7), {
    message: 'add: a and b have different dtypes',
  })
  // A scalar is rounded as the native backend does, and is not in float64.
  const x = put(js, [0])
  js.run('affine', x, x, 1, 1, 0.1)
  t.equal(get(js, x, 1)[0], Math.fround(0.1))
  t.equal(wideResult([0], 1, (x, y) => js.run('affine', x, y, 1, 1, 0.1))[0], 0.1)
})

t.test('in float64 both tails and sums are accurate', async (t) => {
  const far = wideResult([-700, -40, 40], 3, (x, y) => js.run('sigmoid', x, y, 3))
  close(t, far[0], Math.exp(-700), 2, 'sigmoid(-700)')
  close(t, far[1], Math.exp(-40), 2, 'sigmoid(-40)')
  const soft = wideResult([-700, 800, -30], 3, (x, y) => js.run('softplus', x, y, 3))
  close(t, soft[0], Math.exp(-700), 2, 'softplus(-700)')
  t.equal(soft[1], 800)
  close(t, soft[2], Math.log1p(Math.exp(-30)), 2, 'softplus(-30)')
  const logs = wideResult([60, 0, 10000, -10000], 4, (x, y) => js.run('logSoftmax', x, y, 2, 2))
  close(t, logs[0], -Math.log1p(Math.exp(-60)), 2, 'a sure prediction')
  t.strictSame(logs.slice(1), [-60, -0, -20000])
  const sums = wideResult([1e100, 1, -1e100, 1], 2, (x, y) => {
    js.run('sum', x, y, 1, 4, 1, 1)
  })
  t.equal(sums[0], 2, 'Neumaier keeps what cancels')
  const labels = put(js, [0], 'int32')
  const loss = wideResult([50, 0, 0], 1, (x, y) => {
    js.run('softmaxCrossEntropy', x, labels, y, 1, 3)
  })
  close(t, loss[0], Math.log1p(2 * Math.exp(-50)), 2, 'the loss of a sure prediction')
})
