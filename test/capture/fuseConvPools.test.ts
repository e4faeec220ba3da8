/** When a convolution, its bias, relu and pool become one kernel, and their gradients; no bit changes. */
import type { Test } from 'tap'
import { fuse } from '../../lib/capture/fuse.js'
import {
  Conv2d,
  type ConvOptions,
  capture,
  conv2d,
  Flatten,
  Generator,
  getNumThreads,
  Linear,
  MaxPool2d,
  maxPool2d,
  ReLU,
  Sequential,
  SGD,
  setNumThreads,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { onBothBackends } from '../support/reference.js'
import { type Call, kernelsOf, recordCalls } from '../support/tapes.js'

interface Layer {
  filters: number
  kernel: number
  options?: ConvOptions
}

/** Convolutional layers with pools of 2 × 2 over images [height, width, channels]. */
const nets: Record<string, { image: number[]; layers: Layer[]; batch?: number }> = {
  'the whole image': { image: [6, 6, 1], layers: [{ filters: 6, kernel: 3 }] },
  'odd results, padding, few and many weights': {
    image: [13, 11, 3],
    layers: [
      { filters: 20, kernel: 4, options: { padding: 2 } },
      { filters: 70, kernel: 3, options: { padding: 1 } },
      {
        filters: 33,
        kernel: 2,
        options: {
          padding: [
            [1, 0],
            [0, 1],
          ],
        },
      },
    ],
  },
  'strides, dilation and groups': {
    image: [24, 21, 2],
    layers: [
      { filters: 8, kernel: 3, options: { stride: [1, 2], groups: 2 } },
      { filters: 6, kernel: 2, options: { dilation: 2, padding: 1 } },
    ],
  },
  'bands of a single image': {
    batch: 1,
    image: [67, 70, 5],
    layers: [
      { filters: 17, kernel: 3 },
      { filters: 17, kernel: 3 },
    ],
  },
}

/** Losses and weights after a few steps; `wrap` may capture the step. */
function trained({ image, layers, batch = 5 }: (typeof nets)[string], wrap: typeof capture) {
  const generator = new Generator(3)
  const features = new Sequential(
    ...layers.flatMap(({ filters, kernel, options }, i) => {
      const channels = i === 0 ? image[2] : layers[i - 1].filters
      const convolution = new Conv2d(channels, filters, kernel, { ...options, generator })
      return [convolution, new ReLU(), new MaxPool2d(2)]
    }),
    new Flatten(),
  )
  const width = features.forward(zeros([1, ...image])).shape[1]
  const model = new Sequential(features, new Linear(width, 4, { generator }))
  const optimizer = new SGD(model.parameters(), { lr: 0.05 })
  const step = wrap((x: Tensor, labels: Tensor<'int32'>) => {
    const loss = softmaxCrossEntropy(model.forward(x), labels)
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    return loss
  })
  const x = generator.normal([batch, ...image])
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % 4))
  const losses = [1, 2, 3].map(() => step(x, labels).item())
  const text = 'describe' in step ? step.describe(x, labels) : ''
  const state = [...model.stateDict().values()].map(({ data }) => [...data])
  return { numbers: [losses, ...state], text }
}

const times = (text: string, kernel: string) => text.split(` ${kernel}(`).length - 1

for (const [name, net] of Object.entries(nets)) {
  onBothBackends(`pooled convolutions as op by op: ${name}`, async (t: Test) => {
    const before = getNumThreads()
    const count = net.layers.length
    try {
      const eager = trained(net, ((step: unknown) => step) as typeof capture)
      for (const threads of [1, 3]) {
        setNumThreads(threads)
        const { numbers, text } = trained(net, capture)
        t.strictSame(numbers, eager.numbers, `${threads} threads`)
        t.equal(times(text, 'convBiasReluPool'), count)
        t.equal(times(text, 'convPoolWeightGrad'), count)
        t.equal(times(text, 'convPoolInputGrad'), count - 1)
        for (const kernel of ['convBiasRelu', 'maxPool', 'maxPoolGrad', 'biasReluGrad']) {
          t.equal(times(text, kernel), 0, kernel)
        }
      }
    } finally {
      setNumThreads(before)
    }
  })
}

type Results = (x: Tensor) => Tensor

const apart: Record<string, (x: Tensor, results: Results) => Tensor | Tensor[]> = {
  'a window of 3': (x, results) => maxPool2d(results(x), 3),
  'windows that overlap': (x, results) => maxPool2d(results(x), 2, { stride: 1 }),
  'padded windows': (x, results) => maxPool2d(results(x), 2, { padding: 1 }),
  'windows that lie over the edge': (x, results) => maxPool2d(results(x), 2, { padding: 'same' }),
  'results that are returned': (x, results) => {
    const y = results(x)
    return [y, maxPool2d(y, 2)]
  },
  'results that are summed up': (x, results) => {
    const y = results(x)
    return maxPool2d(y, 2).sum().add(y.sum())
  },
}

for (const [name, f] of Object.entries(apart)) {
  onBothBackends(`pooled convolutions stay apart: ${name}`, async (t: Test) => {
    const generator = new Generator(1)
    const [x, weight] = [generator.normal([2, 6, 6, 1]), generator.normal([2, 2, 1, 3])]
    const bias = tensor([0.5, -0.5, 0])
    const results: Results = (images) => conv2d(images, weight, bias).relu()
    const text = capture((images: Tensor) => f(images, results)).describe(x)
    t.equal(times(text, 'convBiasRelu'), 1)
    t.equal(times(text, 'maxPool'), 1)
  })
}

// Two images [6, 5, 1] to 3 filters of [2, 2]: results [5, 4], pools [2, 2].
const EXTENTS = [2, 6, 5, 1, 5, 4, 3, 2, 2, 1, 1, 0, 0, 1, 1, 1]
const POOL = [2, 5, 4, 3, 2, 2, 2, 2, 0, 0, 2, 2]
const [X, W, N, P] = [60, 12, 120, 24]
const sizes = {
  outside: {},
  inside: {
    ...{ x: X, w: W, bias: 3, z: N, y: P, places: P, dy: P, spread: N, dz: N },
    ...{ dbias: 3, runs: 24, dx: X, dw: W, scratch: 96, other: N },
  },
}
const conv: Call = ['convBiasRelu', 'x', 'w', 'bias', 'z', ...EXTENTS]
const pool: Call = ['maxPool', 'z', 'y', 'places', ...POOL]
const unpool: Call = ['maxPoolGrad', 'dy', 'places', 'spread', ...POOL]
const reluGrad: Call = ['biasReluGrad', 'z', 'spread', 'dz', 'dbias', 'runs', 40, 3]
const inputGrad: Call = ['convInputGrad', 'dz', 'w', 'dx', ...EXTENTS]
const weightGrad: Call = ['convWeightGrad', 'x', 'dz', 'dw', 'scratch', ...EXTENTS]
const changed = (buffer: string, n: number): Call => ['affine', buffer, buffer, n, -1, 0]
const read = (buffer: string, n: number): Call => ['affine', buffer, 'other', n, -1, 0]

const fused = ['convBiasReluPool', 'convPoolInputGrad', 'convPoolWeightGrad']
const gradients = [unpool, reluGrad, inputGrad, weightGrad]
const tapes: Record<string, { calls: Call[]; becomes?: string[] }> = {
  'all of it': { calls: [conv, pool, ...gradients], becomes: fused },
  'without the images': {
    calls: [conv, pool, unpool, reluGrad, weightGrad],
    becomes: [fused[0], fused[2]],
  },
  'the images change': { calls: [conv, changed('x', X), pool] },
  'the pools change': { calls: [conv, pool, changed('y', P), ...gradients] },
  'the places change': {
    calls: [conv, pool, unpool, changed('places', P), reluGrad, inputGrad, weightGrad],
  },
  'what comes from above changes': {
    calls: [conv, pool, unpool, reluGrad, changed('dy', P), inputGrad, weightGrad],
  },
  "the bias's gradient is used before": {
    calls: [conv, pool, unpool, reluGrad, read('dbias', 3), inputGrad, weightGrad],
  },
  'the gradient of the pool is used': { calls: [conv, pool, ...gradients, read('spread', N)] },
  'the gradient of the results is used': { calls: [conv, pool, ...gradients, read('dz', N)] },
  'no gradient of the weights': { calls: [conv, pool, unpool, reluGrad, inputGrad] },
}

for (const [name, { calls, becomes }] of Object.entries(tapes)) {
  onBothBackends(`a tape of pooled convolutions: ${name}`, async (t: Test) => {
    t.strictSame(
      kernelsOf(fuse(recordCalls(sizes, calls))),
      becomes ?? calls.map(([kernel]) => kernel),
    )
  })
}
