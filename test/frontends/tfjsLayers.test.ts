/** tf.layers on neuroblas: training as on cpu, and models that are saved and loaded. */
import { createRequire } from 'node:module'
import type * as TensorFlow from '@tensorflow/tfjs'
import t, { type Test } from 'tap'
import type { NeuroblasBackend } from '../../lib/frontends/tfjs/index.js'
import '../../lib/frontends/tfjs/index.js'

const tf: typeof TensorFlow = createRequire(import.meta.url)('@tensorflow/tfjs')
tf.env().set('IS_NODE', false)

t.before(() => tf.setBackend('neuroblas'))

const fallbacks = () => (tf.backend() as unknown as NeuroblasBackend).fallbacks()

/** Initial weights that depend on the seed alone, for a model of the same layers. */
function perceptron(seed: number): TensorFlow.Sequential {
  const { layers, initializers } = tf
  const kernel = (i: number) => initializers.glorotUniform({ seed: seed + i })
  return tf.sequential({
    layers: [
      layers.dense({
        units: 16,
        activation: 'relu',
        inputShape: [8],
        kernelInitializer: kernel(0),
      }),
      layers.batchNormalization(),
      layers.dense({ units: 3, activation: 'softmax', kernelInitializer: kernel(1) }),
    ],
  })
}

function convnet(seed: number): TensorFlow.Sequential {
  const { layers, initializers } = tf
  const kernel = (i: number) => initializers.heNormal({ seed: seed + i })
  return tf.sequential({
    layers: [
      layers.conv2d({
        filters: 4,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        inputShape: [8, 8, 1],
        kernelInitializer: kernel(0),
      }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.depthwiseConv2d({ kernelSize: 3, depthwiseInitializer: kernel(1) }),
      layers.averagePooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 3, activation: 'softmax', kernelInitializer: kernel(2) }),
    ],
  })
}

const optimizers = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.05, 0.9),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.5),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
  rmsprop: () => tf.train.rmsprop(0.01),
}

/** The losses of some epochs, and what is predicted then. */
async function trained(
  name: string,
  model: TensorFlow.Sequential,
  optimizer: TensorFlow.Optimizer,
) {
  await tf.setBackend(name)
  const inputShape = (model.inputs[0].shape as number[]).slice(1)
  const x = tf.randomUniform([48, ...inputShape], -1, 1, 'float32', 7)
  const labels = Array.from({ length: 48 }, (_, i) => i % 3)
  const y = tf.oneHot(tf.tensor1d(labels, 'int32'), 3)
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  const { history } = await model.fit(x, y, {
    epochs: 4,
    batchSize: 16,
    shuffle: false,
    verbose: 0,
  })
  const predicted = model.predict(x) as TensorFlow.Tensor
  return {
    losses: history.loss as number[],
    accuracy: history.acc as number[],
    predicted: Array.from(predicted.dataSync()),
  }
}

/** Each training's rounding errors grow from step to step. */
const TOLERANCE = 1e-3

function near(t: Test, got: readonly number[], wanted: readonly number[], message: string): void {
  const distance = Math.max(...wanted.map((value, i) => Math.abs(value - got[i])))
  t.ok(got.length === wanted.length && distance < TOLERANCE, `${message}: ${distance}`)
}

for (const [optimizerName, optimizer] of Object.entries(optimizers)) {
  t.test(`fit with ${optimizerName} is that of the backend cpu`, async (t) => {
    for (const [kind, make] of Object.entries({ perceptron, convnet })) {
      const results = []
      for (const name of ['cpu', 'neuroblas']) {
        await tf.setBackend(name)
        results.push(await trained(name, make(3), optimizer()))
      }
      const [wanted, got] = results
      near(t, got.losses, wanted.losses, `${kind}: losses`)
      near(t, got.predicted, wanted.predicted, `${kind}: predictions`)
      t.ok(wanted.losses[3] < wanted.losses[0], `${kind}: it learns`)
    }
    t.strictSame(fallbacks(), {}, 'nothing is left to the backend cpu')
  })
}

t.test('a model that is saved and loaded predicts the same', async (t) => {
  await tf.setBackend('neuroblas')
  for (const model of [perceptron(5), convnet(5)]) {
    let saved: TensorFlow.io.ModelArtifacts | undefined
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
      }),
    )
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved as TensorFlow.io.ModelArtifacts))
    const x = tf.randomUniform(
      [5, ...(model.inputs[0].shape as number[]).slice(1)],
      -1,
      1,
      'float32',
      9,
    )
    const [before, after] = [model, loaded].map((m) =>
      (m.predict(x) as TensorFlow.Tensor).dataSync(),
    )
    t.strictSame([...after], [...before])
  }
})
