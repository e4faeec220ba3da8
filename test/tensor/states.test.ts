/**
 * Every public method of a tensor × every way that it can be released: each throws
 * ReleasedTensorError. The methods are taken from the class, so that a new one cannot be forgotten.
 */
import t from 'tap'
import {
  avgPool1d,
  avgPool2d,
  bmm,
  concat,
  globalAvgPool2d,
  globalMaxPool2d,
  groupNorm,
  layerNorm,
  linear,
  matmul,
  maxPool1d,
  maxPool2d,
  oneHot,
  ReleasedTensorError,
  rmsNorm,
  scope,
  stack,
  Tensor,
  tensor,
  where,
} from '../../lib/index.js'
import { crossEntropyPerExample } from '../../lib/ops/softmax.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const labels = () => tensor(Int32Array.of(0, 1))
const picks = () => labels().reshape([1, 2])
const matrix = () =>
  tensor([
    [1, 2],
    [3, 4],
  ])

/** How each method is called on a 2 × 2 matrix. */
const calls: Record<string, (x: Tensor) => unknown> = {
  handle: (x) => x.handle,
  data: (x) => x.data(),
  toArray: (x) => x.toArray(),
  item: (x) => x.item(),
  toString: (x: Tensor) => x.toString(),
  clip: (x) => x.clip(0, 1),
  reshape: (x) => x.reshape([4]),
  slice: (x) => x.slice([0, 1]),
  T: (x) => x.T,
  cast: (x) => x.cast('int32'),
  flatten: (x) => x.flatten(),
  squeeze: (x) => x.squeeze(),
  unsqueeze: (x) => x.unsqueeze(0),
  indexSelect: (x) => x.indexSelect(0, labels()),
  broadcastTo: (x) => x.broadcastTo([3, 2, 2]),
  assign: (x) => x.assign([1, 2, 3, 4]),

  bmm: (x) => x.reshape([1, 2, 2]).bmm(matrix().unsqueeze(0)),
  prelu: (x) => x.prelu(tensor([0.5])),
  backward: (x) => x.backward(tensor([1, 2, 3, 4], [2, 2])),

  split: (x) => x.split(1),
  chunk: (x) => x.chunk(2),
  tile: (x) => x.tile([2]),
  repeat: (x) => x.repeat([2, 1]),
  repeatInterleave: (x) => x.repeatInterleave(2),
  roll: (x) => x.roll(1),
  pad: (x) =>
    x.pad([
      [1, 0],
      [0, 0],
    ]),
  gather: (x) => x.gather(0, picks()),
  scatter: (x) => x.scatter(0, picks(), 1),
  scatterAdd: (x) => x.scatterAdd(0, picks(), matrix()),
  take: (x) => x.take(labels()),
  indexAdd: (x) => x.indexAdd(0, labels(), matrix()),
  indexCopy: (x) => x.indexCopy(0, labels(), matrix()),
  indexFill: (x) => x.indexFill(0, labels(), 1),
  maskedFill: (x) => x.maskedFill(tensor([true, false]), 0),
  maskedSelect: (x) => x.maskedSelect(tensor([true, false])),
  topK: (x) => x.topK(1),
  cumsum: (x) => x.cumsum(0),
  cumprod: (x) => x.cumprod(1),
}
for (const name of ['flip', 'tril', 'triu', 'diag', 'diagonal', 'nonzero', 'sort', 'argsort']) {
  calls[name] = (x) => wrong(x)[name]()
}
for (const name of ['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'matmul']) {
  calls[name] = (x) => wrong(x)[name](matrix())
}
for (const name of ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual']) {
  calls[name] = (x) => wrong(x)[name](matrix())
}
for (const name of ['neg', 'abs', 'sign', 'exp', 'log', 'sqrt', 'square', 'reciprocal', 'sin']) {
  calls[name] = (x) => wrong(x)[name]()
}
for (const name of ['cos', 'relu', 'sigmoid', 'tanh', 'softplus', 'softmax', 'logSoftmax']) {
  calls[name] = (x) => wrong(x)[name]()
}
for (const name of [
  'log1p',
  'expm1',
  'erf',
  'floor',
  'ceil',
  'round',
  'trunc',
  'isNaN',
  'isFinite',
]) {
  calls[name] = (x) => wrong(x)[name]()
}
for (const name of ['leakyRelu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'hardtanh', 'softsign']) {
  calls[name] = (x) => wrong(x)[name]()
}
for (const name of ['var', 'std', 'prod', 'logsumexp', 'any', 'all', 'logicalNot']) {
  calls[name] = (x) => wrong(x)[name]()
}
for (const name of ['logicalAnd', 'logicalOr', 'logicalXor', 'remainder']) {
  calls[name] = (x) => wrong(x)[name](matrix())
}
for (const name of ['maxWithIndices', 'minWithIndices']) calls[name] = (x) => wrong(x)[name](0)
for (const name of ['sum', 'mean', 'max', 'min', 'norm', 'argmax', 'argmin']) {
  calls[name] = (x) => wrong(x)[name]()
}
for (const name of ['transpose', 'detach', 'clone', 'view']) calls[name] = (x) => wrong(x)[name]()

/** What works on a released tensor too. */
const harmless = ['constructor', 'dispose', 'grad', 'release', 'requiresGrad']

const released: Record<string, (x: () => Tensor) => Tensor> = {
  'by dispose()': (make) => {
    const x = make()
    x.dispose()
    return x
  },
  'by dispose(), while a view lives': (make) => {
    const x = make()
    x.reshape([-1])
    x.dispose()
    return x
  },
  'at the end of its scope': (make) => {
    const kept: Tensor[] = []
    scope(() => {
      kept.push(make())
    })
    return kept[0]
  },
  'with the scope of the tensor it is a view of': (make) => {
    const kept: Tensor[] = []
    scope(() => {
      kept.push(make().view())
    })
    return kept[0]
  },
  'as a gradient that was forgotten': (make) => {
    const leaf = tensor([
      [0, 0],
      [0, 0],
    ])
    leaf.requiresGrad = true
    leaf.backward(make())
    const gradient = leaf.grad as Tensor
    gradient.dispose()
    return gradient
  },
}

function leafOf(data: () => Tensor): () => Tensor {
  return () => {
    const x = data()
    x.requiresGrad = true
    return x
  }
}

t.test('every method is here', async (t) => {
  const methods = Object.getOwnPropertyNames(Tensor.prototype)
  t.strictSame([...Object.keys(calls), ...harmless].sort(), methods.sort())
})

onBothBackends('alive, every method works', (t) => {
  for (const [name, call] of Object.entries(calls)) {
    const make = name === 'item' ? () => tensor(1) : matrix
    t.doesNotThrow(() => call(leafOf(make)()), name)
  }
})

for (const [state, release] of Object.entries(released)) {
  onBothBackends(`released ${state}`, (t) => {
    for (const make of [matrix, leafOf(matrix)]) {
      for (const call of Object.values(calls)) {
        const x = release(make)
        refuses(t, () => call(x), ReleasedTensorError)
      }
      const x = release(make)
      t.doesNotThrow(() => {
        x.dispose()
        x.dispose()
        x[Symbol.dispose]()
        t.strictSame(x.shape, [2, 2])
        t.match(wrong(x)[Symbol.for('nodejs.util.inspect.custom')](), /, released\)$/)
      }, 'what tells about it, and releasing it again')
    }
    if (state.startsWith('as a gradient')) return
    const integers = release(() => wrong(labels()))
    refuses(t, () => integers.cast('float32'), ReleasedTensorError)
    refuses(t, () => matrix().indexSelect(0, wrong(integers)), ReleasedTensorError)
    refuses(t, () => integers.equal(1), ReleasedTensorError)
    refuses(t, () => oneHot(wrong(integers), 3), ReleasedTensorError)
  })
}

onBothBackends('released arguments', (t) => {
  const gone = matrix()
  gone.dispose()
  const x = matrix()
  const image = tensor([1, 2, 3, 4], [1, 2, 2, 1])
  const sequence = tensor([1, 2, 3, 4], [1, 4, 1])
  for (const input of [image, sequence]) input.dispose()
  const [weight, lost] = [tensor([1, 2]), tensor([1, 2])]
  lost.dispose()
  const functions: Record<string, () => unknown> = {
    concat: () => concat([x, gone]),
    stack: () => stack([gone, x]),
    matmul: () => matmul(x, gone),
    bmm: () => bmm(x.unsqueeze(0), gone.unsqueeze(0)),
    linear: () => linear(x, matrix(), gone),
    maxPool2d: () => maxPool2d(image, 2),
    avgPool2d: () => avgPool2d(image, 2),
    maxPool1d: () => maxPool1d(sequence, 2),
    avgPool1d: () => avgPool1d(sequence, 2),
    globalMaxPool2d: () => globalMaxPool2d(image),
    globalAvgPool2d: () => globalAvgPool2d(image),
    layerNorm: () => layerNorm(gone, weight, weight),
    'layerNorm, weight': () => layerNorm(x, lost, weight),
    rmsNorm: () => rmsNorm(gone, weight),
    groupNorm: () => groupNorm(gone, 1, weight, weight),
    'groupNorm, bias': () => groupNorm(x, 1, weight, lost),
    where: () => where(x, gone, x),
    crossEntropy: () => crossEntropyPerExample(gone, labels()),
    assign: () => x.assign(gone),
    seed: () => x.backward(gone),
    empty: () => gone.slice([0, 0]),
    'no axes': () => gone.sum([]),
    'a whole slice': () => gone.slice(),
  }
  for (const name of [
    'add',
    'sub',
    'mul',
    'div',
    'pow',
    'maximum',
    'minimum',
    'matmul',
    'equal',
    'remainder',
    'logicalAnd',
  ]) {
    functions[name] = () => wrong(x)[name](gone)
  }
  for (const fn of Object.values(functions)) refuses(t, fn, ReleasedTensorError)
  t.strictSame(x.data(), Float32Array.of(1, 2, 3, 4), 'nothing was changed')
})
