/** Layers of `neuroblas/keras` give Keras's numbers (fixtures/keras-layers.json; the script is beside it). */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { layers, optimizers, Sequential } from '../../lib/frontends/keras/index.js'
import { ArgumentError, type Module, ShapeError, tensor, zeros } from '../../lib/index.js'
import { type Nd, refuses, same, toTensor, wrong } from '../support/reference.js'

interface LayerNumbers {
  x: Nd
  y: Nd
  weights: Nd[]
  count: number
}
interface Trained {
  loss: number[]
  weights: Nd[]
}
const numbers: {
  layers: Record<string, LayerNumbers>
  activations: Record<string, number[]>
  training: {
    before: Nd[]
    x: Nd
    y: number[]
    first: Trained
    frozen: Trained
    count: number
    trainable: number
    predicted: Nd
  }
} = JSON.parse(readFileSync(new URL('../fixtures/keras-layers.json', import.meta.url), 'utf8'))

const make: Record<string, () => layers.Layer> = {
  Conv1D: () =>
    new layers.Conv1D({
      filters: 3,
      kernelSize: 3,
      strides: 2,
      padding: 'same',
      activation: 'relu',
    }),
  'Conv1D dilated': () => new layers.Conv1D({ filters: 2, kernelSize: 2, dilationRate: 2 }),
  Conv2D: () =>
    new layers.Conv2D({
      filters: 3,
      kernelSize: [2, 3],
      padding: 'same',
      strides: [2, 1],
      activation: 'tanh',
    }),
  'Conv2D grouped': () =>
    new layers.Conv2D({ filters: 4, kernelSize: 3, groups: 2, useBias: false }),
  Conv3D: () => new layers.Conv3D({ filters: 2, kernelSize: 2 }),
  DepthwiseConv2D: () => new layers.DepthwiseConv2D({ kernelSize: 2, depthMultiplier: 2 }),
  MaxPooling1D: () => new layers.MaxPooling1D({ poolSize: 3, strides: 2, padding: 'same' }),
  MaxPooling2D: () => new layers.MaxPooling2D(),
  AveragePooling1D: () => new layers.AveragePooling1D({ poolSize: 2 }),
  AveragePooling2D: () =>
    new layers.AveragePooling2D({ poolSize: [3, 2], strides: 2, padding: 'same' }),
  GlobalMaxPooling1D: () => new layers.GlobalMaxPooling1D(),
  GlobalMaxPooling2D: () => new layers.GlobalMaxPooling2D(),
  GlobalAveragePooling1D: () => new layers.GlobalAveragePooling1D(),
  GlobalAveragePooling2D: () => new layers.GlobalAveragePooling2D(),
  BatchNormalization: () => new layers.BatchNormalization(),
  'BatchNormalization of images': () => new layers.BatchNormalization({ epsilon: 0.01 }),
  LayerNormalization: () => new layers.LayerNormalization(),
  GroupNormalization: () => new layers.GroupNormalization({ groups: 2 }),
  Embedding: () => new layers.Embedding({ inputDim: 6, outputDim: 3 }),
  Reshape: () => new layers.Reshape({ targetShape: [2, 6] }),
  Flatten: () => new layers.Flatten(),
  Softmax: () => new layers.Softmax(),
}

/** Weights in Keras's order, which is that of the state. */
function setWeights(module: Module, weights: readonly Nd[]): void {
  const state = [...module.stateDict()]
  module.loadStateDict(
    Object.fromEntries(
      state.map(([path, { shape }], i) => [path, { shape, data: weights[i].data }]),
    ),
  )
}

const rowsOf = (x: Nd) => toTensor(x).toArray() as unknown as number[][]

t.test('layers compute and count as in Keras', async (t) => {
  t.strictSame(Object.keys(make), Object.keys(numbers.layers))
  for (const [name, { x, y, weights, count }] of Object.entries(numbers.layers)) {
    const model = new Sequential([make[name]()])
    // Built by the first data.
    model.predict(rowsOf(x))
    setWeights(model.module, weights)
    t.equal(model.countParams(), count, `${name}: weights`)
    const outputs = model.predict(rowsOf(x))
    same(t, outputs, y, name, 1e-5)
    model.dispose()
  }
})

t.test('Flatten makes rows of no examples, too, and of single numbers', async (t) => {
  const rows = (inputShape: number[], batch: number) => {
    const { modules, outputShape } = new layers.Flatten().build(inputShape)
    return [outputShape, modules[0].forward(zeros([batch, ...inputShape])).shape]
  }
  t.strictSame(rows([3, 2], 0), [[6], [0, 6]])
  t.strictSame(rows([], 4), [[1], [4, 1]])
})

t.test('activations by name', async (t) => {
  const x = Array.from({ length: 7 }, (_, i) => i - 3)
  for (const [name, wanted] of Object.entries(numbers.activations)) {
    const model = new Sequential([new layers.Activation(name as layers.ActivationName)])
    same(t, model.predict([x]), { shape: [1, 7], data: wanted }, name, 1e-5)
  }
})

t.test('a convolutional network trains as in Keras, its batch norm frozen or not', async (t) => {
  const { before, x, y, first, frozen, count, trainable, predicted } = numbers.training
  const norm = new layers.BatchNormalization({ momentum: 0.9 })
  const model = new Sequential([
    new layers.Conv2D({ filters: 4, kernelSize: 3, padding: 'same', inputShape: [6, 6, 1] }),
    norm,
    new layers.ReLU(),
    new layers.MaxPooling2D(),
    new layers.Flatten(),
    new layers.Dense({ units: 3, activation: 'softmax' }),
  ])
  const go = async (t: Test, wanted: Trained, name: string) => {
    model.compile({
      optimizer: new optimizers.SGD({ learningRate: 0.05 }),
      loss: 'sparseCategoricalCrossentropy',
    })
    const { history } = await model.fit(rowsOf(x), y, {
      epochs: 2,
      batchSize: 4,
      shuffle: false,
      verbose: 0,
    })
    same(t, tensor(history.loss), { shape: [2], data: wanted.loss }, `${name}: losses`, 1e-5)
    for (const [i, [path, { shape, data }]] of [...model.module.stateDict()].entries()) {
      same(t, tensor(data, shape), wanted.weights[i], `${name}: ${path}`, 1e-4)
    }
  }
  model.predict(rowsOf(x))
  setWeights(model.module, before)
  await go(t, first, 'trained')
  norm.trainable = false
  await go(t, frozen, 'frozen')
  same(t, model.predict(rowsOf(x)), predicted, 'outputs', 1e-4)
  t.equal(model.countParams(), count)
  const lines: string[] = []
  model.summary((line) => lines.push(line))
  t.match(lines.join('\n'), new RegExp(`Total params: ${count}\nTrainable params: ${trainable}\n`))
  t.match(
    lines.join('\n'),
    /Conv2D +\(null, 6, 6, 4\) +40\nBatchNormalization +\(null, 6, 6, 4\) +16\n/,
  )
})

t.test('what does not fit is refused in one sentence', async (t) => {
  const argument: [() => unknown, RegExp][] = [
    [() => new layers.Conv2D(wrong({ kernelSize: 3 })), /^Conv2D: expected filters >= 1/],
    [
      () => new layers.Conv2D({ filters: 2, kernelSize: 0 }),
      /^Conv2d: expected a window of one whole number or 2 from 1, got 0$/,
    ],
    [
      () => new layers.Conv1D({ filters: 2, kernelSize: 3, padding: wrong('causal') }),
      /^Conv1D: expected padding valid or same, got 'causal'$/,
    ],
    [
      () => new layers.Conv2D({ filters: 2, kernelSize: 3, strides: wrong('a') }),
      /^Conv2d: expected stride/,
    ],
    [
      () => new layers.Conv2D(wrong({ filters: 2, kernelSize: 3, dataFormat: 'channels_first' })),
      /^Conv2D: expected options among/,
    ],
    [
      () => new layers.Conv2D({ filters: 3, kernelSize: 3, groups: 2 }),
      /groups that divide .* outChannels 3, got 2/,
    ],
    [
      () => new layers.DepthwiseConv2D(wrong({})),
      /^DepthwiseConv2d: expected a window of .*, got undefined$/,
    ],
    [() => new layers.MaxPooling2D({ poolSize: 0 }), /^MaxPool2d: expected a window of/],
    [
      () => new layers.MaxPooling2D({ padding: wrong('full') }),
      /^MaxPooling2D: expected padding valid/,
    ],
    [
      () => new layers.BatchNormalization({ scale: false }),
      /center and scale to be the same, got center true and scale false/,
    ],
    [
      () => new layers.BatchNormalization({ momentum: 2 }),
      /^BatchNormalization: expected momentum from 0 to 1/,
    ],
    [() => new layers.LayerNormalization({ epsilon: 0 }), /^LayerNormalization: expected epsilon/],
    [
      () => new layers.GroupNormalization({ groups: 0 }),
      /^GroupNormalization: expected groups >= 1/,
    ],
    [() => new layers.Embedding(wrong({ inputDim: 3 })), /^Embedding: expected outputDim >= 1/],
    [
      () => new layers.Embedding({ inputDim: 3, outputDim: 2, embeddingsInitializer: wrong('x') }),
      /^Embedding: embeddingsInitializer: expected one of/,
    ],
    [() => new layers.Activation(wrong('glu')), /^Activation: expected one of linear, relu/],
  ]
  for (const [call, message] of argument) refuses(t, call, ArgumentError, message)
  const shape: [layers.Layer, number[], RegExp][] = [
    [
      new layers.Conv2D({ filters: 2, kernelSize: 3 }),
      [4, 4],
      /^Conv2D: expected inputs \[height, width, channels\], got shape \[4,4\]/,
    ],
    [
      new layers.Conv2D({ filters: 2, kernelSize: 3 }),
      [2, 4, 1],
      /^Conv2D: expected inputs of at least 3 along each axis, got \[2,4\]/,
    ],
    [
      new layers.DepthwiseConv2D({ kernelSize: 2 }),
      wrong(undefined),
      /^build: expected a shape of integers >= 0, got undefined$/,
    ],
    [new layers.MaxPooling1D(), [4], /^MaxPooling1D: expected inputs \[length, channels\]/],
    [new layers.GlobalMaxPooling2D(), [4], /^GlobalMaxPooling2D: expected inputs/],
    [
      new layers.BatchNormalization(),
      [2, 2, 2, 2],
      /^BatchNormalization: expected inputs \[channels\]/,
    ],
    [
      new layers.Reshape({ targetShape: [3] }),
      [4],
      /^Reshape: expected inputs of 3 elements for shape \[3\], got shape \[4\]/,
    ],
  ]
  for (const [layer, inputShape, message] of shape) {
    refuses(t, () => layer.build(inputShape), ShapeError, message)
  }
})
