/** Models of tf.layers as networks of this library, and back. */
import { createRequire } from 'node:module'
import type * as TensorFlow from '@tensorflow/tfjs'
import t, { type Test } from 'tap'
import {
  fromLayersModel,
  type LayersNetwork,
  toLayersModel,
} from '../../lib/frontends/tfjs/index.js'
import {
  ArgumentError,
  dataset,
  fit,
  Linear,
  type Module,
  noGrad,
  SGD,
  setSeed,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
} from '../../lib/index.js'

const tf: typeof TensorFlow = createRequire(import.meta.url)('@tensorflow/tfjs')
tf.env().set('IS_NODE', false)
const { layers } = tf

t.before(async () => {
  await tf.setBackend('cpu')
  setSeed(1)
})

type Model = TensorFlow.LayersModel
type Layer = TensorFlow.layers.Layer

/** Weights drawn anew, those that are variances above 0. */
function randomize(model: Model): Model {
  const draw = ({ shape, name }: { shape: unknown; name: string }, seed: number) =>
    name.includes('variance')
      ? tf.randomUniform(shape as number[], 0.5, 2, 'float32', seed)
      : tf.randomUniform(shape as number[], -0.5, 0.5, 'float32', seed)
  tf.tidy(() => model.setWeights(model.weights.map((weight, i) => draw(weight, i + 1))))
  return model
}

function sequential(inputShape: number[], ...rest: Layer[]): Model {
  const model = tf.sequential()
  model.add(layers.inputLayer({ inputShape }))
  for (const layer of rest) model.add(layer)
  return randomize(model)
}

/** A batch for a model, and what it makes of it. */
function examples(model: Model, batch = 3): { x: TensorFlow.Tensor; y: Float32Array } {
  const shape = [batch, ...(model.inputs[0].shape.slice(1) as number[])]
  const x = tf.randomUniform(shape, -2, 2, 'float32', 7)
  return { x, y: predictions(model, x) }
}

function predictions(model: Model, x: TensorFlow.Tensor): Float32Array {
  return tf.tidy(() => (model.predict(x) as TensorFlow.Tensor).dataSync().slice()) as Float32Array
}

const ours = (x: TensorFlow.Tensor) => tensor(x.dataSync() as Float32Array, x.shape)

function outputs(network: Module, x: TensorFlow.Tensor): Float32Array {
  return noGrad(() => network.forward(ours(x))).data() as Float32Array
}

function near(t: Test, got: ArrayLike<number>, wanted: ArrayLike<number>, bound = 1e-6): void {
  t.equal(got.length, wanted.length)
  let furthest = 0
  for (let i = 0; i < wanted.length; i++) {
    furthest = Math.max(furthest, Math.abs(got[i] - wanted[i]) / Math.max(1, Math.abs(wanted[i])))
  }
  t.ok(furthest <= bound, `${furthest} apart`)
}

/** The same outputs there, and back the same weights. */
function bothWays(t: Test, model: Model): void {
  const { x, y } = examples(model)
  const network = fromLayersModel(model)
  near(t, outputs(network, x), y)
  const back = toLayersModel(tf, network)
  t.same(predictions(back, x), y)
  t.same(
    back.layers.map(({ name }) => name),
    model.layers.map(({ name }) => name),
  )
}

const ACTIVATIONS = [
  'elu',
  'gelu',
  'gelu_new',
  'hardSigmoid',
  'linear',
  'mish',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'tanh',
] as const

t.test('dense layers with every activation', (t) => {
  for (const [i, activation] of ACTIVATIONS.entries()) {
    const given = { activation: activation as 'relu', useBias: i % 2 === 0 }
    bothWays(t, sequential([5 + i], layers.dense({ units: 4 + (i % 3), ...given })))
  }
  t.end()
})

t.test('activations, norms and shapes as layers', (t) => {
  const all = [
    layers.dense({ units: 24 }),
    layers.layerNormalization({ epsilon: 1e-2 }),
    layers.activation({ activation: 'logSoftmax' as 'relu' }),
    layers.reshape({ targetShape: [2, 4, 3] }),
    layers.permute({ dims: [3, 1, 2] }),
    layers.batchNormalization({ momentum: 0.7 }),
    layers.leakyReLU({ alpha: 0.2 }),
    layers.prelu({ sharedAxes: [1, 2] }),
    layers.layerNormalization({ axis: [2, 3] }),
    layers.elu(),
    layers.dropout({ rate: 0.3 }),
    layers.flatten(),
    layers.batchNormalization({ scale: false }),
    layers.reLU({ maxValue: 2 }),
    layers.batchNormalization({ center: false }),
    layers.softmax(),
  ]
  bothWays(t, sequential([6], ...all))
  t.end()
})

t.test('convolutions of images', (t) => {
  for (const padding of ['same', 'valid'] as const) {
    for (const strides of [1, 2]) {
      const all = [
        layers.zeroPadding2d({
          padding: [
            [1, 0],
            [2, 1],
          ],
        }),
        layers.conv2d({ filters: 5, kernelSize: [3, 2], padding, strides, activation: 'relu' }),
        layers.batchNormalization(),
        layers.depthwiseConv2d({ kernelSize: 3, padding, strides, depthMultiplier: 2 }),
        layers.separableConv2d({ filters: 6, kernelSize: 2, padding, strides }),
        layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding }),
        layers.upSampling2d({ size: [2, 1] }),
        layers.maxPooling2d({ poolSize: 2, padding, strides }),
        layers.averagePooling2d({ poolSize: [2, 3], padding, strides }),
        layers.conv2d({ filters: 2, kernelSize: 2, padding: 'same', dilationRate: 2 }),
      ]
      const ending =
        strides === 1 ? layers.globalAveragePooling2d({}) : layers.globalMaxPooling2d({})
      bothWays(t, sequential([23, 27, 3], ...all, ending))
    }
  }
  t.end()
})

t.test('convolutions of lines', (t) => {
  for (const padding of ['same', 'valid'] as const) {
    const all = [
      layers.conv1d({ filters: 4, kernelSize: 3, padding, strides: 2, useBias: false }),
      layers.maxPooling1d({ poolSize: 3, padding, strides: 2 }),
      layers.conv1d({ filters: 6, kernelSize: 2, padding, dilationRate: 2 }),
      layers.batchNormalization(),
      layers.averagePooling1d({ poolSize: 2, padding }),
    ]
    const isSame = padding === 'same'
    const ending = isSame ? layers.globalAveragePooling1d() : layers.globalMaxPooling1d()
    bothWays(t, sequential([23, 3], ...all, ending, layers.dense({ units: 2 })))
  }
  t.end()
})

t.test('a shape with an extent that follows from the others', (t) => {
  const reshape = layers.reshape({ targetShape: [-1, 3] })
  bothWays(t, sequential([4, 6], reshape, layers.conv1d({ filters: 2, kernelSize: 2 })))
  t.end()
})

t.test('functional models', (t) => {
  const input = tf.input({ shape: [8, 8, 2] })
  const shared = layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'tanh' })
  const a = layers.conv2d({ filters: 4, kernelSize: 1 }).apply(input) as TensorFlow.SymbolicTensor
  const b = shared.apply(layers.conv2d({ filters: 2, kernelSize: 1 }).apply(input))
  const c = shared.apply(input)
  const parts = [a, b, c] as TensorFlow.SymbolicTensor[]
  const merged = [
    layers.add().apply(parts),
    layers.multiply().apply(parts),
    layers.average().apply(parts),
    layers.maximum().apply(parts),
    layers.minimum().apply(parts),
  ] as TensorFlow.SymbolicTensor[]
  const joined = layers.concatenate({ axis: -1 }).apply(merged)
  const inner = tf.sequential({
    layers: [
      layers.depthwiseConv2d({ kernelSize: 3, inputShape: [8, 8, 20] }),
      layers.flatten(),
      layers.dense({ units: 7, activation: 'relu' }),
    ],
  })
  const output = layers.dense({ units: 3 }).apply(inner.apply(joined))
  bothWays(t, randomize(tf.model({ inputs: input, outputs: output as never })))
  t.end()
})

t.test('a sequential model within another', (t) => {
  const inner = tf.sequential({ layers: [layers.dense({ units: 5, inputShape: [4] })] })
  const outer = tf.sequential({ layers: [inner, layers.dense({ units: 2 })] })
  bothWays(t, randomize(outer))
  t.end()
})

t.test('an embedding takes indices', async (t) => {
  const model = sequential(
    [6],
    layers.embedding({ inputDim: 10, outputDim: 4 }),
    layers.globalAveragePooling1d(),
    layers.dense({ units: 2 }),
  )
  const ids = Int32Array.from({ length: 18 }, (_, i) => (i * 7) % 10)
  const x = tensor(ids, [3, 6], 'int32') as unknown as Tensor
  const y = noGrad(() => fromLayersModel(model).forward(x)).data() as Float32Array
  near(t, y, predictions(model, tf.tensor(ids, [3, 6])))
})

/** Three epochs of the same batches, there and here. */
async function trainBoth(model: Model, shape: number[], classes: number): Promise<LayersNetwork> {
  const count = 24
  const x = tf.randomUniform([count, ...shape], -1, 1, 'float32', 3)
  const targets = Int32Array.from({ length: count }, (_, i) => (i * 5) % classes)
  const y = tf.oneHot(tf.tensor1d(targets, 'int32'), classes).toFloat()
  const network = fromLayersModel(model, { logits: true })
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' })
  await model.fit(x, y, { epochs: 3, batchSize: 8, shuffle: false, verbose: 0 })
  const data = dataset({ inputs: x.dataSync() as Float32Array, inputShape: shape, targets })
  await fit(network, data, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(network.groups(), { lr: 0.1 }),
    epochs: 3,
    batchSize: 8,
    shuffle: false,
  })
  return network
}

t.test('trains as tf.layers does, by captured steps, and goes back', async (t) => {
  const model = sequential(
    [6, 6, 1],
    layers.conv2d({ filters: 3, kernelSize: 3, activation: 'relu' }),
    layers.batchNormalization({ momentum: 0.9 }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 3, activation: 'softmax' }),
  )
  const network = await trainBoth(model, [6, 6, 1], 3)
  const back = toLayersModel(tf, network)
  for (const [i, weight] of model.getWeights().entries()) {
    near(t, back.getWeights()[i].dataSync(), weight.dataSync(), 1e-5)
  }
  // The softmax that the network left out is there again.
  const { x, y } = examples(back)
  near(t, outputs(fromLayersModel(model), x), y, 1e-5)
})

t.test('layers that are not trainable are frozen', async (t) => {
  const frozen = layers.dense({ units: 5, activation: 'relu', trainable: false, name: 'frozen' })
  const model = sequential([4], frozen, layers.dense({ units: 2, activation: 'softmax' }))
  const before = frozen.getWeights()[0].dataSync().slice()
  const network = await trainBoth(model, [4], 2)
  const back = toLayersModel(tf, network)
  t.same(back.getLayer('frozen').getWeights()[0].dataSync(), before)
  t.equal(back.getLayer('frozen').trainable, false)
  near(t, back.getWeights()[2].dataSync(), model.getWeights()[2].dataSync(), 1e-5)
})

t.test('regularizers are those of the groups', async (t) => {
  const { l2, l1l2 } = tf.regularizers
  const convolution = { filters: 3, kernelSize: 2, kernelRegularizer: l2({ l2: 0.05 }) }
  const head = layers.dense({
    units: 2,
    activation: 'softmax',
    kernelRegularizer: l1l2({ l1: 0, l2: 0.1 }),
  })
  const inner = tf.sequential({
    layers: [layers.conv2d({ ...convolution, inputShape: [4, 4, 1] })],
  })
  const model = sequential([4, 4, 1], inner, layers.flatten(), head)
  const network = await trainBoth(model, [4, 4, 1], 2)
  t.equal(network.groups().length, 3)
  for (const [i, weight] of toLayersModel(tf, network).getWeights().entries()) {
    near(t, weight.dataSync(), model.getWeights()[i].dataSync(), 1e-5)
  }
})

t.test('the names of parameters are those of the layers', (t) => {
  const model = sequential([4], layers.dense({ units: 2, name: 'head' }))
  const network = fromLayersModel(model)
  t.same([...network.namedParameters().keys()], ['layers.head.weight', 'layers.head.bias'])
  t.equal(network.training, false)
  t.end()
})

t.test('what has no counterpart is refused by its name', (t) => {
  const refused = (inputShape: number[], layer: Layer, message: RegExp) => {
    const model = sequential(inputShape, layer)
    t.throws(() => fromLayersModel(model), { constructor: ArgumentError, message })
  }
  refused([5, 2], layers.lstm({ units: 3, name: 'memory' }), /the LSTM memory/)
  refused([2], layers.gaussianNoise({ stddev: 1, name: 'noise' }), /the GaussianNoise noise/)
  const dense = { units: 2, name: 'd' }
  const biasRegularizer = tf.regularizers.l2({ l2: 0.1 })
  refused([2], layers.dense({ ...dense, biasRegularizer }), /biasRegularizer of the Dense d/)
  const biasConstraint = tf.constraints.nonNeg()
  refused([2], layers.dense({ ...dense, biasConstraint }), /biasConstraint of the Dense d/)
  const first = { dataFormat: 'channelsFirst', name: 'c' } as const
  const conv = layers.conv2d({ filters: 2, kernelSize: 1, ...first })
  refused([2, 3, 3], conv, /dataFormat of the Conv2D c to be 'channelsLast', got 'channelsFirst'/)
  refused([3, 3, 2], layers.batchNormalization({ axis: 1, name: 'b' }), /axis of the BatchN.* b/)
  refused([3, 2], layers.layerNormalization({ axis: 1, name: 'l' }), /axis of the LayerN.* l/)
  refused([3, 2], layers.softmax({ axis: 1, name: 's' }), /axis of the Softmax s/)
  refused([3, 2], layers.prelu({ sharedAxes: [2], name: 'p' }), /sharedAxes of the PReLU p/)
  refused(
    [3],
    layers.dropout({ rate: 0.1, noiseShape: [1], name: 'o' }),
    /noiseShape of the Dropout o/,
  )
  const separable = layers.separableConv2d({
    filters: 2,
    kernelSize: 2,
    depthMultiplier: 2,
    name: 'x',
  })
  refused([3, 3, 2], separable, /depthMultiplier of the SeparableConv2D x/)
  const up = layers.upSampling2d({ interpolation: 'bilinear', name: 'u' })
  refused([3, 3, 1], up, /interpolation of the UpSampling2D u/)
  const transposed = layers.conv2dTranspose({ filters: 1, kernelSize: 1, strides: 2, name: 't' })
  refused([3, 3, 1], transposed, /kernelSize of the Conv2DTranspose t/)
  t.end()
})

t.test('models that are none, or of several inputs, are refused', (t) => {
  const refused = (model: unknown, message: RegExp, options = {}) =>
    t.throws(() => fromLayersModel(model as Model, options), {
      constructor: ArgumentError,
      message,
    })
  refused({}, /expected a model of tf.layers/)
  refused(undefined, /expected a model of tf.layers/)
  refused(tf.sequential(), /expected one input and one output of .*, got 0 and 0/)
  const inputs = [tf.input({ shape: [2] }), tf.input({ shape: [2] })]
  const outputs = layers.add().apply(inputs) as TensorFlow.SymbolicTensor
  refused(tf.model({ inputs, outputs }), /expected one input and one output of .*, got 2 and 1/)
  const model = sequential([2], layers.dense({ units: 1, activation: 'relu', name: 'end' }))
  refused(model, /a softmax or sigmoid at the model's end for logits, got relu in end/, {
    logits: true,
  })
  refused(model, /logits/, { logits: 1 })
  refused(model, /logit/, { logit: true })
  const other = new Linear(2, 1) as unknown as LayersNetwork
  t.throws(() => toLayersModel(tf, other), {
    constructor: ArgumentError,
    message: /toLayersModel/,
  })
  t.end()
})
