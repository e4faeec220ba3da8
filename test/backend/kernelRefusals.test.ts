/**
 * What the native backend must refuse: every case is a KernelError (or OutOfMemoryError), leaves
 * all buffers as they were and the backend working.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import type { DType, TypedArray } from '../../lib/backend/dtype.js'
import { JsBackend } from '../../lib/backend/js/backend.js'
import type { Handle, KernelName } from '../../lib/backend/kernels.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import { KernelError, OutOfMemoryError } from '../../lib/base/errors.js'

const native = new NativeBackend()

function make(array: TypedArray, dtype: DType): Handle {
  const handle = native.alloc(array.length, dtype)
  native.write(handle, array)
  return handle
}
const floatsOf = (n: number) => make(new Float32Array(n).fill(0.5), 'float32')

// Shared by all cases; none may change them.
const arrays: Record<string, [TypedArray, DType]> = {
  a: [new Float32Array(12).fill(1), 'float32'],
  b: [new Float32Array(12).fill(2), 'float32'],
  y: [new Float32Array(12).fill(3), 'float32'],
  z: [new Float32Array(12).fill(4), 'float32'],
  c: [new Float32Array(12).fill(7), 'float32'],
  d: [new Float32Array(12).fill(8), 'float32'],
  six: [Float32Array.of(0.5, 0.5, 0, 0, 0, 0), 'float32'],
  good: [Int32Array.of(0, 1, 2), 'int32'],
  bad: [Int32Array.of(0, 1, 3), 'int32'],
  negative: [Int32Array.of(0, -1, 2), 'int32'],
  state: [Int32Array.of(1, 2, 3, 4), 'int32'],
  ints: [new Int32Array(12).fill(5), 'int32'],
  bytes: [new Uint8Array(12).fill(6), 'uint8'],
  double: [new Float64Array(12).fill(9), 'float64'],
  bools: [new Uint8Array(12).fill(1), 'bool'],
  empty: [new Float32Array(0), 'float32'],
}
const handles = Object.fromEntries(
  Object.entries(arrays).map(([name, [array, dtype]]) => [name, make(array, dtype)]),
)
const released = floatsOf(12)
native.release(released)

function checkUntouched(t: Test): void {
  for (const [name, [array]] of Object.entries(arrays)) {
    const now = array.slice()
    native.read(handles[name], now)
    t.strictSame(now, array, `${name} is as it was`)
  }
}

/** Arguments are names of buffers or numbers. */
type Refusal = [KernelName, (string | number)[], RegExp]

/** A convolution of one image [2, 2, 1] by a kernel [2, 2], with some other extents. */
function conv(others: Record<string, number>, message: RegExp): Refusal {
  const extents = {
    ...{ batch: 1, height: 2, width: 2, channels: 1, outHeight: 1, outWidth: 1, filters: 1 },
    ...{ kernelHeight: 2, kernelWidth: 2, strideHeight: 1, strideWidth: 1, padTop: 0, padLeft: 0 },
    ...{ dilationHeight: 1, dilationWidth: 1, groups: 1 },
  }
  return ['conv', ['a', 'b', 'y', ...Object.values({ ...extents, ...others })], message]
}

function refuse(t: Test, [kernel, args, message]: Refusal): void {
  const values = args.map((arg) => (typeof arg === 'string' ? handles[arg] : arg))
  let error: unknown
  try {
    native.run(kernel, ...(values as never))
  } catch (caught) {
    error = caught
  }
  const text = `${kernel}(${args.join(', ')})`
  t.ok(error instanceof KernelError, `${text} throws KernelError`)
  t.match((error as Error | undefined)?.message, message, text)
}

function refuseAll(title: string, refusals: Refusal[]): void {
  t.test(title, async (t) => {
    for (const refusal of refusals) refuse(t, refusal)
    checkUntouched(t)
  })
}

const GENERATION = 2 ** 22
const notHandles = {
  released,
  'never given out': 4_000_000,
  'of a later generation': 2 ** 40 * GENERATION,
  'just above a real one': (handles.a as number) + GENERATION,
  NaN: Number.NaN,
  negative: -1,
  'negative zero minus': -0.5,
  fractional: (handles.a as number) + 0.5,
  'above 2^53': 2 ** 60,
  'the largest double': Number.MAX_VALUE,
  infinite: Infinity,
  'minus infinite': -Infinity,
}

t.test('handles that are not buffers in use', async (t) => {
  for (const [title, handle] of Object.entries(notHandles)) {
    const bad = handle as Handle
    refuse(t, ['relu', [bad, 'y', 12], /^relu: x is not a buffer in use$/])
    refuse(t, ['relu', ['a', bad, 12], /^relu: y is not a buffer in use$/])
    refuse(t, ['copy2d', ['a', bad, 1, 1, 0, 1, 0, 1], /^copy2d: y is not a buffer in use$/])
    refuse(t, ['permutation', ['ints', bad, 3], /^permutation: state is not a buffer in use$/])
    t.throws(() => native.release(bad), KernelError, `release: ${title}`)
    t.throws(() => native.read(bad, new Float32Array(1)), KernelError, `read: ${title}`)
    t.throws(() => native.write(bad, new Float32Array(1)), KernelError, `write: ${title}`)
  }
  checkUntouched(t)
})

t.test('a handle is dead after its release, also when its memory is used again', async (t) => {
  const first = floatsOf(5)
  native.release(first)
  t.throws(() => native.release(first), KernelError, 'released twice')
  const second = floatsOf(5)
  t.not(second, first)
  t.throws(() => native.write(first, new Float32Array(5)), KernelError)
  t.throws(() => native.run('fill', first, 5, 1), KernelError)
  const content = new Float32Array(5)
  native.read(second, content)
  t.strictSame(content, new Float32Array(5).fill(0.5))
  native.release(second)
})

const badSizes = [Number.NaN, -1, 0.5, 2 ** 53, 1e300, Infinity, -Infinity]
refuseAll(
  'sizes that are no sizes',
  badSizes.flatMap((size): Refusal[] => [
    ['fill', ['y', size, 1], /^fill: n must be an integer from 0 to 2\^53 - 1/],
    ['gemm', ['a', 'b', 'y', 0, 0, 2, 2, size, 1, 0, 0], /^gemm: k must be an integer/],
    ['sum', ['a', 'y', 1, size, 1, 1], /^sum: length must be an integer/],
    ['copy2d', ['a', 'y', 1, 1, size, 1, 0, 1], /^copy2d: xOffset must be an integer/],
  ]),
)

const BIG = 2 ** 53 - 1
refuseAll('extents that overflow 2^64 or no buffer holds', [
  ['fill', ['y', BIG, 1], /^fill: y holds 12 elements, expected at least 9007199254740991$/],
  ['add', ['a', 'b', 'y', BIG, BIG, BIG, 7, 7], /^add: extent overflows$/],
  // 2^64 + a little: wraps to a size that would fit.
  ['add', ['a', 'b', 'y', 2 ** 32, 2 ** 32, 1, 7, 7], /^add: extent overflows$/],
  ['add', ['a', 'b', 'y', 2 ** 22, 2 ** 21, 2 ** 21, 7, 7], /^add: extent overflows$/],
  ['sum', ['a', 'y', 2 ** 32, 2 ** 32, 1, 1], /overflows/],
  ['max', ['a', 'y', 2 ** 40, 1, 2 ** 40], /overflows/],
  ['argmax', ['a', 'ints', 1, 2 ** 50, 2 ** 50], /overflows/],
  ['gemm', ['a', 'b', 'y', 0, 0, 2 ** 32, 2 ** 32, 1, 1, 0, 0], /2\^31/],
  ['gemm', ['a', 'b', 'y', 0, 0, 2 ** 31 - 1, 2, 2 ** 31 - 1, 1, 0, 0], /a holds 12/],
  ['softmax', ['a', 'y', 2 ** 33, 2 ** 33], /overflows/],
  ['softmaxGrad', ['a', 'b', 'y', 2 ** 33, 2 ** 33], /overflows/],
  ['softmaxCrossEntropy', ['a', 'good', 'y', 2 ** 33, 2 ** 33], /overflows/],
  ['expand', ['a', 'y', 1, 2 ** 52, 2 ** 52], /overflows|holds/],
  ['transpose', ['a', 'y', 2 ** 16, 2 ** 16, 2 ** 16, 2 ** 16], /overflows/],
  ['copy2d', ['a', 'y', 2 ** 40, 1, 0, 2 ** 40, 0, 1], /overflows|holds/],
  ['copy2d', ['a', 'y', 2, 1, BIG, BIG, 0, 1], /overflows|holds/],
  ['copy2d', ['a', 'y', 1, BIG, BIG, 1, 0, BIG], /overflows|holds/],
  ['gatherRows', ['a', 'good', 'y', 3, 2 ** 52, 2 ** 52], /overflows/],
  ['gatherBytes', ['bytes', 'good', 'y', 3, 2 ** 52, 2 ** 52, 1], /overflows/],
  ['scatterAdd', ['a', 'good', 'y', 1, 2 ** 52, 3, 2 ** 52, 0], /overflows|holds/],
  ['oneHot', ['good', 'y', 2 ** 33, 2 ** 33], /overflows|holds/],
  ['maxNorm', ['y', 'a', 2 ** 33, 2 ** 33], /overflows/],
  [
    'maxPool',
    ['a', 'y', 'bytes', 2 ** 52, 2 ** 12, 1, 1, 1, 1, 1, 1, 0, 0, 2 ** 12, 1],
    /overflows/,
  ],
  [
    'averagePool',
    ['a', 'y', 0, 1, 2 ** 52, 1, 1, 2 ** 52, 1, 2 ** 52, 1, 0, 0, 2 ** 52, 1],
    /overflows/,
  ],
  ['batchNorm', ['a', 'b', 'b', 'b', 'b', 'y', 2 ** 33, 2 ** 33, 1], /overflows/],
  ['layerNormSums', ['a', 'b', 'b', 'b', 'c', 'd', 'double', 2 ** 33, 2 ** 33], /overflows/],
  ['warp', ['a', 'b', 'six', 'y', 2 ** 52, 2 ** 15, 2 ** 15], /overflows/],
  ['warp', ['a', 'b', 'six', 'y', 0, 2 ** 15 + 1, 1], /at most 32768, got 32769 and 1/],
  conv({ batch: 2 ** 40, height: 2 ** 40 }, /overflows/),
  conv({ batch: 0, height: 2 ** 31 }, /extents must be below 2\^31/),
  conv({ padTop: 2 ** 31 }, /extents must be below 2\^31/),
  conv({ kernelWidth: 2 ** 31 - 1, dilationWidth: 2 ** 31 - 1 }, /below 2\^26 elements|overflows/),
  conv({ dilationHeight: 2 ** 30 }, /padded rows of one window must be below 2\^26 elements/),
])

refuseAll('buffers too small', [
  ['add', ['a', 'b', 'y', 1, 1, 13, 7, 7], /^add: y holds 12 elements, expected at least 13$/],
  ['add', ['empty', 'b', 'y', 1, 1, 12, 7, 7], /^add: a holds 0 elements, expected at least 12$/],
  ['add', ['a', 'empty', 'y', 1, 1, 12, 7, 0], /^add: b holds 0 elements, expected at least 1$/],
  ['exp', ['a', 'y', 13], /holds 12 elements/],
  ['reluGrad', ['a', 'six', 'y', 12], /dy holds 6/],
  ['select', ['a', 'b', 'six', 'y', 12], /b holds 6/],
  ['gemm', ['a', 'b', 'six', 0, 0, 3, 3, 4, 1, 0, 0], /^gemm: c holds 6 elements, expected/],
  ['gemm', ['six', 'b', 'y', 1, 1, 3, 3, 4, 1, 0, 0], /^gemm: a holds 6 elements, expected/],
  ['sum', ['a', 'empty', 1, 12, 1, 1], /y holds 0/],
  ['softmax', ['a', 'six', 3, 4], /y holds 6/],
  ['softmaxCrossEntropy', ['a', 'good', 'y', 4, 3], /labels holds 3/],
  ['copy2d', ['a', 'y', 3, 4, 1, 4, 0, 4], /x holds 12 elements, expected at least 13/],
  ['copy2d', ['a', 'y', 3, 4, 0, 4, 0, 5], /y holds 12 elements, expected at least 14/],
  ['transpose', ['a', 'six', 1, 3, 4, 1], /y holds 6/],
  ['expand', ['a', 'six', 1, 2, 12], /y holds 6/],
  ['gatherRows', ['a', 'good', 'six', 3, 4, 3], /y holds 6/],
  ['gatherRows', ['a', 'good', 'y', 3, 4, 4], /x holds 12 elements, expected at least 16/],
  ['scatterAdd', ['a', 'good', 'six', 1, 3, 3, 4, 0], /y holds 6/],
  ['oneHot', ['good', 'six', 3, 3], /y holds 6/],
  ['uniform', ['y', 'good', 4, 0, 1], /state holds 3/],
  ['sgd', ['y', 'a', 'empty', 12], /settings holds 0/],
  ['sgdMomentum', ['y', 'a', 'six', 'c', 12], /velocity holds 6/],
  ['biasRelu', ['a', 'six', 'y', 1, 12], /bias holds 6/],
  ['biasReluGrad', ['a', 'b', 'y', 'empty', 'six', 3, 4], /dbias holds 0/],
  ['gemmSgdMomentum', ['a', 'b', 'y', 'empty', 'six', 1, 0, 2, 2, 2, 0], /velocity holds 0/],
  ['gemmReluGrad', ['a', 'b', 'y', 'c', 'd', 'empty', 2, 2, 2, 0], /scratch holds 0/],
  ['linearRelu', ['a', 'b', 'empty', 'y', 2, 2, 2, 0], /bias holds 0/],
  ['gemmAdam', ['a', 'b', 'y', 'c', 'd', 'six', 1, 0, 2, 2, 2, 0], /settings holds 6/],
  ['maxNorm', ['y', 'empty', 3, 4], /limit holds 0/],
  [
    'maxPool',
    ['six', 'y', 'bytes', 1, 4, 3, 1, 2, 2, 1, 1, 0, 0, 3, 2],
    /x holds 6 elements, expected at least 12/,
  ],
  ['maxPool', ['a', 'six', 'bytes', 1, 4, 3, 1, 1, 1, 1, 1, 0, 0, 4, 3], /y holds 6/],
  ['maxPoolGrad', ['a', 'bytes', 'six', 1, 4, 3, 1, 1, 1, 1, 1, 0, 0, 4, 3], /dx holds 6/],
  ['maxPoolGrad', ['a', 'good', 'y', 1, 4, 3, 1, 1, 1, 1, 1, 0, 0, 4, 3], /places holds 3/],
  ['averagePool', ['a', 'six', 0, 1, 4, 3, 1, 1, 1, 1, 1, 0, 0, 4, 3], /y holds 6/],
  ['averagePoolGrad', ['six', 'y', 0, 1, 4, 3, 1, 1, 1, 1, 1, 0, 0, 4, 3], /dy holds 6/],
  ['batchNormMoments', ['a', 'empty', 'y', 'c', 'd', 'double', 3, 4, 1, 0], /mean holds 0/],
  ['batchNormMoments', ['a', 'y', 'z', 'c', 'empty', 'double', 3, 4, 1, 0], /runningVar holds 0/],
  [
    'batchNormMoments',
    ['a', 'y', 'z', 'c', 'd', 'double', 1, 7, 1, 0],
    /scratch holds 12 elements, expected at least 14/,
  ],
  ['batchNorm', ['a', 'b', 'b', 'b', 'empty', 'y', 3, 4, 1], /bias holds 0/],
  ['batchNormRelu', ['a', 'b', 'empty', 'b', 'b', 'y', 3, 4, 1], /variance holds 0/],
  ['batchNormSums', ['a', 'six', 'b', 'b', 'y', 'z', 'double', 3, 4, 1], /x holds 6/],
  ['batchNormGrad', ['a', 'a', 'b', 'b', 'b', 'empty', 'b', 'y', 3, 4, 1], /dweight holds 0/],
  ['layerNorm', ['a', 'b', 'b', 'y', 'empty', 'z', 3, 4, 1, 1], /mean holds 0/],
  ['layerNormGrad', ['a', 'b', 'b', 'empty', 'b', 'y', 3, 4, 1], /mean holds 0/],
  ['layerNormSums', ['a', 'b', 'b', 'b', 'y', 'empty', 'double', 3, 4], /dbias holds 0/],
  ['maxNorm', ['six', 'a', 3, 4], /w holds 6/],
  ['warp', ['a', 'b', 'a', 'y', 1, 3, 3], /shifts holds 12 elements, expected at least 18/],
  ['warp', ['a', 'empty', 'b', 'y', 1, 2, 3], /maps holds 0/],
  ['warp', ['a', 'b', 'a', 'empty', 1, 2, 3], /y holds 0/],
  conv({ batch: 4 }, /^conv: x holds 12 elements, expected at least 16$/),
  conv({ filters: 13 }, /^conv: y holds 12 elements, expected at least 13$/),
  conv({ kernelHeight: 13 }, /^conv: w holds 12 elements, expected at least 26$/),
  conv({ kernelHeight: 0 }, /kernel, stride and dilation must be at least 1/),
  conv({ strideWidth: 0 }, /kernel, stride and dilation must be at least 1/),
  conv({ groups: 0 }, /groups must divide channels and filters, which are at least 1/),
  conv({ channels: 0 }, /groups must divide/),
  conv({ groups: 2 }, /groups must divide/),
])

refuseAll('wrong dtypes', [
  ['maxPool', ['a', 'y', 'bools', 1, 4, 3, 1, 1, 1, 1, 1, 0, 0, 4, 3], /places is bool/],
  [
    'batchNormMoments',
    ['a', 'y', 'z', 'c', 'd', 'b', 3, 4, 1, 0],
    /scratch is float32, expected float64/,
  ],
  ['relu', ['ints', 'y', 12], /^relu: x is int32, expected float32$/],
  ['relu', ['a', 'bytes', 12], /^relu: y is uint8, expected float32$/],
  ['equal', ['a', 'ints', 'y', 1, 1, 12, 7, 7], /^equal: a and b have different dtypes$/],
  ['equal', ['ints', 'ints', 'ints', 1, 1, 12, 7, 7], /y is int32, expected float32 or float64$/],
  ['relu', ['double', 'y', 12], /^relu: x is float64; relu has no float64 here, expected float32$/],
  ['relu', ['a', 'double', 12], /^relu: y is float64; relu has no float64 here, expected float32$/],
  ['gemm', ['double', 'double', 'double', 0, 0, 2, 2, 2, 1, 0, 0], /gemm has no float64 here/],
  ['argmax', ['a', 'y', 3, 4, 1], /y is float32, expected int32/],
  ['gatherRows', ['a', 'b', 'y', 3, 4, 3], /indices is float32, expected int32/],
  ['gatherBytes', ['a', 'good', 'y', 3, 4, 3, 1], /x is float32, expected uint8/],
  ['uniform', ['y', 'a', 12, 0, 1], /state is float32, expected int32/],
  ['copy2d', ['a', 'bytes', 1, 12, 0, 12, 0, 12], /different dtypes/],
  ['copy2d', ['bools', 'bytes', 1, 12, 0, 12, 0, 12], /different dtypes/],
  ['expand', ['double', 'y', 1, 1, 12], /different dtypes/],
  ['transpose', ['bytes', 'y', 1, 3, 4, 1], /different dtypes/],
  ['transpose', ['ints', 'y', 1, 3, 4, 1], /different dtypes/],
  ['gatherRows', ['a', 'good', 'ints', 3, 4, 3], /different dtypes/],
])

refuseAll('a result that is one of the inputs', [
  ['warp', ['y', 'b', 'a', 'y', 1, 2, 3], /same buffer/],
  ['maxNorm', ['y', 'y', 3, 4], /same buffer/],
  ['maxPool', ['y', 'y', 'bytes', 1, 4, 3, 1, 1, 1, 1, 1, 0, 0, 4, 3], /same buffer/],
  ['batchNorm', ['y', 'b', 'b', 'b', 'b', 'y', 3, 4, 1], /same buffer/],
  ['batchNormMoments', ['a', 'y', 'y', 'c', 'd', 'double', 3, 4, 1, 0], /same buffer/],
  ['gemm', ['y', 'b', 'y', 0, 0, 3, 3, 3, 1, 0, 0], /c must not be the same buffer as a/],
  ['gemm', ['a', 'y', 'y', 0, 0, 3, 3, 3, 1, 0, 0], /c must not be the same buffer as b/],
  ['sum', ['y', 'y', 3, 4, 1, 1], /same buffer/],
  ['softmax', ['y', 'y', 3, 4], /same buffer/],
  ['softmaxGrad', ['a', 'y', 'y', 3, 4], /same buffer/],
  ['softmaxCrossEntropyGrad', ['a', 'good', 'y', 'y', 3, 4], /same buffer/],
  ['expand', ['y', 'y', 1, 2, 6], /same buffer/],
  ['copy2d', ['y', 'y', 1, 6, 0, 6, 6, 6], /same buffer/],
  ['transpose', ['y', 'y', 1, 3, 4, 1], /same buffer/],
  ['gatherRows', ['y', 'good', 'y', 3, 4, 3], /same buffer/],
  ['gatherRows', ['ints', 'good', 'good', 3, 1, 3], /same buffer/],
  ['scatterAdd', ['y', 'good', 'y', 1, 3, 3, 4, 0], /same buffer/],
  ['permutation', ['state', 'state', 4], /same buffer/],
  ['sgd', ['y', 'y', 'six', 12], /same buffer/],
  ['sgdMomentum', ['y', 'a', 'y', 'six', 12], /same buffer/],
  ['biasTanh', ['a', 'y', 'y', 1, 12], /y must not be the same buffer as bias/],
  ['biasTanhGrad', ['a', 'b', 'y', 'y', 'c', 1, 12], /dbias must not be the same buffer as dx/],
  ['gemmSgdMomentum', ['a', 'b', 'y', 'y', 'six', 1, 0, 2, 2, 2, 0], /same buffer/],
  ['gemmReluGrad', ['a', 'b', 'y', 'c', 'd', 'c', 2, 2, 2, 0], /same buffer/],
  ['gemmAdam', ['a', 'b', 'y', 'c', 'c', 'six', 1, 0, 2, 2, 2, 0], /same buffer/],
  ['linear', ['a', 'b', 'c', 'a', 2, 2, 2, 0], /same buffer/],
  // A repeated operand would be overwritten while it is still needed.
  ['add', ['y', 'b', 'y', 1, 3, 4, 4, 7], /same buffer/],
])

refuseAll('values out of range', [
  [
    'maxPool',
    ['a', 'y', 'bytes', 1, 4, 3, 1, 0, 1, 1, 1, 0, 0, 4, 3],
    /windows and strides must be at least 1/,
  ],
  [
    'maxPool',
    ['a', 'y', 'bytes', 1, 4, 3, 1, 1, 1, 1, 0, 0, 0, 4, 3],
    /windows and strides must be at least 1/,
  ],
  [
    'maxPool',
    ['a', 'y', 'bytes', 1, 4, 3, 1, 2, 2, 1, 1, 2, 0, 3, 2],
    /padding must be smaller than the window/,
  ],
  [
    'averagePool',
    ['a', 'y', 0, 1, 4, 3, 1, 2, 2, 2, 1, 0, 0, 3, 2],
    /all of them must touch the image/,
  ],
  ['averagePoolGrad', ['a', 'y', 0, 1, 4, 3, 1, 2, 2, 2, 1, 0, 0, 0, 2], /there must be windows/],
  [
    'averagePool',
    ['a', 'y', 2, 1, 4, 3, 1, 2, 2, 1, 1, 0, 0, 3, 2],
    /countPadding must be 0 or 1, got 2/,
  ],
  ['maxPool', ['a', 'y', 'bytes', 1, 1, 1, 1, 257, 1, 1, 1, 0, 0, 1, 1], /at most 256 places/],
  ['batchNormMoments', ['a', 'y', 'z', 'c', 'd', 'double', 0, 4, 1, 0], /rows must be at least 1/],
  [
    'batchNormMoments',
    ['a', 'y', 'z', 'c', 'd', 'double', 3, 4, 1, 2],
    /correction must be 0 or 1, got 2/,
  ],
  ['layerNorm', ['a', 'b', 'b', 'y', 'z', 'c', 3, 4, 1, 2], /centered must be 0 or 1, got 2/],
  ['gemm', ['a', 'b', 'y', 2, 0, 2, 2, 2, 1, 0, 0], /transA must be 0 or 1, got 2/],
  ['gemm', ['a', 'b', 'y', 0, 0, 2, 2, 2, 1, 0, 2], /panels must be 0 or 1, got 2/],
  ['add', ['a', 'b', 'y', 1, 1, 12, 8, 7], /mask/],
  ['clip', ['a', 'y', 12, 2, 1], /^clip: low must be at most high, got 2.* and 1/],
  ['clip', ['a', 'y', 12, Number.NaN, 1], /^clip: low must be at most high/],
  ['bernoulli', ['y', 'state', 12, 1.5], /^bernoulli: p must be from 0 to 1/],
  ['bernoulli', ['y', 'state', 12, Number.NaN], /^bernoulli: p must be from 0 to 1/],
  ['max', ['a', 'y', 2, 0, 3], /^max: length must be at least 1/],
  ['argmax', ['a', 'ints', 2, 0, 3], /^argmax: length must be at least 1/],
])

/** Extents and strides of the last axes, from the given offsets on. */
function strided(
  [extents, xStrides, yStrides]: number[][],
  [x, y, xOffset, yOffset]: (string | number)[] = ['a', 'y', 0, 0],
): ['copyStrided', (string | number)[]] {
  const forAxes = (list: number[], other: number) => [
    ...new Array<number>(8 - list.length).fill(other),
    ...list,
  ]
  const numbers = [forAxes(extents, 1), forAxes(xStrides, 0), forAxes(yStrides, 0)].flat()
  return ['copyStrided', [x, y, xOffset, yOffset, ...numbers]]
}
refuseAll('strides that lead out of a buffer, or to one place twice', [
  [...strided([[12], [1], [1]], ['a', 'y', 1, 0]), /x holds 12 elements, expected at least 13$/],
  [...strided([[12], [1], [1]], ['a', 'y', 0, 5]), /y holds 12 elements, expected at least 17$/],
  [...strided([[2], [-1], [1]]), /^copyStrided: x starts before its first element$/],
  [
    ...strided(
      [
        [3, 2],
        [1, 1],
        [-4, 1],
      ],
      ['a', 'y', 0, 7],
    ),
    /y starts before its first element$/,
  ],
  [
    ...strided(
      [
        [3, 4],
        [-4, 8],
        [4, 1],
      ],
      ['a', 'y', 8, 0],
    ),
    /x holds 12 elements, expected at least 33/,
  ],
  [...strided([[2], [1], [0]]), /^copyStrided: the places in y must lie apart$/],
  [
    ...strided([
      [2, 3],
      [3, 1],
      [2, 1],
    ]),
    /the places in y must lie apart$/,
  ],
  [
    ...strided(
      [
        [2, 2],
        [3, 1],
        [-1, 1],
      ],
      ['a', 'y', 0, 3],
    ),
    /the places in y must lie apart$/,
  ],
  [...strided([[BIG], [BIG], [1]]), /^copyStrided: extent overflows$/],
  [
    ...strided([
      [BIG, BIG],
      [2 ** 10, 2 ** 10],
      [1, 1],
    ]),
    /overflows|holds/,
  ],
  [...strided([[BIG], [-BIG], [1]], ['a', 'y', BIG, 0]), /overflows/],
  [...strided([[2], [2 ** 53], [1]]), /x holds|whole number/],
  ...[0.5, Number.NaN, Infinity, -Infinity, 2 ** 60].flatMap((stride): Refusal[] => [
    [
      ...strided([[2], [stride], [1]]),
      /^copyStrided: a stride must be a whole number below 2\^53$/,
    ],
    [...strided([[2], [1], [stride]]), /a stride must be a whole number below 2\^53$/],
  ]),
  [...strided([[2], [1], [1]], ['y', 'y', 0, 4]), /same buffer/],
  [...strided([[2], [1], [1]], ['ints', 'y', 0, 0]), /different dtypes/],
])

refuseAll('what goes along an axis', [
  ['gather', ['a', 'good', 'y', 1, 3, 3, 4, 2], /^gather: each must be 0 or 1, got 2$/],
  ['gather', ['a', 'good', 'y', 1, 4, 3, 4, 0], /x holds 12 elements, expected at least 16/],
  ['gather', ['a', 'good', 'y', 3, 3, 2, 1, 1], /indices holds 3 elements, expected at least 6/],
  ['gather', ['a', 'good', 'six', 1, 3, 3, 4, 0], /y holds 6/],
  ['gather', ['a', 'good', 'y', 2 ** 40, 2 ** 40, 3, 1, 0], /overflows|holds/],
  ['gather', ['a', 'good', 'ints', 1, 3, 3, 4, 0], /different dtypes/],
  ['gather', ['ints', 'good', 'good', 1, 3, 3, 1, 0], /same buffer/],
  ['scatter', ['six', 'good', 'y', 1, 3, 3, 4, 0], /x holds 6/],
  ['scatter', ['y', 'good', 'y', 1, 3, 3, 4, 0], /same buffer/],
  ['scatter', ['a', 'good', 'y', 0, 2 ** 50, 2 ** 50, 4, 0], /indices holds 3/],
  ['argsort', ['a', 'ints', 'double', 1, 6, 1, 7, 0], /^argsort: count must be at most length$/],
  ['argsort', ['a', 'ints', 'double', 1, 12, 1, 12, 2], /descending must be 0 or 1, got 2$/],
  ['argsort', ['a', 'good', 'double', 1, 12, 1, 12, 0], /indices holds 3/],
  ['argsort', ['a', 'ints', 'double', 2 ** 33, 2 ** 33, 1, 1, 0], /overflows/],
  [
    'argsort',
    ['bytes', 'ints', 'double', 1, 12, 1, 12, 0],
    /x is uint8.*expected float32 or int32/,
  ],
  ['argsort', ['a', 'ints', 'y', 1, 12, 1, 12, 0], /keys is float32, expected float64$/],
  ['argsort', ['ints', 'ints', 'double', 1, 12, 1, 12, 0], /same buffer/],
  ['cumsum', ['a', 'y', 1, 12, 1, 2], /reverse must be 0 or 1, got 2$/],
  ['cumsum', ['a', 'six', 1, 12, 1, 0], /y holds 6/],
  ['cumprod', ['a', 'y', 2 ** 33, 2 ** 33, 1], /overflows/],
  ['cumprod', ['y', 'y', 1, 12, 1], /same buffer/],
  ['cumprodGrad', ['a', 'b', 'six', 'y', 1, 12, 1], /dy holds 6/],
  ['triangle', ['a', 'y', 1, 4, 4, 0, 0], /x holds 12 elements, expected at least 16/],
  ['triangle', ['a', 'y', 1, 3, 4, 0, 2], /upper must be 0 or 1/],
  ['triangle', ['a', 'ints', 1, 3, 4, 0, 0], /different dtypes/],
  ['select', ['ints', 'a', 'six', 'y', 12], /b holds 6/],
  ['select', ['ints', 'a', 'ints', 'y', 12], /different dtypes/],
  ['cdist', ['a', 'b', 'y', 1, 3, 3, 5], /a holds 12 elements, expected at least 15/],
  ['cdist', ['a', 'b', 'six', 1, 3, 3, 4], /y holds 6/],
  ['cdist', ['a', 'b', 'y', 2 ** 33, 2 ** 33, 1, 1], /overflows/],
  ['cdistGrad', ['a', 'b', 'y', 'z', 'six', 1, 3, 3, 4], /da holds 6/],
])

refuseAll('what is drawn', [
  ['randint', ['ints', 'good', 12, 0, 5], /state holds 3/],
  ['randint', ['y', 'state', 12, 0, 5], /y is float32, expected int32/],
  ...[
    [5, 5],
    [0.5, 2],
    [0, 2 ** 31 + 1],
    [-(2 ** 31) - 1, 0],
    [Number.NaN, 1],
    [0, Infinity],
  ].map(
    ([low, high]): Refusal => [
      'randint',
      ['ints', 'state', 12, low, high],
      /^randint: low and high/,
    ],
  ),
  ['multinomial', ['a', 'ints', 'state', 'double', 3, 4, 2, 2], /replacement must be 0 or 1/],
  ['multinomial', ['a', 'ints', 'state', 'double', 3, 5, 2, 1], /weights holds 12/],
  ['multinomial', ['a', 'ints', 'state', 'double', 3, 4, 5, 1], /y holds 12/],
  ['multinomial', ['a', 'ints', 'good', 'double', 3, 4, 2, 1], /state holds 3/],
  ['multinomial', ['a', 'ints', 'state', 'double', 2 ** 40, 2 ** 30, 2, 1], /overflows/],
  ['multinomial', ['a', 'ints', 'state', 'double', 0, 2 ** 31, 2, 1], /cols must be below 2\^31/],
  [
    'multinomial',
    ['a', 'ints', 'state', 'double', 2, 4, 5, 0],
    /at least 5 above 0 in row 0, got 4$/,
  ],
  [
    'multinomial',
    ['six', 'ints', 'state', 'double', 2, 3, 1, 1],
    /at least 1 above 0 in row 1, got 0$/,
  ],
])

const indexRefusals: Refusal[] = [
  [
    'gatherRows',
    ['a', 'bad', 'y', 3, 4, 3],
    /^gatherRows: indices\[2\]: expected an index from 0 to below 3, got 3$/,
  ],
  ['gatherRows', ['a', 'negative', 'y', 3, 4, 3], /indices\[1\]: .* from 0 to below 3, got -1$/],
  ['gatherRows', ['empty', 'good', 'y', 1, 4, 0], /indices\[0\]: .* from 0 to below 0, got 0$/],
  ['gatherBytes', ['bytes', 'bad', 'y', 3, 4, 3, 1], /^gatherBytes: indices\[2\]: /],
  ['scatterAdd', ['a', 'bad', 'y', 1, 3, 3, 4, 0], /^scatterAdd: indices\[2\]: /],
  ['scatter', ['a', 'negative', 'y', 1, 3, 3, 4, 0], /^scatter: indices\[1\]: .* got -1$/],
  ['gather', ['a', 'bad', 'y', 1, 3, 3, 1, 1], /^gather: indices\[2\]: .* below 3, got 3$/],
  ['gather', ['empty', 'good', 'y', 1, 0, 1, 4, 0], /^gather: indices\[0\]: .* below 0, got 0$/],
  ['oneHot', ['bad', 'y', 3, 3], /^oneHot: labels\[2\]: /],
  ['softmaxCrossEntropy', ['a', 'bad', 'y', 3, 3], /^softmaxCrossEntropy: labels\[2\]: /],
  [
    'softmaxCrossEntropyGrad',
    ['a', 'negative', 'b', 'y', 3, 4],
    /^softmaxCrossEntropyGrad: labels\[1\]: /,
  ],
]
refuseAll('indices and labels out of range, before anything is written', indexRefusals)

t.test('the JavaScript backend refuses indices in the same words', async (t) => {
  const js = new JsBackend()
  const twins = Object.fromEntries(
    Object.entries(arrays).map(([name, [array, dtype]]) => {
      const handle = js.alloc(array.length, dtype)
      js.write(handle, array)
      return [name, handle]
    }),
  )
  for (const [kernel, args, message] of indexRefusals) {
    const values = args.map((arg) => (typeof arg === 'string' ? twins[arg] : arg))
    t.throws(() => js.run(kernel, ...(values as never)), { message }, kernel)
  }
  const y = new Float32Array(12)
  js.read(twins.y, y)
  t.strictSame(y, arrays.y[0], 'nothing is written')
})

t.test('lengths and transfers', async (t) => {
  for (const length of [-1, 0.5, Number.NaN, 2 ** 53, 1e300, Infinity]) {
    t.throws(() => native.alloc(length, 'float32'), KernelError, `alloc(${length})`)
  }
  for (const length of [2 ** 40, 2 ** 50, BIG]) {
    t.throws(() => native.alloc(length, 'float32'), OutOfMemoryError, `alloc(${length})`)
  }
  t.throws(() => native.alloc(1, 'float16' as DType), KernelError)
  const { a } = handles
  t.throws(() => native.write(a, new Int32Array(1)), KernelError, 'int32 to float32')
  t.throws(() => native.write(a, new Float64Array(1)), KernelError, 'float64 to float32')
  t.throws(() => native.write(a, [1] as unknown as TypedArray), KernelError, 'no typed array')
  for (const offset of [1, 12, 13, -1, 0.5, Number.NaN, Infinity, 2 ** 53, 2 ** 64]) {
    t.throws(() => native.write(a, new Float32Array(12), offset), KernelError, `at ${offset}`)
    t.throws(() => native.read(a, new Float32Array(12), offset), KernelError, `at ${offset}`)
  }
  t.throws(() => native.read(a, new Float32Array(13)), KernelError, 'longer than the buffer')
  checkUntouched(t)
})

t.test(
  'rows without columns and columns without rows, which no buffer bounds, take no time',
  async (t) => {
    const { a, b, y, z, c } = handles
    native.run('biasReluGrad', a, b, y, z, c, BIG, 0)
    native.run('softmax', a, y, BIG, 0)
    native.run('maxNorm', y, a, 0, BIG)
    checkUntouched(t)
  },
)

t.test('a mailbox that was transferred is not read any more', async (t) => {
  const url = new URL('../../lib/backend/native/addon.js', import.meta.url).href
  const text = `
    import { loadAddon } from '${url}'
    const addon = loadAddon()
    const { mailbox } = addon
    const neg = addon.kernels.findIndex(({ name }) => name === 'neg')
    const [x, y] = [addon.alloc(4, 0), addon.alloc(4, 0)]
    mailbox.set([x, y, 4])
    addon.run(neg)
    // Given away, dropped, and its memory used by others.
    structuredClone(mailbox.buffer, { transfer: [mailbox.buffer] })
    for (let i = 0; i < 1000; i++) new Float64Array(32).fill(NaN)
    try {
      addon.run(neg)
    } catch (error) {
      console.log(error.message)
    }`
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    text,
  ])
  t.equal(stdout, 'neg: the mailbox was transferred\n')
})

t.test('the backend works after all that', async (t) => {
  native.run('add', handles.a, handles.b, handles.z, 1, 1, 12, 7, 7)
  const z = new Float32Array(12)
  native.read(handles.z, z)
  t.strictSame(z, new Float32Array(12).fill(3))
  const before = native.memory().buffers
  for (const handle of Object.values(handles)) native.release(handle)
  t.equal(native.memory().buffers, before - Object.keys(handles).length)
})
