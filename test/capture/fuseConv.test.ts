/** When a convolution, its bias and its relu become one kernel, and that no bit changes. */
import { fuse } from '../../lib/capture/fuse.js'
import { identical } from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'
import { type Call, kernelsOf, recordCalls, resultsOf } from '../support/tapes.js'

// Two images [4, 5, 3] to 2 filters of [3, 2].
const EXTENTS = [2, 4, 5, 3, 2, 4, 2, 3, 2, 1, 1, 0, 0, 1, 1, 1]
const [X, W, N] = [120, 36, 32]
const sizes = {
  outside: { x: X, w: W, bias: 2, y: N, z: N },
  inside: { sum: N, biased: N },
}

const conv: Call = ['conv', 'x', 'w', 'sum', ...EXTENTS]
const convBias: Call = ['convBias', 'x', 'w', 'bias', 'sum', ...EXTENTS]
const add: Call = ['add', 'sum', 'bias', 'y', 1, N / 2, 2, 7, 5]
const addInside: Call = ['add', 'sum', 'bias', 'biased', 1, N / 2, 2, 7, 5]
const relu: Call = ['relu', 'sum', 'y', N]
const negate = (buffer: string, n: number): Call => ['affine', buffer, buffer, n, -1, 0]

const tapes: Record<string, { calls: Call[]; becomes: string[]; stays?: string }> = {
  'a bias': { calls: [conv, add], becomes: ['convBias'] },
  relu: { calls: [convBias, relu], becomes: ['convBiasRelu'] },
  'a bias and relu': {
    calls: [conv, addInside, ['relu', 'biased', 'y', N]],
    becomes: ['convBiasRelu'],
  },
  'relu without a bias': { calls: [conv, relu], becomes: ['conv', 'relu'] },
  'the sum stays': { calls: [convBias, relu], becomes: ['convBias', 'relu'], stays: 'sum' },
  'the convolution stays': { calls: [conv, add], becomes: ['conv', 'add'], stays: 'sum' },
  'the weights change in between': {
    calls: [convBias, negate('w', W), relu],
    becomes: ['convBias', 'affine', 'relu'],
  },
  'the bias changes in between': {
    calls: [convBias, negate('bias', 2), relu],
    becomes: ['convBias', 'affine', 'relu'],
  },
  'no bias': {
    calls: [conv, ['add', 'sum', 'z', 'y', 1, 1, N, 7, 7]],
    becomes: ['conv', 'add'],
  },
  'a bias of other rows': {
    calls: [conv, ['add', 'sum', 'z', 'y', 1, N / 8, 8, 7, 5]],
    becomes: ['conv', 'add'],
  },
  'a part of the sum': {
    calls: [convBias, ['relu', 'sum', 'y', N - 1]],
    becomes: ['convBias', 'relu'],
  },
  'the result goes over the images': {
    calls: [convBias, ['relu', 'sum', 'x', N]],
    becomes: ['convBias', 'relu'],
  },
}

for (const [name, { calls, becomes, stays }] of Object.entries(tapes)) {
  onBothBackends(`a convolution: ${name}`, (t) => {
    t.strictSame(kernelsOf(fuse(recordCalls(sizes, calls, stays))), becomes)
    const found = resultsOf(recordCalls(sizes, calls, stays), fuse)
    identical(t, found, resultsOf(recordCalls(sizes, calls, stays)), 'results')
  })
}
