/** When a bias and an activation become one kernel, forwards and backwards, and that no bit changes. */
import { fuse } from '../../lib/capture/fuse.js'
import { capture, Generator, SGD, scope, type Tensor } from '../../lib/index.js'
import { batch, bits, identical, network, onBothBackendsLater, stepOf } from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'
import { type Call, kernelsOf, recordCalls, resultsOf } from '../support/tapes.js'

const [R, C] = [5, 3]
const N = R * C
const sizes = {
  outside: { x: N, y: N, bias: C, column: R, dy: N, dbias: C, z: N },
  inside: { sum: N, local: N, dx: N },
}

const add: Call = ['add', 'x', 'bias', 'sum', 1, R, C, 7, 5]
const relu: Call = ['relu', 'sum', 'y', N]
const grad: Call = ['reluGrad', 'y', 'dy', 'dx', N]
const columnSums: Call = ['sum', 'dx', 'dbias', 1, R, C, 1]
const negate = (from: string, to: string, n: number): Call => ['affine', from, to, n, -1, 0]

const tapes: Record<string, { calls: Call[]; becomes: string[]; stays?: string }> = {
  relu: { calls: [add, relu], becomes: ['biasRelu'] },
  sigmoid: { calls: [add, ['sigmoid', 'sum', 'y', N]], becomes: ['biasSigmoid'] },
  tanh: { calls: [add, ['tanh', 'sum', 'y', N]], becomes: ['biasTanh'] },
  'the bias is added in place': {
    calls: [negate('x', 'sum', N), ['add', 'sum', 'bias', 'sum', 1, R, C, 7, 5], relu],
    becomes: ['affine', 'biasRelu'],
  },
  'the result goes over x': {
    calls: [add, ['relu', 'sum', 'x', N]],
    becomes: ['biasRelu'],
  },
  'one example': {
    calls: [
      ['add', 'x', 'bias', 'sum', 1, 1, C, 7, 5],
      ['relu', 'sum', 'y', C],
    ],
    becomes: ['biasRelu'],
  },
  'the sum is used again later': {
    calls: [add, relu, negate('sum', 'z', N)],
    becomes: ['add', 'relu', 'affine'],
  },
  'the sum is read in between': {
    calls: [add, negate('sum', 'z', N), relu],
    becomes: ['add', 'affine', 'relu'],
  },
  'the sum is changed in between': {
    calls: [add, negate('sum', 'sum', N), relu],
    becomes: ['add', 'affine', 'relu'],
  },
  'the sum stays': { calls: [add, relu], becomes: ['add', 'relu'], stays: 'sum' },
  'x changes in between': {
    calls: [add, negate('x', 'x', N), relu],
    becomes: ['add', 'affine', 'relu'],
  },
  'the bias changes in between': {
    calls: [add, negate('bias', 'bias', C), relu],
    becomes: ['add', 'affine', 'relu'],
  },
  'a column is added': {
    calls: [['add', 'x', 'column', 'sum', 1, R, C, 7, 3], relu],
    becomes: ['add', 'relu'],
  },
  'no bias': { calls: [['add', 'x', 'z', 'sum', 1, 1, N, 7, 7], relu], becomes: ['add', 'relu'] },
  'a part of the sum': {
    calls: [add, ['relu', 'sum', 'y', N - 1]],
    becomes: ['add', 'relu'],
  },
  'the result goes over the bias': {
    calls: [
      ['add', 'x', 'bias', 'sum', 1, 1, C, 7, 5],
      ['relu', 'sum', 'bias', C],
    ],
    becomes: ['add', 'relu'],
  },

  'gradients, relu': { calls: [grad, columnSums], becomes: ['biasReluGrad'] },
  'gradients, sigmoid': {
    calls: [['sigmoidGrad', 'y', 'dy', 'dx', N], columnSums],
    becomes: ['biasSigmoidGrad'],
  },
  'gradients, tanh': {
    calls: [['tanhGrad', 'y', 'dy', 'dx', N], columnSums],
    becomes: ['biasTanhGrad'],
  },
  'the gradient is used elsewhere, and stays': {
    calls: [grad, negate('dx', 'z', N), columnSums, negate('dx', 'x', N)],
    becomes: ['biasReluGrad', 'affine', 'affine'],
    stays: 'dx',
  },
  'the gradient goes over its operand': {
    calls: [
      ['reluGrad', 'y', 'dy', 'dy', N],
      ['sum', 'dy', 'dbias', 1, R, C, 1],
    ],
    becomes: ['biasReluGrad'],
  },
  'the gradient changes in between': {
    calls: [grad, negate('dx', 'dx', N), columnSums],
    becomes: ['reluGrad', 'affine', 'sum'],
  },
  'the old bias gradient is read in between': {
    calls: [grad, negate('dbias', 'z', C), columnSums],
    becomes: ['reluGrad', 'affine', 'sum'],
  },
  'the bias gradient goes over y': {
    calls: [grad, ['sum', 'dx', 'y', 1, R, C, 1]],
    becomes: ['reluGrad', 'sum'],
  },
  'a mean': {
    calls: [grad, ['sum', 'dx', 'dbias', 1, R, C, 0.5]],
    becomes: ['reluGrad', 'sum'],
  },
  'sums of rows': {
    calls: [grad, ['sum', 'dx', 'column', R, C, 1, 1]],
    becomes: ['reluGrad', 'sum'],
  },
  'one sum': { calls: [grad, ['sum', 'dx', 'dbias', 1, N, 1, 1]], becomes: ['reluGrad', 'sum'] },
  'a part of the gradient': {
    calls: [grad, ['sum', 'dx', 'dbias', 1, R - 1, C, 1]],
    becomes: ['reluGrad', 'sum'],
  },
}

for (const [name, { calls, becomes, stays }] of Object.entries(tapes)) {
  onBothBackends(`a bias and its activation: ${name}`, (t) => {
    t.strictSame(kernelsOf(fuse(recordCalls(sizes, calls, stays))), becomes)
    const found = resultsOf(recordCalls(sizes, calls, stays), fuse)
    identical(t, found, resultsOf(recordCalls(sizes, calls, stays)), 'results')
  })
}

for (const activation of ['relu', 'sigmoid', 'tanh'] as const) {
  onBothBackendsLater(`a captured step has no pass for a bias: ${activation}`, async (t) => {
    const name = activation[0].toUpperCase() + activation.slice(1)
    const [replayed, eager] = [1, 1].map((seed) => network([20, 33, 17, 5], seed, activation))
    const optimizer = (model: typeof eager) =>
      new SGD(model.parameters(), { lr: 0.1, momentum: 0.5 })
    const train = capture(stepOf(replayed, optimizer(replayed)))
    const reference = stepOf(eager, optimizer(eager))
    for (const [i, size] of [9, 4, 9, 2].entries()) {
      const [x, labels] = batch(i, [size, 20, 5])
      const text = train.describe(x, labels)
      t.equal(text.split(`linear${name}(`).length - 1, 2)
      t.equal(text.split(`gemm${name}Grad(`).length - 1, 2)
      const risk = scope(() => bits(reference(x, labels)))
      t.strictSame(bits(train(x, labels)), risk, `risk of step ${i}`)
    }
  })
}

onBothBackends('a sum that is a result beside its activation stays', (t) => {
  const generator = new Generator(1)
  const [weight, bias] = [generator.normal([7, 4]), generator.normal([4])]
  const model = network([7, 6, 4])
  const [x] = batch(1, [3, 7, 4])
  const both = (x: Tensor) => {
    const sum = x.matmul(weight).add(bias)
    return [sum, sum.relu(), model.forward(x)]
  }
  const captured = capture(both)
  const wanted = scope(() => both(x).map((y) => [...bits(y)]))
  t.strictSame(
    captured(x).map((y) => [...bits(y)]),
    wanted,
  )
  t.equal(captured.describe(x).split('linearRelu(').length - 1, 1, "the model's alone")
})
