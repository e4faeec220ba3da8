/** When a product and what its layer does with it become one kernel, and that no bit changes. */
import { fuse } from '../../lib/capture/fuse.js'
import { identical } from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'
import { type Call, kernelsOf, recordCalls, resultsOf } from '../support/tapes.js'

const [M, N, K] = [5, 3, 4]
const sizes = {
  outside: {
    x: M * K,
    w: K * N,
    bias: N,
    y: M * N,
    z: M * N,
    dy: M * N,
    h: M * K,
    db: K,
    dh: M * K,
  },
  inside: { sum: M * N, biased: M * N, passed: M * K },
}

const product: Call = ['gemm', 'x', 'w', 'sum', 0, 0, M, N, K, 1, 0, 0]
const add: Call = ['add', 'sum', 'bias', 'y', 1, M, N, 7, 5]
const addInside: Call = ['add', 'sum', 'bias', 'biased', 1, M, N, 7, 5]
const reluInside: Call = ['relu', 'biased', 'y', M * N]
const layer: Call = ['linear', 'x', 'w', 'bias', 'sum', M, N, K, 0]
const relu: Call = ['relu', 'sum', 'y', M * N]
const negate = (from: string, to: string, n: number): Call => ['affine', from, to, n, -1, 0]
const back: Call = ['gemm', 'dy', 'w', 'passed', 0, 1, M, K, N, 1, 0, 0]
const grad: Call = ['reluGrad', 'h', 'passed', 'dh', M * K]
const columnSums: Call = ['sum', 'dh', 'db', 1, M, K, 1]

const tapes: Record<string, { calls: Call[]; becomes: string[]; stays?: string }> = {
  'a bias': { calls: [product, add], becomes: ['linear'] },
  'a bias and relu': { calls: [product, addInside, reluInside], becomes: ['linearRelu'] },
  relu: { calls: [layer, relu], becomes: ['linearRelu'] },
  sigmoid: { calls: [layer, ['sigmoid', 'sum', 'y', M * N]], becomes: ['linearSigmoid'] },
  tanh: { calls: [layer, ['tanh', 'sum', 'y', M * N]], becomes: ['linearTanh'] },
  'other buffers change in between': {
    calls: [layer, negate('dy', 'dy', M * N), relu],
    becomes: ['affine', 'linearRelu'],
  },
  'the product stays': { calls: [product, add], becomes: ['gemm', 'add'], stays: 'sum' },
  'the sum stays': { calls: [layer, relu], becomes: ['linear', 'relu'], stays: 'sum' },
  'the sum is read again': {
    calls: [layer, relu, negate('sum', 'z', M * N)],
    becomes: ['linear', 'relu', 'affine'],
  },
  'the weights change in between': {
    calls: [layer, negate('w', 'w', K * N), relu],
    becomes: ['linear', 'affine', 'relu'],
  },
  'the inputs change in between': {
    calls: [product, negate('x', 'x', M * K), add],
    becomes: ['gemm', 'affine', 'add'],
  },
  'the result goes over the inputs': {
    calls: [layer, ['relu', 'sum', 'x', M * N]],
    becomes: ['linear', 'relu'],
  },
  'a scaled product': {
    calls: [['gemm', 'x', 'w', 'sum', 0, 0, M, N, K, 2, 0, 0], add],
    becomes: ['gemm', 'add'],
  },
  'a transposed product': {
    calls: [['gemm', 'x', 'w', 'sum', 0, 1, M, N, K, 1, 0, 0], add],
    becomes: ['gemm', 'add'],
  },
  'no bias': {
    calls: [product, ['add', 'sum', 'z', 'y', 1, 1, M * N, 7, 7]],
    becomes: ['gemm', 'add'],
  },
  'a part of the sum': {
    calls: [layer, ['relu', 'sum', 'y', M * N - 1]],
    becomes: ['linear', 'relu'],
  },

  'gradients, relu': { calls: [back, grad, columnSums], becomes: ['gemmReluGrad'] },
  'gradients, sigmoid': {
    calls: [back, ['sigmoidGrad', 'h', 'passed', 'dh', M * K], columnSums],
    becomes: ['gemmSigmoidGrad'],
  },
  'gradients, tanh': {
    calls: [back, ['tanhGrad', 'h', 'passed', 'dh', M * K], columnSums],
    becomes: ['gemmTanhGrad'],
  },
  'gradients without a bias': { calls: [back, grad], becomes: ['gemm', 'reluGrad'] },
  'the gradient before the activation stays': {
    calls: [back, grad, columnSums],
    becomes: ['gemm', 'biasReluGrad'],
    stays: 'passed',
  },
  'the weights move before their gradient passes': {
    calls: [back, negate('w', 'w', K * N), grad, columnSums],
    becomes: ['gemm', 'affine', 'biasReluGrad'],
  },
  'a gradient that is scaled': {
    calls: [['gemm', 'dy', 'w', 'passed', 0, 1, M, K, N, 0.5, 0, 0], grad, columnSums],
    becomes: ['gemm', 'biasReluGrad'],
  },
}

for (const [name, { calls, becomes, stays }] of Object.entries(tapes)) {
  onBothBackends(`a layer: ${name}`, (t) => {
    t.strictSame(kernelsOf(fuse(recordCalls(sizes, calls, stays))), becomes)
    const found = resultsOf(recordCalls(sizes, calls, stays), fuse)
    identical(t, found, resultsOf(recordCalls(sizes, calls, stays)), 'results')
  })
}
