/** Exported modules in onnxruntime: every layer, activation and loss head, and networks of layers drawn by seeds. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as nb from '../../../lib/index.js'
import {
  type AnyModule,
  ArgumentError,
  exportOnnx,
  Module,
  type Tensor,
  tensor,
} from '../../../lib/index.js'
import { decode } from '../../../lib/io/onnx/protobuf.js'
import { modelProto } from '../../../lib/io/onnx/schema.js'
import { agrees, valuesOf } from '../../support/onnxExport.js'
import { near, runtimeResults } from '../../support/onnxRuntime.js'
import { ints, type Nd, refuses, sample } from '../../support/reference.js'

const scaled = (shape: number[]): Nd => {
  const x = sample(shape)
  return { ...x, data: x.data.map((value) => value / 4) }
}

/** Batch norm and the like with state that is not as it was at first. */
function stirred<M extends AnyModule>(model: M): M {
  nb.setSeed(5)
  for (const [name, x] of model.namedState()) {
    const values = nb.rand(x.shape).data()
    x.assign(name.endsWith('Var') ? values.map((v) => v + 0.5) : values.map((v) => v - 0.4))
  }
  return model.eval()
}

const features = scaled([4, 6])
const images = scaled([3, 8, 7, 4])
const lines = scaled([4, 9, 4])
const pads = [
  [1, 0],
  [2, 1],
] as const

const layers: Record<string, [AnyModule, Nd]> = {
  Linear: [new nb.Linear(6, 5), features],
  'Linear of sequences without bias': [new nb.Linear(4, 5, { bias: false }), lines],
  ...Object.fromEntries(
    [
      new nb.ReLU(),
      new nb.Sigmoid(),
      new nb.Tanh(),
      new nb.Softmax(),
      new nb.LogSoftmax(),
      new nb.Softplus(),
      new nb.Softsign(),
      new nb.LeakyReLU(0.2),
      new nb.ELU(0.7),
      new nb.SELU(),
      new nb.GELU(),
      new nb.GELU('tanh'),
      new nb.SiLU(),
      new nb.Mish(),
      new nb.Hardtanh(-0.5, 0.75),
      new nb.PReLU(6),
      new nb.PReLU(),
      new nb.Dropout(0.5),
      new nb.LayerNorm(6),
      new nb.RMSNorm(6),
      new nb.BatchNorm1d(6),
      new nb.Flatten(),
    ].map((layer, i): [string, [AnyModule, Nd]] => [
      `${layer.constructor.name} ${i}`,
      [layer, features],
    ]),
  ),
  Conv2d: [new nb.Conv2d(4, 5, 3), images],
  'Conv2d same, strided, dilated': [
    new nb.Conv2d(4, 6, [3, 2], { padding: 'same', stride: 2, groups: 2 }),
    images,
  ],
  'Conv2d dilated, padded unevenly': [
    new nb.Conv2d(4, 3, 3, { padding: pads, dilation: [2, 1], bias: false }),
    images,
  ],
  DepthwiseConv2d: [new nb.DepthwiseConv2d(4, 8, 3, { padding: 1 }), images],
  ConvTranspose2d: [
    new nb.ConvTranspose2d(4, 6, 3, { stride: 2, padding: pads, groups: 2 }),
    images,
  ],
  'ConvTranspose2d same': [new nb.ConvTranspose2d(4, 3, 2, { stride: 3, padding: 'same' }), images],
  Conv1d: [new nb.Conv1d(4, 6, 3, { stride: 2, padding: 1 }), lines],
  Conv3d: [new nb.Conv3d(2, 3, 2, { padding: 1 }), scaled([2, 3, 4, 3, 2])],
  MaxPool2d: [new nb.MaxPool2d(3, { stride: 2, padding: 1 }), images],
  'MaxPool2d same': [new nb.MaxPool2d([2, 3], { padding: 'same' }), images],
  MaxPool1d: [new nb.MaxPool1d(2), lines],
  AvgPool2d: [new nb.AvgPool2d(3, { stride: 2, padding: 1 }), images],
  'AvgPool2d same': [
    new nb.AvgPool2d(3, { stride: 2, padding: 'same', countIncludePad: false }),
    images,
  ],
  AvgPool1d: [new nb.AvgPool1d(3, { stride: 1 }), lines],
  GlobalAvgPool2d: [new nb.GlobalAvgPool2d(), images],
  GlobalMaxPool2d: [new nb.GlobalMaxPool2d(), images],
  BatchNorm2d: [new nb.BatchNorm2d(4), images],
  'BatchNorm1d of sequences': [new nb.BatchNorm1d(4), lines],
  GroupNorm: [new nb.GroupNorm(2, 4), images],
  'LayerNorm of images': [new nb.LayerNorm([7, 4]), images],
  'Flatten, channels first': [new nb.Flatten({ order: 'channelsFirst' }), images],
  ChannelsLast: [new nb.ChannelsLast(), images],
  Reshape: [new nb.Reshape([2, 3]), features],
  Autoencoder: [new nb.Autoencoder(6, 3), features],
  RBM: [new nb.RBM(6, 3), features],
  mlp: [nb.mlp([6, 8, 3], { activation: 'tanh', dropout: 0.5, inputDropout: 0.1 }), features],
  convnet: [nb.convnet([8, 8, 1], [4, 6], [10, 3], { dropout: 0.2 }), scaled([3, 64])],
  TableInputs: [
    new nb.TableInputs(3, [{ column: 1, categories: 4, dim: 2 }]),
    { shape: [2, 3], data: [0.5, 4, -1, 0.25, 0, 2] },
  ],
}

for (const [name, [model, rows]] of Object.entries(layers)) {
  t.test(name, async (t) => agrees(t, stirred(model), rows, name))
}

t.test('every public layer is among them', async (t) => {
  const seen = new Set(
    Object.values(layers).flatMap(([model]) =>
      Array.from(model.namedModules().values(), (module) => module.constructor.name),
    ),
  )
  const abstracts = [
    'Module',
    'UnsupervisedLayer',
    'ModuleList',
    'ModuleDict',
    'ConvLayer',
    'Embedding',
  ]
  const isLayer = (value: unknown) =>
    typeof value === 'function' && value.prototype instanceof Module
  const names = Object.entries(nb).flatMap(([name, value]) => (isLayer(value) ? [name] : []))
  t.strictSame(
    names.filter((name) => !seen.has(name) && !abstracts.includes(name)),
    [],
  )
})

t.test('indices are given as examples', async (t) => {
  const model = stirred(new nb.Embedding(5, 3, { paddingIdx: 0 }))
  const input = tensor([[1, 4]], [1, 2], 'int32')
  await agrees(t, model, ints([3, 2], [0, 1, 4, 2, 3, 0]), 'Embedding', { input })
})

/** Numbers from 0 to below n, the same for the same seed. */
function drawing(seed: number): (n: number) => number {
  let state = seed * 2654435761 + 1
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

type Shape = readonly number[]

/** Layers that take examples of a shape, drawn one after another. */
function drawNetwork(seed: number): [nb.Sequential, Shape] {
  const draw = drawing(seed)
  const pick = <T>(items: readonly T[]): T => items[draw(items.length)]
  const input: Shape = pick([[5], [7, 3], [6, 5, 2], [6, 6, 4]])
  const activation = () =>
    new (pick([nb.ReLU, nb.Tanh, nb.SiLU, nb.GELU, nb.ELU, nb.LeakyReLU, nb.Mish, nb.Softplus]))()
  let shape = input
  const found: Module[] = []
  for (let i = 2 + draw(5); i > 0; i--) {
    const channels = shape.at(-1) as number
    const next: Record<number, () => Module> = {
      1: () =>
        pick([
          () => new nb.Linear(channels, 3 + draw(4)),
          () => new nb.LayerNorm(channels),
          () => new nb.BatchNorm1d(channels),
        ])(),
      2: () =>
        pick([
          () => new nb.Conv1d(channels, 4, 2, { padding: 'same' }),
          () => new nb.AvgPool1d(2),
          () => new nb.BatchNorm1d(channels),
          () => new nb.Linear(channels, 3),
          () => new nb.Flatten(),
        ])(),
      3: () =>
        pick([
          () => new nb.Conv2d(channels, 4, 3, { padding: 1, stride: 1 + draw(2) }),
          () => new nb.ConvTranspose2d(channels, 2, 2, { stride: 2 }),
          () => new nb.MaxPool2d(2, { stride: 1 }),
          () => new nb.AvgPool2d(3, { stride: 2, padding: 1 }),
          () => new nb.BatchNorm2d(channels),
          () => new nb.GroupNorm(1 + (channels % 2 === 0 ? draw(2) : 0), channels),
          () => new nb.PReLU(channels),
          () => new nb.GlobalAvgPool2d(),
          () => new nb.Flatten({ order: pick(['channelsFirst', 'channelsLast']) }),
        ])(),
    }
    const spaceLeft = shape.slice(0, -1).every((extent) => extent > 2)
    const layer = spaceLeft || shape.length === 1 ? next[shape.length]() : new nb.Flatten()
    found.push(layer)
    shape = layer
      .eval()
      .forward(nb.zeros([2, ...shape]))
      .shape.slice(1)
    if (draw(2) === 0) found.push(activation())
  }
  return [new nb.Sequential(...found), input]
}

t.test('networks of any layers', async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const [model, input] = drawNetwork(seed)
    const names = model.layers.map((layer) => layer.constructor.name).join(', ')
    await agrees(t, stirred(model), scaled([4, ...input]), `${seed}: ${names}`)
    model.dispose()
  }
})

const countOf = (path: string, op: string) => {
  const { graph } = decode(modelProto, readFileSync(path), path)
  return graph?.node.filter(({ opType }) => opType === op).length
}

t.test(
  'images change the order of their axes once on the way in, and once on the way out',
  async (t) => {
    const path = join(t.testdir(), 'convnet.onnx')
    const layers = [
      new nb.Conv2d(1, 4, 3, { padding: 1 }),
      new nb.BatchNorm2d(4),
      new nb.PReLU(4),
      new nb.MaxPool2d(2),
      new nb.Conv2d(4, 4, 3),
      new nb.ReLU(),
    ]
    const dense = [new nb.Flatten(), new nb.Linear(144, 3)]
    exportOnnx(new nb.Sequential(...layers, ...dense), path, { input: [1, 16, 16, 1] })
    t.equal(countOf(path, 'Transpose'), 2)
    const first = new nb.Flatten({ order: 'channelsFirst' })
    const network = new nb.Sequential(new nb.ChannelsLast(), ...layers, first, dense[1])
    exportOnnx(network, path, { input: [1, 1, 16, 16] })
    t.equal(countOf(path, 'Transpose'), 0, 'not at all as PyTorch has them')
  },
)

t.test('weights keep their names, and what is not used is left out', async (t) => {
  const path = join(t.testdir(), 'names.onnx')
  class Spare extends Module {
    readonly used = new nb.Conv2d(2, 3, 3)
    readonly spare = new nb.Linear(4, 4)
    forward(x: Tensor): Tensor {
      this.spare.forward(x.reshape([-1, 4])).cumprod(0)
      return this.used.forward(x)
    }
  }
  exportOnnx(new Spare(), path, { input: [1, 4, 4, 2] })
  const { graph } = decode(modelProto, readFileSync(path), path)
  t.strictSame(
    graph?.initializer.map(({ name, dims }) => [name, dims]),
    [
      ['used.weight', [3, 2, 3, 3]],
      ['used.bias', [3]],
    ],
  )
  t.strictSame(
    graph?.node.map(({ name }) => name),
    ['used/Transpose', 'used/Conv', 'Transpose'],
  )
})

t.test('a parameter may be called as an input or an output is', async (t) => {
  class Named extends Module {
    readonly input = new nb.Parameter(tensor([1, 2]))
    readonly output = new nb.Parameter(tensor([3, 4]))
    forward(x: Tensor): Tensor {
      return x.mul(this.input).add(this.output)
    }
  }
  await agrees(t, new Named(), scaled([3, 2]), 'names')
})

class Gate extends Module<[x: Tensor, gate: Tensor], { y: Tensor; open: Tensor }> {
  readonly inner = new nb.Linear(3, 3)
  forward(x: Tensor, gate: Tensor) {
    const open = gate.sigmoid().mean([0], true)
    return { y: this.inner.forward(x).mul(open).add(x), open }
  }
}

t.test('several inputs and outputs, by their names', async (t) => {
  const path = join(t.testdir(), 'gate.onnx')
  const model = stirred(new Gate())
  const signature = exportOnnx(model, path, {
    input: [
      [1, 3],
      [1, 3],
    ],
  })
  t.strictSame(signature, {
    inputs: [
      { name: 'input_0', dtype: 'float32', shape: ['batch', 3] },
      { name: 'input_1', dtype: 'float32', shape: ['batch', 3] },
    ],
    outputs: [
      { name: 'y', dtype: 'float32', shape: ['batch', 3] },
      { name: 'open', dtype: 'float32', shape: [1, 3] },
    ],
  })
  const [x, gate] = [scaled([4, 3]), sample([4, 3], 1)]
  const expected = model.forward(tensor(x.data, [4, 3]), tensor(gate.data, [4, 3]))
  const found = await runtimeResults(path, { input_0: valuesOf(x), input_1: valuesOf(gate) })
  near(t, found.y.data, expected.y.data(), 'y')
  near(t, found.open.data, expected.open.data(), 'open')
})

/** A module of one function. */
class Lambda extends Module {
  constructor(readonly compute: (x: Tensor) => unknown) {
    super()
  }
  forward(x: Tensor): Tensor {
    return this.compute(x) as Tensor
  }
}

const any: Record<string, (x: Tensor) => Tensor> = {
  'nothing at all': (x) => x,
  'constants alone': () => tensor([[1, 2]]),
  'attention between the examples of a batch': (x) =>
    nb.matmul(x, x, { transB: true }).softmax().matmul(x),
  'repeated to the batch': (x) =>
    nb
      .ones([x.shape[0], 2])
      .mul(3)
      .add(x.slice([], [0, 2])),
  'two rows for each example': (x) =>
    x
      .reshape([x.shape[0] * 2, 3])
      .relu()
      .reshape(x.shape),
  'views, slices, reversed': (x) => nb.concat([x.flip(1), x.slice(undefined, [4, 0, -2])], 1),
  'a diagonal of each example': (x) => x.reshape([x.shape[0], 2, 3]).diagonal(0, 1, 2),
  'with a view that no op made': (x) => x.detach().view([x.shape[0], 3, 2]).sum(2),
  'sorted, the largest, sums so far': (x) =>
    nb.concat([x.sort(1).values, x.topK(2).values, x.cumsum(1)], 1),
  'of nothing but constants': (x) =>
    nb
      .ones([2, 6])
      .mul(2)
      .matmul(nb.ones([6, 6]))
      .sum(0)
      .add(x),
  'spread of the batch': (x) => x.sub(x.mean([0])).div(x.var([0], true, 0).add(1).sqrt()),
}

for (const [name, compute] of Object.entries(any)) {
  t.test(name, async (t) => {
    const path = join(t.testdir(), 'any.onnx')
    exportOnnx(new Lambda(compute), path, { input: [1, 6] })
    for (const batch of [4, 1, 5]) {
      const x = scaled([batch, 6])
      const expected = compute(tensor(x.data, [batch, 6]))
      const { output } = await runtimeResults(path, { input: valuesOf(x) })
      t.strictSame(output.shape, expected.shape)
      near(t, output.data, expected.data(), `${batch}`)
    }
  })
}

t.test('what cannot be exported is refused, and leaves the file', async (t) => {
  const path = join(t.testdir({ model: 'good' }), 'model')
  const wrong: [unknown, RegExp, object?][] = [
    [
      (x: Tensor) => x.mul(x.data()[0]),
      /affine: expected settings that are the same for all inputs/,
    ],
    [
      (x: Tensor) => (x.sum().item() > 0.5 ? x.exp() : x.relu()),
      /depends on their values or on chance/,
    ],
    [(x: Tensor) => x.add(nb.rand([4])), /values follow the inputs or chance/],
    [(x: Tensor) => x.clone().relu(), /values follow the inputs.*clone\(\)/],
    [(x: Tensor) => x.maskedSelect(x.greater(0.5)), /maskedSelect|depends on their values/],
    [
      (x: Tensor) => x.sum(0).mul(1 / (x.shape[0] + 1)),
      /affine: expected settings that are the same for all inputs, or a multiple/,
    ],
    [
      (x: Tensor) => {
        const y = x.relu()
        y.assign(x)
        return y.relu()
      },
      /leaves its tensors as they are, got one that overwrites \[2, 4\]/,
    ],
    [() => 3, /expected a forward pass that returns a tensor/],
    [(x: Tensor) => x, /input as the shape of a batch such as \[1, 784\].*got undefined/, {}],
    [(x: Tensor) => x, /as the shape of a batch/, { input: [] }],
    [(x: Tensor) => x, /as the shape of a batch/, { input: [0, 4] }],
    [(x: Tensor) => x, /as the shape of a batch/, { input: [[1, 4], 'x'] }],
    [(x: Tensor) => x, /unknown|batchSize/, { batchSize: 3 }],
  ]
  for (const [compute, message, options = { input: [1, 4] }] of wrong) {
    const model = new Lambda(compute as (x: Tensor) => Tensor)
    refuses(t, () => exportOnnx(model, path, options as object), ArgumentError, message)
  }
  const input = [1, 4]
  const inside = new nb.Sequential(new nb.ReLU(), new Lambda((x) => x.clone().relu()))
  refuses(t, () => exportOnnx(inside, path, { input }), ArgumentError, /^exportOnnx: layers\.1: /)
  refuses(
    t,
    () => exportOnnx(nb.mlp([3, 2]), path, { input }),
    nb.ShapeError,
    /layers\.0.*\[2, 4\]/,
  )
  const model = nb.mlp([4, 2])
  model.parameters()[0].assign(Array(8).fill(Number.NaN))
  refuses(t, () => exportOnnx(model, path, { input }), nb.DivergenceError, /NaN in layers.0.weight/)
  refuses(t, () => exportOnnx(7 as never, path), ArgumentError, /expected a module, a classifier/)
  refuses(
    t,
    () => exportOnnx(null as never, path),
    ArgumentError,
    /expected a module, a classifier/,
  )
  refuses(t, () => exportOnnx(nb.mlp([4, 2]), 7 as never, { input }), ArgumentError)
  t.equal(readFileSync(path, 'utf8'), 'good')
})

t.test('the model is left as it was', async (t) => {
  const model = new nb.Sequential(new nb.BatchNorm1d(4), new nb.Dropout(0.5))
  const [before, buffers] = [model.stateDict(), nb.memory().buffers]
  exportOnnx(model, join(t.testdir(), 'model.onnx'), { input: [1, 4] })
  t.equal(model.training, true)
  t.equal(nb.memory().buffers, buffers)
  t.strictSame([...model.stateDict().keys()], [...before.keys()])
  t.notOk(Object.hasOwn(model, 'forward'), 'without hooks')
})
