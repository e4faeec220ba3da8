/** Options that do not exist are refused by whatever takes options, and what is given is read once. */
import t from 'tap'
import {
  callbacks,
  layers,
  losses,
  optimizers,
  Sequential,
} from '../../lib/frontends/keras/index.js'
import { MLPClassifier } from '../../lib/frontends/sklearn/index.js'
import * as neuroblas from '../../lib/index.js'
import {
  ArgumentError,
  Autoencoder,
  DataLoader,
  Dropout,
  dataset,
  distortion,
  evaluate,
  fit,
  gradCheck,
  huberLoss,
  iris,
  Linear,
  Monitor,
  mlp,
  mse,
  Parameter,
  predict,
  preprocess,
  pretrain,
  RBM,
  SGD,
  setBackend,
  softmaxCrossEntropy,
  split,
  subset,
  tensor,
  zeros,
} from '../../lib/index.js'
import * as plot from '../../lib/plot/index.js'
import { rejects } from '../support/engine.js'
import { refuses, wrong } from '../support/reference.js'

setBackend('native')

const model = mlp([4, 3])
const data = iris()
const x = tensor([[1, 2]])
const optimizer = () => new SGD(model.parameters(), { lr: 0.1 })
const loss = softmaxCrossEntropy

t.test('unknown options', async (t) => {
  const calls: [() => unknown, RegExp][] = [
    [
      () => new DataLoader(data, wrong({ batch_size: 3 })),
      /DataLoader: .*; did you mean batchSize/,
    ],
    [() => new Linear(2, 2, wrong({ useBias: false })), /^Linear: .*got useBias$/],
    [() => mlp([2, 2], wrong({ hidden: 3 })), /^mlp: .*got hidden$/],
    [() => new Parameter(zeros([2]), wrong({ regularised: false })), /did you mean regularized/],
    [() => new SGD([zeros([2])], wrong({ lr: 1, momentums: 0.9 })), /did you mean momentum\?$/],
    [() => new Monitor(wrong({ interval: 3 })), /^Monitor: .*got interval$/],
    [() => new Autoencoder(2, 2, wrong({ tie: true })), /^Autoencoder: .*did you mean tied/],
    [() => new Autoencoder(2, 2, { noise: wrong({ mask: 0.1 }) }), /^Autoencoder: noise: .*mask$/],
    [() => new RBM(2, 2, wrong({ steps: 1 })), /^RBM: .*got steps$/],
    [() => gradCheck((x) => x, [[1]], wrong({ epsilon: 1 })), /^gradCheck: .*got epsilon$/],
    [() => distortion(wrong({ imageShape: [2, 2], sheer: 1 })), /did you mean shear/],
    [() => dataset(wrong({ inputs: [[1]], labels: [0] })), /^dataset: .*got labels$/],
    [() => x.matmul(x, wrong({ transposeB: true })), /^matmul: .*got transposeB$/],
    [() => x.sum().backward(undefined, wrong({ createGraph: true })), /^backward: .*createGraph$/],
    [() => predict(wrong({}), [[1]], wrong({ batch: 1 })), /^predict: .*got batch$/],
    [() => new layers.Dense(wrong({ units: 1, bias: true })), /did you mean useBias|got bias/],
    [() => new layers.Flatten(wrong({ shape: [2] })), /^Flatten: .*got shape$/],
    [() => new optimizers.SGD(wrong({ lr: 0.1 })), /^SGD: .*got lr$/],
    [() => new optimizers.Adam(wrong({ decay: 0.1 })), /^Adam: .*got decay$/],
    [() => new losses.BinaryCrossentropy(wrong({ from_logits: true })), /did you mean fromLogits/],
    [() => new callbacks.EarlyStopping(wrong({ delta: 1 })), /^EarlyStopping: .*got delta$/],
    [() => new MLPClassifier(wrong({ max_iter: 3 })), /did you mean maxIter/],
    // What it inherits would be read, too.
    [() => mlp([2, 2], Object.create({ hidden: 3 })), /^mlp: .*got hidden$/],
    [() => mlp([2, 2], wrong(null)), /^mlp: expected one object of options .*got null$/],
  ]
  for (const [call, message] of calls) refuses(t, call, ArgumentError, message)
  const common = { loss, optimizer: optimizer(), epochs: 1 }
  for (const [call, message] of [
    [evaluate(model, data, wrong({ loss, batch_size: 3 })), /^evaluate: .*did you mean batchSize/],
    [fit(model, data, wrong({ ...common, silent: 1 })), /^fit: .*got silent$/],
    [
      fit(model, data, {
        ...common,
        validation: 0.1,
        earlyStopping: wrong({ patience: 1, min: 0 }),
      }),
      /^fit: earlyStopping: .*got min$/,
    ],
    [pretrain(model, data, wrong({ method: 'rbm', epoch: 1 })), /did you mean epochs/],
  ] as [Promise<unknown>, RegExp][]) {
    await rejects(t, call, ArgumentError, message)
  }
})

t.test('unknown options of charts', async (t) => {
  const unknown = wrong({ titel: 'a' }) as never
  const history = { epochs: [{ epoch: 1, loss: 1 }], bestEpoch: 1 }
  const calls: Record<string, () => Promise<unknown>> = {
    bars: () => plot.bars({ a: 1 }, unknown),
    lines: () => plot.lines({ a: [1] }, unknown),
    layerCurves: () => plot.layerCurves([], unknown),
    learningCurves: () => plot.learningCurves(history, unknown),
    scatter: () => plot.scatter({ a: { x: [1], y: [1] } }, unknown),
    histograms: () => plot.histograms({ a: [1] }, unknown),
    images: () => plot.images([[1]], unknown),
    weightImages: () => plot.weightImages(zeros([1, 1]), unknown),
    confusionMatrix: () => plot.confusionMatrix([0], [0], unknown),
    decisionBoundary: () => plot.decisionBoundary(model, data, unknown),
    biasVariance: () => plot.biasVariance([1], [], unknown),
  }
  for (const [name, call] of Object.entries(calls)) {
    await rejects(
      t,
      call(),
      ArgumentError,
      new RegExp(`^plot.${name}: expected options among .*, got titel$`),
    )
  }
  await rejects(t, plot.toPng('<svg/>', wrong({ dpi: 3 })), ArgumentError, /^plot.toPng: .*dpi$/)
  const all = Object.keys(plot).filter((name) => !['decompose', 'toPng'].includes(name))
  t.strictSame(Object.keys(calls).sort(), all.sort(), 'all charts there are')
})

t.test('a fourth argument of a loss', async (t) => {
  const { binaryCrossEntropyWithLogits, hinge, huber, mae, poissonNll, sigmoidFocal } = neuroblas
  const y = tensor([[1], [0]])
  const simple = [mse, mae, huber, huberLoss(2), hinge, poissonNll]
  for (const loss of [...simple, binaryCrossEntropyWithLogits, sigmoidFocal]) {
    t.equal(loss(y, y, 'none').size, 2)
    const call = () => (loss as (...args: unknown[]) => unknown)(y, y, 'mean', { weight: 1 })
    refuses(t, call, ArgumentError, /: expected no further argument, got { weight: 1 }$/)
  }
  refuses(t, () => softmaxCrossEntropy(wrong([1]), y), ArgumentError, /expected a tensor/)
})

t.test("Keras's constructors know their ranges, and callbacks their methods", async (t) => {
  const calls: [() => unknown, RegExp][] = [
    [() => new optimizers.SGD({ momentum: -1 }), /^SGD: expected momentum .*got -1$/],
    [() => new optimizers.SGD({ nesterov: wrong('no') }), /^SGD: expected nesterov .*got 'no'$/],
    [() => new optimizers.Adam({ beta1: 7 }), /^Adam: expected beta1 .*got 7$/],
    [() => new optimizers.Adam({ beta2: 1 }), /^Adam: expected beta2 .*got 1$/],
    [() => new optimizers.Adam({ epsilon: 0 }), /^Adam: expected epsilon > 0, got 0$/],
    [() => new optimizers.Adam({ learningRate: Number.NaN }), /learningRate >= 0, got NaN$/],
    [
      () => new layers.Dense({ units: 1, useBias: wrong(0) }),
      /useBias to be true or false, got 0$/,
    ],
    [() => new layers.Dense({ units: 1, kernelInitializer: wrong('x') }), /kernelInitializer: /],
    [() => new layers.Dense({ units: 1, kernelRegularizer: wrong(0.1) }), /kernelRegularizer: /],
    [() => new layers.Flatten({ inputShape: wrong(4) }), /inputShape: .*got 4$/],
    [() => new callbacks.ReduceLROnPlateau({ cooldown: -1 }), /expected cooldown >= 0, got -1$/],
    [() => new Dropout(wrong('0.5')), /expected p from 0 to below 1, got '0.5'$/],
  ]
  for (const [call, message] of calls) {
    try {
      call()
      t.fail(`${call}: nothing was thrown`)
    } catch (error) {
      t.match(error, { message })
    }
  }
  const network = new Sequential([new layers.Dense({ units: 1, inputShape: [1] })])
  network.compile({ optimizer: 'sgd', loss: 'mse' })
  class Snake extends callbacks.Callback {
    on_epoch_end(): void {}
  }
  const fitWith = (callback: object) =>
    network.fit([[1]], [1], { verbose: 0, callbacks: wrong([callback]) })
  for (const [callback, message] of [
    [{ on_epoch_end() {} }, /unknown option on_epoch_end; did you mean onEpochEnd/],
    [{ onBatchEnd() {} }, /expected options among .*onTrainBatchEnd, got onBatchEnd|did you mean/],
    [new Snake(), /did you mean onEpochEnd/],
    [5, /expected callbacks as objects, got 5$/],
  ] as [object, RegExp][]) {
    await rejects(t, fitWith(callback), ArgumentError, message)
  }
  let epochs = 0
  await fitWith({ count: 0, helper() {}, onEpochEnd: () => epochs++ })
  t.equal(epochs, 1, 'others are left alone')
})

t.test('options are read once, and lists in them are copied', async (t) => {
  let reads = 0
  const changing = {
    get batchSize() {
      return reads++ === 0 ? 2 : -1
    },
  }
  t.equal(new DataLoader(data, changing).batchSize, 2)
  t.equal(reads, 1)
  const sizes = [3]
  const classifier = new MLPClassifier({ hiddenLayerSizes: sizes, maxIter: 1 })
  const shape = [4]
  const layer = new layers.Flatten({ inputShape: shape })
  const parameters = [zeros([2])]
  const grouped = new SGD([{ parameters, lr: 0.1 }], { lr: 1 })
  const given = { learningRate: 0.5 }
  const kept = new optimizers.SGD(given)
  const imageShape: [number, number] = [1, 1]
  const images = dataset({ inputs: [[1]], targets: [0], imageShape })
  sizes[0] = shape[0] = imageShape[0] = 7
  parameters.push(zeros([3]))
  given.learningRate = 9
  t.strictSame(classifier.params.hiddenLayerSizes, [3])
  t.strictSame(layer.inputShape, [4])
  t.equal(grouped.parameters().length, 1)
  t.equal(kept.options.learningRate, 0.5)
  t.strictSame(images.imageShape, [1, 1])
  // A hole is no layer less.
  const sparse = [3, 4, 5]
  delete sparse[1]
  refuses(t, () => new MLPClassifier({ hiddenLayerSizes: sparse }), ArgumentError, /whole numbers/)
})

t.test('data sets made by hand are looked at', async (t) => {
  const { size, ...rest } = data
  const wrongs: [unknown, RegExp][] = [
    [null, /expected a data set, as dataset\(\) makes it, got null$/],
    [rest, /expected a data set/],
    [{ ...data, size: 0 }, /got one without examples$/],
    [{ ...data, size: 2 ** 40, inputShape: [0] }, /expected a data set/],
    [{ ...data, inputs: [1, 2] }, /expected inputs in a Float32Array or Uint8Array, got \[1, 2\]$/],
    [{ ...data, targets: new Uint8Array(3) }, /expected targets in a Float32Array or Int32Array/],
  ]
  for (const [set, message] of wrongs) {
    refuses(t, () => new DataLoader(wrong(set)), ArgumentError, message)
    refuses(t, () => split(wrong(set), 0.5, 1), ArgumentError, message)
    refuses(t, () => subset(wrong(set), [0]), ArgumentError, message)
    refuses(t, () => preprocess(wrong(set), { mean: [0], scale: [1] }), ArgumentError, message)
    const options = { loss, optimizer: optimizer(), epochs: 1 }
    await rejects(t, fit(model, wrong(set), options), ArgumentError, message)
  }
  t.equal(size, 150)
})
