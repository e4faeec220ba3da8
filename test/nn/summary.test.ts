/** The table of a model's layers, with torchinfo's numbers, and that asking for it leaves no trace. */
import t from 'tap'
import {
  ArgumentError,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  capture,
  Dropout,
  Embedding,
  Flatten,
  Generator,
  Linear,
  MaxPool2d,
  Module,
  ModuleBuffer,
  memory,
  ReLU,
  rand,
  Sequential,
  ShapeError,
  setSeed,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const net = () =>
  new Sequential(
    new Conv2d(1, 8, 3, { padding: 1 }),
    new BatchNorm2d(8),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(8, 16, [3, 2], { stride: 2, groups: 2, bias: false }),
    new ConvTranspose2d(16, 4, 2),
    new Flatten(),
    new Linear(24, 10),
  )

// Numbers of torchinfo 1.8.0 for the same network with input_size (1, 1, 8, 8), its first layer frozen.
onBothBackends('layers, shapes, parameters and multiply-adds', (t) => {
  const model = net()
  model.layers[0].trainable = false
  t.strictSame(model.summary({ input: [1, 8, 8, 1] }).split('\n'), [
    '          layer            outputs        parameters  multiply-adds',
    'layers.0  Conv2d           [1, 8, 8, 8]           80          5,120',
    'layers.1  BatchNorm2d      [1, 8, 8, 8]           16             16',
    'layers.2  ReLU             [1, 8, 8, 8]            0              0',
    'layers.3  MaxPool2d        [1, 4, 4, 8]            0              0',
    'layers.4  Conv2d           [1, 1, 2, 16]         384            768',
    'layers.5  ConvTranspose2d  [1, 2, 3, 4]          260          1,560',
    'layers.6  Flatten          [1, 24]                 0              0',
    'layers.7  Linear           [1, 10]               250            250',
    '',
    'total            990',
    'trainable        910',
    'frozen            80',
    'multiply-adds  7,714',
  ])
  // torchinfo's of a batch of 3: 15,360 + 48 + 2,304 + 4,680 + 750.
  t.match(model.summary({ input: [3, 8, 8, 1] }), /multiply-adds {2}23,142$/)
  t.match(model.summary({ input: rand([3, 8, 8, 1]) }), /multiply-adds {2}23,142$/)
})

/** Draws, and changes a buffer, whether it is trained or not. */
class Restless extends Module<[x: Tensor<'int32'>]> {
  readonly seen = new ModuleBuffer(zeros([1]))
  readonly generator = new Generator(5)
  readonly drop = new Dropout(0.5)
  readonly table = new Embedding(9, 4)
  readonly first = new Linear(4, 4)
  readonly again = this.first
  forward(x: Tensor<'int32'>): Tensor {
    this.seen.assign([7])
    const noise = this.generator.uniform([4]).add(rand([4]))
    const h = this.first.forward(this.table.forward(x).add(noise))
    return this.again.forward(this.drop.forward(h))
  }
}

onBothBackends('nothing of the model is changed', (t) => {
  setSeed(3)
  const model = new Restless()
  model.drop.training = false
  model.generator.uniform([1]).dispose()
  const before = JSON.stringify(model.stateDict())
  const positions = [...model.namedGenerators().values()].map((generator) => generator.save())
  setSeed(4)
  const drawn = rand([3]).data()
  setSeed(4)
  const input = tensor([0, 1, 2, 3, 4, 5], [2, 3], 'int32')
  const { buffers } = memory()
  const lines = model.summary({ input }).split('\n')
  t.equal(memory().buffers, buffers)
  t.equal(JSON.stringify(model.stateDict()), before)
  t.strictSame(
    [...model.namedGenerators().values()].map((generator) => generator.save()),
    positions,
  )
  t.strictSame(rand([3]).data(), drawn, 'nor the default generator')
  t.strictSame([model.training, model.drop.training], [true, false])
  t.equal(Object.hasOwn(model, 'forward'), false, 'no hook is left')
  t.strictSame(lines.slice(0, 4), [
    '       layer      outputs    parameters  multiply-adds',
    'drop   Dropout    [2, 3, 4]           0              0',
    'table  Embedding  [2, 3, 4]          36              0',
    'first  Linear     [2, 3, 4]          20            240',
  ])
  // A failing forward leaves no trace either.
  refuses(t, () => model.summary({ input: tensor(1, [], 'int32') }), ShapeError)
  t.equal(Object.hasOwn(model.first, 'forward'), false)
  t.equal(JSON.stringify(model.stateDict()), before)
})

class Two extends Module<[a: Tensor, b: Tensor], { sum: Tensor; both: Tensor[] }> {
  readonly inner = new Linear(2, 2)
  forward(a: Tensor, b: Tensor) {
    const sum = this.inner.forward(a).add(b)
    return { sum, both: [a, b] }
  }
}

t.test('several inputs; a layer alone; what is no input', async (t) => {
  t.match(new Two().summary({ input: [[3, 2], zeros([3, 2])] }), /inner {2}Linear {2}\[3, 2\]/)
  t.match(new Linear(2, 3).summary({ input: [1, 2] }), /\n {2}Linear {2}\[1, 3\] +9 +9\n/)
  t.match(new Two().summary(), /^inner\.weight/, 'without input, the parameters')
  const model = net()
  for (const input of [1, 'x', null, [1, 'x']]) {
    refuses(
      t,
      () => model.summary({ input: wrong(input) }),
      ArgumentError,
      /^summary: expected input as a shape/,
    )
  }
  refuses(t, () => model.summary(wrong({ inputs: [1] })), ArgumentError, /did you mean input\?/)
  refuses(
    t,
    () => model.summary({ input: [1, 3, 3, 2] }),
    ShapeError,
    /^summary: expected input of a whole batch, such as \[1, 28, 28, 1\] \(layers\.0: Conv2d: /,
  )
  const inside = capture(() => void model.summary({ input: [1, 8, 8, 1] }))
  t.throws(() => inside(), { name: 'CaptureError' })
})
