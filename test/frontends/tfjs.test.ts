import { createRequire } from 'node:module'
import type * as TensorFlow from '@tensorflow/tfjs'
import t from 'tap'
import type { NeuroblasBackend } from '../../lib/frontends/tfjs/index.js'
import '../../lib/frontends/tfjs/index.js'

const tf: typeof TensorFlow = createRequire(import.meta.url)('@tensorflow/tfjs')
// cpu advises to install another package, once.
tf.env().set('IS_NODE', false)

const backend = () => tf.backend() as unknown as NeuroblasBackend
const values = (x: TensorFlow.Tensor) => Array.from(x.dataSync())

/** Takes memory that was freed, and fills it with something else. */
function churn(size: number): void {
  for (let i = 0; i < 20; i++) tf.tidy(() => tf.add(tf.fill([size], 100 + i), 1).dataSync())
}

t.before(() => tf.setBackend('neuroblas'))
t.beforeEach(() => tf.engine().startScope())
t.afterEach(() => tf.engine().endScope())

t.test('it is the backend of choice, and what it has needs no other', async (t) => {
  t.equal(tf.getBackend(), 'neuroblas')
  const x = tf.tensor2d([1, 2, 3, 4], [2, 2])
  t.strictSame(values(tf.matMul(x, x)), [7, 10, 15, 22])
  t.strictSame(backend().fallbacks(), {})
  t.strictSame(values(tf.unique(tf.tensor1d([3, 1, 3])).values), [3, 1])
  t.same(backend().fallbacks(), {}, 'only of kernels that it has')
  t.strictSame(values(tf.mod(tf.tensor1d([7, 3], 'int32'), tf.tensor1d([0, 2], 'int32'))), [0, 1])
  t.strictSame(backend().fallbacks(), { Mod: 1 })
})

t.test('kernels that the backend has for volumes, whole numbers and channels first', async (t) => {
  const before = { ...backend().fallbacks() }
  const whole = tf.tensor2d([2, -3, 65536, 65537], [2, 2], 'int32')
  t.strictSame(values(tf.pow(whole, tf.tensor1d([-1, 2], 'int32'))), [0, 9, 0, 131073])
  t.strictSame(values(tf.prod(whole, 1)), [-6, 65536])
  t.strictSame(values(tf.cumsum(whole, 0, true, true)), [65536, 65537, 0, 0])
  t.strictSame(values(tf.cumprod(whole, 1, false, true)), [-6, -3, 65536, 65537])
  t.strictSame(values(tf.relu(whole)), [2, 0, 65536, 65537])
  // numpy.einsum; cpu gives the first of these another shape.
  const a = tf.tensor2d([1, 2, 3, 4], [2, 2])
  const b = tf.tensor1d([10, 100])
  t.strictSame(values(tf.einsum('ij,k->k', a, b)), [100, 1000])
  t.strictSame(values(tf.einsum('ij,jk->k', a, a)), [22, 32])
  t.strictSame(values(tf.einsum('ij->j', a)), [4, 6])
  const x = tf.range(0, 16).reshape([1, 2, 2, 2, 2]) as TensorFlow.Tensor5D
  t.strictSame(values(tf.maxPool3d(x, 2, 2, 'valid')), [14, 15])
  t.strictSame(values(tf.avgPool3d(x, 2, 2, 'valid')), [7, 8])
  const last = tf.range(0, 8).reshape([1, 2, 2, 2]) as TensorFlow.Tensor4D
  const first = tf.transpose(last, [0, 3, 1, 2]) as TensorFlow.Tensor4D
  const filter = tf.tensor4d([1, 2], [1, 1, 2, 1])
  t.strictSame(
    values(tf.conv2d(first, filter, 1, 'same', 'NCHW')),
    values(tf.conv2d(last, filter, 1, 'same')),
  )
  t.same(backend().fallbacks(), before)
})

t.test('the values that a tensor is made of are copied', async (t) => {
  for (const array of [new Float32Array([1, 2]), new Int32Array([1, 2]), new Uint8Array([1, 0])]) {
    const dtype =
      array instanceof Uint8Array ? 'bool' : array instanceof Int32Array ? 'int32' : 'float32'
    const x = tf.tensor1d(array, dtype)
    const before = [...array]
    array[0] = 7
    t.strictSame(values(x), before)
    t.strictSame(values(x.clone()), before)
  }
  const whole = new Float32Array([0, 1, 2, 3])
  t.strictSame(values(tf.add(tf.tensor1d(whole.subarray(2)), 0)), [2, 3])
})

t.test('what is read is a copy, and outlives its tensor', async (t) => {
  const x = tf.add(tf.ones([5]), 1)
  const read = x.dataSync()
  read[0] = 9
  t.strictSame(values(x), [2, 2, 2, 2, 2])
  const again = await x.data()
  x.dispose()
  churn(5)
  t.strictSame([...again], [2, 2, 2, 2, 2])
})

t.test('slices, reshapes, clones and casts outlive what they were made of', async (t) => {
  const make = () => tf.add(tf.ones([2, 3]), 1)
  const derived = {
    slice: [(x: TensorFlow.Tensor2D) => tf.slice(x, [1, 0], [1, 3]), [2, 2, 2]],
    reshape: [(x: TensorFlow.Tensor2D) => tf.reshape(x, [6]), [2, 2, 2, 2, 2, 2]],
    clone: [(x: TensorFlow.Tensor2D) => tf.clone(x), [2, 2, 2, 2, 2, 2]],
    cast: [(x: TensorFlow.Tensor2D) => tf.cast(x, 'int32'), [2, 2, 2, 2, 2, 2]],
  } as const
  for (const [name, [derive, expected]] of Object.entries(derived)) {
    const x = make() as TensorFlow.Tensor2D
    const y = derive(x)
    x.dispose()
    churn(6)
    t.strictSame(values(y), expected, name)
  }
})

t.test('arrays are of the class that the dtype says', async (t) => {
  const classOf = (x: TensorFlow.Tensor) => x.dataSync().constructor.name
  const labels = tf.oneHot(tf.tensor1d([1, 0], 'int32'), 2)
  t.equal(classOf(labels), 'Int32Array')
  t.equal(classOf(tf.cast(tf.tensor1d([1, 2], 'int32'), 'float32')), 'Float32Array')
  t.equal(classOf(tf.cast(tf.tensor1d([1, 0], 'bool'), 'float32')), 'Float32Array')
  t.equal(classOf(tf.greater(tf.scalar(1), 0)), 'Uint8Array')
  t.equal(classOf(tf.sum(tf.tensor1d([true, true], 'bool'))), 'Int32Array')
  t.equal(classOf(tf.sum(tf.scalar(true, 'bool'))), 'Int32Array')
  t.equal(classOf(tf.mean(tf.scalar(3, 'int32'))), 'Float32Array')
})

t.test('an Int32Array that cpu calls float32 is used as floats', async (t) => {
  await tf.setBackend('cpu')
  const wholes = tf.tensor1d([1, 2, 3], 'int32')
  const floats = tf.cast(wholes, 'float32')
  await tf.setBackend('neuroblas')
  t.strictSame(values(tf.mul(floats, 0.5)), [0.5, 1, 1.5])
  t.strictSame(values(tf.add(wholes, tf.scalar(1, 'int32'))), [2, 3, 4])
  t.strictSame(values(tf.mul(floats, 0.5)), [0.5, 1, 1.5])
})

t.test('tensors go from one backend to the other in the middle of a model', async (t) => {
  const w = tf.variable(tf.tensor2d([1, 2, 3, 4], [2, 2]))
  const x = tf.tensor2d([1, 0, 0, 1], [2, 2])
  const h = tf.matMul(x, w)
  await tf.setBackend('cpu')
  const y = tf.relu(tf.sub(h, 2))
  const parts = tf.complex([1, 2], [3, 4])
  await tf.setBackend('neuroblas')
  t.strictSame(values(tf.add(y, w)), [1, 2, 4, 6])
  t.strictSame(values(tf.real(tf.add(parts, parts))), [2, 4])
  t.strictSame(values(tf.imag(tf.mul(parts, parts))), [6, 16])
  w.dispose()
})

t.test('strings and complex numbers', async (t) => {
  const words = tf.tensor1d(['a', 'ß'])
  t.strictSame(words.arraySync(), ['a', 'ß'])
  t.strictSame(tf.concat([words, words]).arraySync(), ['a', 'ß', 'a', 'ß'])
  t.strictSame(values(tf.complex([1], [2])), [1, 2])
  t.strictSame(tf.reshape(tf.complex([1, 2], [3, 4]), [2, 1]).shape, [2, 1])
})

t.test('NaN: argMax and pools pass over it, its sign is 0', async (t) => {
  t.strictSame(values(tf.argMax(tf.tensor2d([[1, Number.NaN, 3]]), 1)), [2])
  t.strictSame(values(tf.sign(tf.tensor1d([Number.NaN, -2]))), [0, -1])
  t.strictSame(values(tf.step(tf.tensor1d([Number.NaN, -2, 2]), 0.25)), [Number.NaN, 0.25, 1])
  const x = tf.tensor4d([1, Number.NaN, 3, 2], [1, 2, 2, 1])
  t.strictSame(values(tf.maxPool(x, 2, 2, 'valid')), [3])
  const dx = tf.grad((a: TensorFlow.Tensor) => tf.maxPool(a as TensorFlow.Tensor4D, 2, 2, 'valid'))
  t.strictSame(values(dx(x)), [0, 0, 1, 0])
})

t.test(
  'pools: 1 × 1 is the identity, averages leave out the padding, their gradient does not',
  async (t) => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1])
    t.strictSame(values(tf.maxPool(x, 1, 1, 'same')), values(x))
    t.strictSame(values(tf.avgPool(x, 2, 2, 'same')), [3, 4.5, 7.5, 9])
    const dx = tf.grad((a: TensorFlow.Tensor) =>
      tf.avgPool(a as TensorFlow.Tensor4D, 2, 2, 'same'),
    )(x)
    t.strictSame(values(dx), new Array(9).fill(0.25))
  },
)

t.test('the gradient of a pool, of its own result and of one that cpu made', async (t) => {
  const x = tf.tensor4d([1, 5, 3, 2], [1, 2, 2, 1])
  const gradient = tf.grad((a: TensorFlow.Tensor) =>
    tf.mul(tf.maxPool(a as TensorFlow.Tensor4D, 2, 2, 'valid'), 3),
  )
  t.strictSame(values(gradient(x)), [0, 3, 0, 0])
  await tf.setBackend('cpu')
  const pooled = tf.maxPool(x, 2, 2, 'valid')
  await tf.setBackend('neuroblas')
  const attributes = { filterSize: 2, strides: 2, pad: 'valid' }
  const inputs = { dy: tf.onesLike(pooled), input: x, output: pooled }
  const dx = tf.engine().runKernel('MaxPoolGrad', inputs, attributes) as TensorFlow.Tensor
  t.strictSame(values(dx), [0, 1, 0, 0])
})

t.test('a transposed convolution of more than the convolution gives', async (t) => {
  const dy = tf.ones<TensorFlow.Rank.R4>([1, 3, 3, 1])
  const w = tf.ones<TensorFlow.Rank.R4>([2, 2, 1, 1])
  const y = tf.conv2dTranspose(dy, w, [1, 3, 3, 1], 1, 'valid')
  await tf.setBackend('cpu')
  const expected = tf.conv2dTranspose(dy, w, [1, 3, 3, 1], 1, 'valid')
  t.strictSame(values(y), values(expected))
  await tf.setBackend('neuroblas')
})

t.test('an index out of range: the message of the backend cpu', async (t) => {
  const x = tf.tensor1d([1, 2, 3])
  const gather = (index: number) => () => tf.gather(x, tf.tensor1d([0, index], 'int32'))
  t.throws(gather(3), /GatherV2: the index value 3 is not in \[0, 2\]/)
  t.throws(gather(-1), /GatherV2: the index value -1 is not in \[0, 2\]/)
  t.strictSame(values(tf.oneHot(tf.tensor1d([0, 7, -1], 'int32'), 2)), [1, 0, 0, 0, 0, 0])
  const sums = tf.unsortedSegmentSum(x, tf.tensor1d([0, 5, -1], 'int32'), 2)
  t.strictSame(values(sums), [1, 0])
})

t.test('an axis that is given twice is refused, as TensorFlow does', async (t) => {
  const x = tf.ones([3, 3, 2])
  const twice = /: expected axes that differ, got 0,0/
  t.throws(() => tf.sum(x, [0, 0]), twice)
  t.throws(() => tf.mean(x, [0, -3]), twice)
  t.throws(() => tf.max(x, [0, 0]), twice)
  t.throws(() => tf.reverse(x, [0, 0]), twice)
  t.throws(() => tf.transpose(tf.ones([2, 2]), [0, 0]), twice)
})

t.test('whole numbers and truth values are not rounded', async (t) => {
  const x = tf.tensor1d([2 ** 24 + 1, -(2 ** 30) - 1], 'int32')
  const one = tf.scalar(1, 'int32')
  t.strictSame(values(tf.add(x, one)), [2 ** 24 + 2, -(2 ** 30)])
  t.strictSame(values(tf.sum(x)), [2 ** 24 + 1 - 2 ** 30 - 1])
  t.strictSame(values(tf.max(x)), [2 ** 24 + 1])
  t.strictSame(values(tf.equal(x, tf.tensor1d([2 ** 24, -(2 ** 30) - 1], 'int32'))), [0, 1])
  t.strictSame(values(tf.topk(x, 1).values), [2 ** 24 + 1])
  t.strictSame(values(tf.tile(x, [2])), [...values(x), ...values(x)])
  t.strictSame(values(tf.floorDiv(x, tf.scalar(0, 'int32'))), [0, 0])
})

t.test('tensors of no elements and of rank 0', async (t) => {
  const none = tf.zeros([0, 3])
  t.strictSame(tf.matMul(none, tf.ones([3, 2])).shape, [0, 2])
  t.strictSame(values(tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 2]))), [0, 0, 0, 0])
  t.strictSame(values(tf.sum(none, 0)), [0, 0, 0])
  t.strictSame(tf.concat([none, tf.ones([1, 3])]).shape, [1, 3])
  t.strictSame(values(tf.add(tf.scalar(1), tf.scalar(2))), [3])
  t.strictSame(values(tf.softmax(none)), [])
})

t.test('a buffer may be disposed of twice', async (t) => {
  const x = tf.add(tf.ones([2]), 1)
  x.dispose()
  x.dispose()
  t.throws(() => x.dataSync(), /disposed/)
  const id = tf.add(tf.ones([2]), 1).dataId
  t.equal(backend().disposeData(id, true), true)
  t.equal(backend().disposeData(id, true), true)
})

t.test('nothing is left behind by a training step', async (t) => {
  const { numTensors } = tf.memory()
  const ids = backend().numDataIds()
  const { live } = backend().device.memory()
  for (let i = 0; i < 50; i++) {
    tf.tidy(() => {
      const w = tf.variable(tf.ones<TensorFlow.Rank.R2>([3, 3]))
      const loss = (a: TensorFlow.Tensor) =>
        tf.sum(tf.softmax(tf.matMul(a, w))) as TensorFlow.Scalar
      tf.grads(loss)([tf.ones([2, 3])])
      w.dispose()
    })
  }
  t.equal(tf.memory().numTensors, numTensors)
  t.equal(backend().numDataIds(), ids)
  t.equal(backend().device.memory().live, live)
})
