/** Convolution layers: what they are made with, what they refuse, and that training is the same however it runs. */
import t from 'tap'
import {
  ArgumentError,
  ChannelsLast,
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose2d,
  capture,
  conv1d,
  conv2d,
  conv3d,
  convTranspose2d,
  DepthwiseConv2d,
  Flatten,
  fromTorch,
  Generator,
  init,
  Linear,
  ones,
  ReLU,
  Reshape,
  Sequential,
  SGD,
  ShapeError,
  setNumThreads,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  toTorch,
  zeros,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

onBothBackends('weights, biases and where they are drawn from', (t) => {
  const layer = new Conv2d(4, 6, [3, 5], { groups: 2, generator: new Generator(1) })
  t.strictSame(layer.weight.shape, [3, 5, 2, 6])
  t.strictSame(layer.bias?.toArray(), [0, 0, 0, 0, 0, 0])
  t.strictSame([layer.weight.regularized, layer.bias?.regularized], [true, false])
  t.strictSame(layer.weight.toArray(), init.glorotUniform([3, 5, 2, 6], new Generator(1)).toArray())
  const options = { bias: false, init: init.zeros } as const
  t.strictSame(new Conv1d(3, 2, 4, options).weight.shape, [4, 3, 2])
  t.strictSame(new Conv3d(3, 2, [1, 2, 3], options).weight.shape, [1, 2, 3, 3, 2])
  t.strictSame(new ConvTranspose2d(4, 6, 3, { ...options, groups: 2 }).weight.shape, [3, 3, 3, 4])
  const depthwise = new DepthwiseConv2d(3, 6, 2, options)
  t.strictSame(depthwise.weight.shape, [2, 2, 1, 6])
  t.equal(depthwise.bias, null)
  t.strictSame([...depthwise.weight.data()], Array(24).fill(0))
})

onBothBackends('what does not fit is refused in one sentence', (t) => {
  const images = zeros([2, 5, 6, 3])
  const weight = zeros([3, 3, 3, 4])
  const shapes: [() => unknown, string][] = [
    [
      () => new Conv2d(3, 4, 3).forward(zeros([2, 3, 8, 8])),
      'Conv2d: expected inputs [batch, height, width, 3], got [2, 3, 8, 8]; ChannelsLast moves channels to the end',
    ],
    [
      () => new Sequential(new ReLU(), new Conv1d(3, 4, 3)).forward(zeros([2, 9, 2])),
      'layers.1: Conv1d: expected inputs [batch, length, 3], got [2, 9, 2]',
    ],
    [
      () => new Conv3d(1, 1, 1).forward(images),
      'Conv3d: expected inputs [batch, depth, height, width, 1], got [2, 5, 6, 3]',
    ],
    [
      () =>
        conv2d(images, zeros([7, 3, 3, 4]), null, {
          padding: [
            [1, 0],
            [0, 0],
          ],
        }),
      'conv2d: expected a window within the padded image, got [7, 3] over [6, 6] (the image is [5, 6])',
    ],
    [
      () => conv2d(zeros([5, 6, 3]), weight),
      'conv2d: expected images [batch, height, width, channels], got [5, 6, 3]',
    ],
    [
      () => conv2d(images, zeros([3, 3, 3])),
      'conv2d: expected weights [height, width, channels / groups, filters], none of them 0, got [3, 3, 3]',
    ],
    [
      () => conv2d(zeros([2, 5, 6, 0]), zeros([3, 3, 0, 4])),
      'conv2d: expected weights [height, width, channels / groups, filters], none of them 0, got [3, 3, 0, 4]',
    ],
    [
      () => conv2d(zeros([2, 5, 6, 4]), weight),
      'conv2d: expected images of 3 channels for weights [3, 3, 3, 4], got [2, 5, 6, 4]',
    ],
    [
      () => conv2d(images, weight, null, { groups: 2 }),
      'conv2d: expected images of 6 channels for weights [3, 3, 3, 4] in 2 groups, got [2, 5, 6, 3]',
    ],
    [
      () => conv2d(zeros([2, 5, 6, 9]), weight, null, { groups: 3 }),
      'conv2d: expected groups that divide 4, got 3',
    ],
    [() => conv2d(images, weight, zeros([3])), 'conv2d: expected a bias of shape [4], got [3]'],
    [
      () => convTranspose2d(images, zeros([3, 3, 4, 5])),
      'convTranspose2d: expected images of 5 channels for weights [3, 3, 4, 5], got [2, 5, 6, 3]',
    ],
    [
      () => convTranspose2d(zeros([1, 1, 1, 3]), zeros([2, 2, 1, 3]), null, { padding: 1 }),
      'convTranspose2d: expected padding that leaves results, got [0, 0] for images [1, 1, 1, 3]',
    ],
    [
      () => conv1d(images, weight),
      'conv1d: expected images [batch, length, channels], got [2, 5, 6, 3]',
    ],
    [
      () => conv3d(images, weight),
      'conv3d: expected images [batch, depth, height, width, channels], got [2, 5, 6, 3]',
    ],
    [() => new Flatten().forward(tensor(1)), 'Flatten: expected inputs [batch, …], got []'],
    [
      () => new ChannelsLast().forward(zeros([2, 3])),
      'ChannelsLast: expected inputs [batch, channels, …] with axes of space, got [2, 3]',
    ],
    [
      () => new Reshape([2, 2]).forward(zeros([3, 5])),
      'Reshape: expected inputs [batch, …] of [2, 2] each, got [3, 5]',
    ],
  ]
  for (const [call, message] of shapes) refuses(t, call, ShapeError, message)
  const args: [() => unknown, string | RegExp][] = [
    [() => new Conv2d(0, 4, 3), 'Conv2d: expected inChannels >= 1, got 0'],
    [() => new Conv2d(3, 1.5, 3), 'Conv2d: expected outChannels >= 1, got 1.5'],
    [() => new Conv2d(3, 4, 0), /^Conv2d: expected a window of .* from 1, got 0$/],
    [() => new Conv2d(3, 4, wrong([3, 3, 3])), /^Conv2d: expected a window .*got \[3, 3, 3\]$/],
    [
      () => new Conv2d(4, 6, 3, { groups: 3 }),
      'Conv2d: expected groups that divide inChannels 4 and outChannels 6, got 3',
    ],
    [
      () => new DepthwiseConv2d(4, 6, 3),
      'DepthwiseConv2d: expected groups that divide inChannels 4 and outChannels 6, got 4',
    ],
    [() => new DepthwiseConv2d(4, 4, 3, wrong({ groups: 2 })), /^DepthwiseConv2d: .*got groups$/],
    [() => new Conv2d(3, 4, 3, wrong({ strides: 2 })), /did you mean stride\?$/],
    [() => new Conv2d(3, 4, 3, { stride: 0 }), /^Conv2d: expected stride .* from 1, got 0$/],
    [() => new Conv2d(3, 4, 3, { groups: 0 }), 'Conv2d: expected groups >= 1, got 0'],
    [() => new Conv2d(3, 4, 3, wrong({ bias: 1 })), /^Conv2d: expected bias to be true or false/],
    [() => new Conv2d(3, 4, 3, wrong({ init: 1 })), /^Conv2d: expected init to be an initializer/],
    [() => new Conv2d(3, 4, 3, wrong({ generator: 1 })), /^Conv2d: expected a generator/],
    [() => new Conv2d(3, 4, 3).forward(wrong([1])), /^Conv2d: expected a tensor, got \[1\]/],
    [
      () => conv2d(images, weight, null, wrong({ pad: 1 })),
      /unknown option pad; did you mean|got pad$/,
    ],
    [() => conv2d(images, weight, null, { padding: wrong('full') }), /^conv2d: expected padding/],
    [() => conv2d(images.cast('int32') as Tensor<never>, weight), /^conv2d: expected a float32/],
    [() => new Flatten({ order: wrong('NCHW') }), /^Flatten: expected order channelsFirst or/],
    [() => fromTorch(wrong(1), {}), /^fromTorch: expected a module/],
    [() => toTorch(wrong(1)), /^toTorch: expected a module/],
    [() => fromTorch(new Conv2d(1, 1, 1), wrong([])), /^fromTorch: expected what stateDict\(\)/],
  ]
  for (const [call, message] of args) refuses(t, call, ArgumentError, message)
  refuses(
    t,
    () => fromTorch(new Conv2d(1, 1, 1), wrong({ weight: { shape: [1, 1, 1, 2], data: null } })),
    ShapeError,
    /^fromTorch: weight of Conv2d: expected PyTorch's weight of shape \[1, 1, 1, 1\], here \[1, 1, 1, 1\], got \[1, 1, 1, 2\]$/,
  )
  // What has no values is refused where it is loaded.
  const state = wrong({
    weight: { shape: [1, 1, 1, 1], data: null },
    bias: { shape: [1], data: [0] },
  })
  const layer = new Conv2d(1, 1, 1)
  refuses(t, () => layer.loadStateDict(fromTorch(layer, state)), ArgumentError)
})

onBothBackends('shapes at the edges of a network', (t) => {
  const x = tensor(
    Array.from({ length: 12 }, (_, i) => i),
    [1, 3, 2, 2],
  ) as Tensor
  const last = new ChannelsLast().forward(x)
  t.strictSame(last.toArray(), [
    [
      [
        [0, 4, 8],
        [1, 5, 9],
      ],
      [
        [2, 6, 10],
        [3, 7, 11],
      ],
    ],
  ])
  t.strictSame(new Flatten().forward(last).toArray(), [[0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]])
  const first = new Flatten({ order: 'channelsFirst' })
  t.strictSame(first.forward(last).toArray(), [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]])
  t.strictSame(first.forward(zeros([2, 3])).shape, [2, 3])
  t.strictSame(new Reshape([2, 2, 3]).forward(x.reshape([1, 12])).shape, [1, 2, 2, 3])
  // Nothing to compute.
  t.strictSame(new Conv2d(3, 4, 2).forward(zeros([0, 5, 5, 3])).shape, [0, 4, 4, 4])
})

const images = () => new Generator(3).normal([9, 8, 7, 2])
const labels = () => tensor([0, 1, 2, 0, 1, 2, 0, 1, 2], [9], 'int32')

function network() {
  const generator = new Generator(5)
  return new Sequential(
    new Conv2d(2, 17, 3, { padding: 'same', generator }),
    new ReLU(),
    new Conv2d(17, 6, 3, { stride: 2, generator }),
    new ReLU(),
    new DepthwiseConv2d(6, 6, 2, { generator }),
    new Flatten(),
    new Linear(24, 3, { generator }),
  )
}

/** Weights after some steps, captured or not. */
async function trained(isCaptured: boolean): Promise<number[]> {
  const model = network()
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
  const step = (x: Tensor, y: Tensor<'int32'>) => {
    const loss = softmaxCrossEntropy(model.forward(x), y)
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    return loss
  }
  const run = isCaptured ? capture(step) : step
  for (let i = 0; i < 5; i++) await run(images(), labels())
  return model.parameters().flatMap((parameter) => [...parameter.data()])
}

t.test('training gives the same bits captured, and with any number of threads', async (t) => {
  const eager = await trained(false)
  t.ok(eager.every(Number.isFinite))
  for (const threads of [1, 2, 5]) {
    setNumThreads(threads)
    t.strictSame(await trained(true), eager, `${threads} threads`)
  }
  setNumThreads(2)
})

t.test('a layer with its bias and relu is one kernel', async (t) => {
  const model = network()
  const forward = capture((x: Tensor) => model.forward(x))
  await forward(images())
  const described = forward.describe(images())
  t.match(described, /convBiasRelu/)
  t.notMatch(described, /\brelu\b/)
  t.strictSame(described.match(/convBias\b/g)?.length, 1, 'the depthwise one')
})

t.test('ones convolved with ones count the pixels below them', async (t) => {
  const y = conv2d(ones([1, 3, 3, 1]), ones([3, 3, 1, 1]), null, { padding: 'same' })
  t.strictSame(y.reshape([3, 3]).toArray(), [
    [4, 6, 4],
    [6, 9, 6],
    [4, 6, 4],
  ])
})
