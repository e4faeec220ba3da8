/** Batch norm in captured steps: the same bits as op by op, whatever the threads, and its fusion. */
import type { Test } from 'tap'
import { fuse } from '../../lib/capture/fuse.js'
import {
  AvgPool2d,
  BatchNorm2d,
  capture,
  GlobalAvgPool2d,
  GroupNorm,
  getNumThreads,
  LayerNorm,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  SGD,
  setNumThreads,
  setSeed,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { identical } from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'
import { type Call, kernelsOf, recordCalls, resultsOf } from '../support/tapes.js'

const [BATCH, SIZE, CHANNELS, STEPS] = [6, 9, 20, 4]

const images = (step: number) =>
  tensor(
    Float32Array.from({ length: BATCH * SIZE * SIZE * CHANNELS }, (_, i) =>
      Math.fround(Math.sin((i + 77 * step) * 12.9898) * 3),
    ),
    [BATCH, SIZE, SIZE, CHANNELS],
  )
const labels = () => tensor(Int32Array.from({ length: BATCH }, (_, i) => i % 3))

/** What a few steps leave behind, each of them taken by what `make` makes of it. */
function trained(make: (step: (x: Tensor) => Tensor) => (x: Tensor) => Tensor): number[][] {
  setSeed(1)
  const model = new Sequential(
    new BatchNorm2d(CHANNELS),
    new ReLU(),
    new MaxPool2d(3, { stride: 2, padding: 1 }),
    new GroupNorm(4, CHANNELS),
    new AvgPool2d(2, { padding: 'same' }),
    new LayerNorm(CHANNELS),
    new GlobalAvgPool2d(),
    new Linear(CHANNELS, 3),
  )
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
  const targets = labels()
  const step = make((x) => {
    const loss = softmaxCrossEntropy(model.forward(x), targets)
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    return loss
  })
  const losses = Array.from({ length: STEPS }, (_, i) => step(images(i)).item())
  const state = [...model.stateDict().values()].map(({ data }) => [...data])
  model.dispose()
  return [losses, ...state]
}

onBothBackends('captured as op by op, with any number of threads', async (t: Test) => {
  const before = getNumThreads()
  const eager = trained((step) => step)
  t.ok(eager.flat().every(Number.isFinite))
  try {
    for (const threads of [1, 2, 3]) {
      setNumThreads(threads)
      t.strictSame(
        trained((step) => capture(step)),
        eager,
        `${threads} threads`,
      )
    }
  } finally {
    setNumThreads(before)
  }
})

onBothBackends('training and eval are two programs', async (t: Test) => {
  const model = new Sequential(new BatchNorm2d(CHANNELS), new ReLU())
  const forward = capture((x: Tensor) => model.forward(x))
  t.match(forward.describe(images(0)), /batchNormMoments[\s\S]*batchNormRelu/)
  forward(images(0))
  const { runningMean } = model.layers[0]
  const after = [...runningMean.data()]
  t.ok(
    after.some((value) => value !== 0),
    'a replay moves the running mean',
  )
  model.eval()
  t.notMatch(forward.describe(images(0)), /batchNormMoments/)
  forward(images(1))
  t.strictSame([...runningMean.data()], after)
})

const [ROWS, COLS] = [4, 3]
const N = ROWS * COLS
const sizes = {
  outside: { x: N, m: COLS, squares: COLS, w: COLS, b: COLS, y: N, z: N },
  inside: { normal: N },
}
const norm: Call = ['batchNorm', 'x', 'm', 'squares', 'w', 'b', 'normal', ROWS, COLS, 0.5]
const relu: Call = ['relu', 'normal', 'y', N]
const negate = (from: string, to: string, n: number): Call => ['affine', from, to, n, -1, 0]

const tapes: Record<string, { calls: Call[]; becomes: string[]; stays?: string }> = {
  relu: { calls: [norm, relu], becomes: ['batchNormRelu'] },
  'other buffers change in between': {
    calls: [norm, negate('z', 'z', N), relu],
    becomes: ['affine', 'batchNormRelu'],
  },
  'the norm stays': { calls: [norm, relu], becomes: ['batchNorm', 'relu'], stays: 'normal' },
  'the norm is read again': {
    calls: [norm, relu, negate('normal', 'z', N)],
    becomes: ['batchNorm', 'relu', 'affine'],
  },
  'the mean changes in between': {
    calls: [norm, negate('m', 'm', COLS), relu],
    becomes: ['batchNorm', 'affine', 'relu'],
  },
  'the result goes over the inputs': {
    calls: [norm, ['relu', 'normal', 'x', N]],
    becomes: ['batchNorm', 'relu'],
  },
  'a part of it': { calls: [norm, ['relu', 'normal', 'y', N - 1]], becomes: ['batchNorm', 'relu'] },
  'another activation': {
    calls: [norm, ['tanh', 'normal', 'y', N]],
    becomes: ['batchNorm', 'tanh'],
  },
}

for (const [title, { calls, becomes, stays }] of Object.entries(tapes)) {
  onBothBackends(`batch norm: ${title}`, async (t: Test) => {
    t.strictSame(kernelsOf(fuse(recordCalls(sizes, calls, stays))), becomes)
    const found = resultsOf(recordCalls(sizes, calls, stays), fuse)
    identical(t, found, resultsOf(recordCalls(sizes, calls, stays)), 'results')
  })
}
