/**
 * Convolution layers against PyTorch and Keras (fixtures/conv.json; the script is beside it): results,
 * gradients, and state dicts that go round.
 */
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import {
  ChannelsLast,
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose2d,
  DepthwiseConv2d,
  Flatten,
  fromTorch,
  Linear,
  type Module,
  ReLU,
  Sequential,
  type Tensor,
  tensor,
  toTorch,
} from '../../lib/index.js'
import { type Nd, onBothBackends, same, toTensor } from '../support/reference.js'

interface TorchCase {
  state: Record<string, Nd>
  x: Nd
  y: Nd
  dy: Nd
  dx: Nd
  gradients: Record<string, Nd>
}
interface KerasCase {
  kernel: Nd
  bias: Nd
  x: Nd
  y: Nd
}
const fixture: { torch: Record<string, TorchCase>; keras: Record<string, KerasCase> } = JSON.parse(
  readFileSync(new URL('../fixtures/conv.json', import.meta.url), 'utf8'),
)

const torch: Record<string, () => Module> = {
  Conv1d: () => new Conv1d(4, 6, 3, { stride: 2, padding: 1, dilation: 2, groups: 2 }),
  Conv2d: () => new Conv2d(3, 5, 3),
  'Conv2d without bias': () => new Conv2d(2, 3, [2, 3], { bias: false }),
  'Conv2d strided': () =>
    new Conv2d(3, 4, [3, 2], {
      stride: [2, 3],
      padding: [
        [1, 1],
        [2, 2],
      ],
    }),
  'Conv2d dilated': () => new Conv2d(2, 3, 3, { padding: 2, dilation: [2, 1] }),
  'Conv2d grouped': () => new Conv2d(6, 4, 3, { padding: 1, groups: 2 }),
  'Conv2d asymmetric': () =>
    new Conv2d(2, 3, 2, {
      padding: [
        [1, 0],
        [0, 2],
      ],
    }),
  DepthwiseConv2d: () => new DepthwiseConv2d(3, 6, 3, { stride: 2, padding: 1 }),
  Conv3d: () => new Conv3d(2, 3, [2, 3, 2], { stride: [2, 1, 1], padding: 1 }),
  ConvTranspose2d: () => new ConvTranspose2d(3, 2, 3),
  'ConvTranspose2d strided': () =>
    // padding 1 and output_padding 1
    new ConvTranspose2d(4, 6, [3, 2], {
      stride: [2, 3],
      padding: [
        [1, 0],
        [1, 0],
      ],
      groups: 2,
    }),
  'ConvTranspose2d dilated': () => new ConvTranspose2d(2, 3, 2, { padding: 1, dilation: [1, 2] }),
  network: () =>
    new Sequential(
      new Conv2d(2, 4, 3, { padding: 1 }),
      new ReLU(),
      new Flatten({ order: 'channelsFirst' }),
      new Linear(80, 3),
    ),
}

/** A tensor of PyTorch's as ours: images have channels last. */
const ours = (values: Nd): Tensor => {
  const x = toTensor(values)
  return values.shape.length > 2 ? new ChannelsLast().forward(x) : x
}

/** Names as those of a `Sequential`, or of a single layer where PyTorch pads in one of its own. */
const renamed = <T>(values: Record<string, T>): Map<string, T> =>
  new Map(
    Object.entries(values).map(([name, value]) => [name.replace(/^layers\.(1\.)?/, ''), value]),
  )

function gradientOf(t: Test, x: Tensor, expected: Tensor | Nd, name: string): void {
  const { grad } = x
  t.ok(grad, `${name} has a gradient`)
  const { shape } = expected
  const data = 'storage' in expected ? [...expected.data()] : expected.data
  if (grad) same(t, grad, { shape, data: data as number[] }, name, 1e-5)
}

onBothBackends('results and gradients as in PyTorch', (t) => {
  t.strictSame(Object.keys(torch), Object.keys(fixture.torch))
  for (const [name, make] of Object.entries(torch)) {
    const numbers = fixture.torch[name]
    const layer = make()
    const state = renamed(numbers.state)
    layer.loadStateDict(fromTorch(layer, state))
    t.strictSame([...toTorch(layer).keys()], [...state.keys()], `${name}: names`)
    for (const [path, { shape, data }] of toTorch(layer)) {
      same(t, tensor(data, shape), state.get(path)!, `${name}: ${path} goes round`)
    }
    const x = ours(numbers.x)
    x.requiresGrad = true
    const y = layer.forward(x)
    const wanted = ours(numbers.y)
    same(t, y, { shape: wanted.shape, data: [...wanted.data()] }, `${name}: results`, 1e-5)
    y.mul(ours(numbers.dy)).sum().backward()
    gradientOf(t, x, ours(numbers.dx), `${name}: dx`)
    const gradients = fromTorch(layer, renamed(numbers.gradients))
    for (const [path, parameter] of layer.namedParameters()) {
      gradientOf(t, parameter, gradients.get(path) as Nd, `${name}: d${path}`)
    }
  }
})

const keras: Record<string, () => Module> = {
  Conv1d: () => new Conv1d(2, 3, 4, { stride: 3, padding: 'same' }),
  Conv2d: () => new Conv2d(2, 3, [2, 4], { padding: 'same' }),
  'Conv2d strided': () => new Conv2d(2, 3, [3, 4], { stride: 2, padding: 'same' }),
  'Conv2d strided further': () => new Conv2d(2, 2, 2, { stride: 3, padding: 'same' }),
  'Conv2d dilated': () => new Conv2d(2, 2, 3, { dilation: 2, padding: 'same' }),
  DepthwiseConv2d: () => new DepthwiseConv2d(3, 6, 3, { stride: 2, padding: 'same' }),
  Conv3d: () => new Conv3d(2, 2, 2, { stride: 2, padding: 'same' }),
  ConvTranspose2d: () => new ConvTranspose2d(2, 3, 3, { stride: 2, padding: 'same' }),
}

onBothBackends("padding 'same' as in Keras", (t) => {
  t.strictSame(Object.keys(keras), Object.keys(fixture.keras))
  for (const [name, make] of Object.entries(keras)) {
    const { kernel, bias, x, y } = fixture.keras[name]
    const layer = make()
    const { shape } = layer.stateDict().get('weight')!
    // Keras's depthwise kernels are [height, width, channels, multiplier].
    layer.loadStateDict({ weight: { ...kernel, shape }, bias })
    same(t, layer.forward(toTensor(x)), y, name, 1e-5)
  }
})
