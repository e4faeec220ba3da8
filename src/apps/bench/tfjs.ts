/**
 * Cases T1 to T6: steps of TensorFlow.js, as its users write them, on whichever of its backends is in force.
 * Ours is a contestant of its own; the others are in scripts/bench/peers.
 */
import type * as TensorFlow from '@tensorflow/tfjs'
import { loadPackages } from '../../internal.js'
import type { TfjsCase, TfjsPauseCase } from './cases.js'
import type { Measurement } from './fitting.js'
import { type TimedRun, timed } from './measure.js'
import { SEED } from './protocol.js'

type TF = typeof TensorFlow

const CLASSES = 10
/** Batches of an epoch of `fit`. */
const BATCHES = 64

/** Examples of noise, and their labels one-hot. */
function examples(tf: TF, count: number, shape: readonly number[]) {
  const labels = Int32Array.from({ length: count }, (_, i) => i % CLASSES)
  return {
    x: tf.randomUniform([count, ...shape], 0, 1, 'float32', SEED),
    y: tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels), CLASSES), 'float32')),
  }
}

function weights(tf: TF, shape: number[]): TensorFlow.Variable {
  const fanIn = shape.slice(0, -1).reduce((size, extent) => size * extent, 1)
  return tf.variable(tf.randomNormal(shape, 0, 1 / Math.sqrt(fanIn), 'float32', SEED))
}

type Layer = (x: TensorFlow.Tensor) => TensorFlow.Tensor

function dense(tf: TF, fanIn: number, fanOut: number): Layer {
  const w = weights(tf, [fanIn, fanOut])
  const b = tf.variable(tf.zeros([fanOut]))
  return (x) => tf.add(tf.matMul(x, w), b)
}

function convolution(tf: TF, channels: number, filters: number): Layer {
  const w = weights(tf, [3, 3, channels, filters])
  const b = tf.variable(tf.zeros([filters]))
  const conv = (x: TensorFlow.Tensor) => tf.conv2d(x as TensorFlow.Tensor4D, w as never, 1, 'same')
  return (x) => tf.maxPool(tf.relu(tf.add(conv(x), b)) as TensorFlow.Tensor4D, 2, 2, 'same')
}

function perceptron(tf: TF, units: readonly number[]): Layer {
  const layers = units.slice(1).map((fanOut, i) => dense(tf, units[i], fanOut))
  return (x) => layers.reduce((h, layer, i) => (i > 0 ? layer(tf.relu(h)) : layer(h)), x)
}

/** 28 × 28, 3 × 3 × 32, pool, 3 × 3 × 64, pool, 128, 10. */
function convnet(tf: TF): Layer {
  const first = convolution(tf, 1, 32)
  const second = convolution(tf, 32, 64)
  const head = perceptron(tf, [7 * 7 * 64, 128, CLASSES])
  return (x) => {
    const h = second(first(x))
    return head(tf.reshape(h, [h.shape[0], 7 * 7 * 64]))
  }
}

/** A perceptron of tf.layers, and examples for it. */
function classifier(tf: TF, { units, batch }: { units: readonly number[]; batch: number }) {
  const { layers } = tf
  const model = tf.sequential()
  units.slice(1).forEach((fanOut, i) => {
    const activation = i < units.length - 2 ? 'relu' : 'softmax'
    model.add(layers.dense({ units: fanOut, activation, inputShape: [units[i]] }))
  })
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'categoricalCrossentropy' })
  return { model, ...examples(tf, batch * BATCHES, [units[0]]) }
}

/** tf.layers' own training, step for step. */
function fits(tf: TF, c: TfjsCase): TimedRun {
  const { model, x, y } = classifier(tf, c)
  const { batch } = c
  return async (steps) => {
    const epochs = Math.max(1, Math.ceil(steps / BATCHES))
    const begin = performance.now()
    await model.fit(x, y, { epochs, batchSize: batch, verbose: 0 })
    return ((performance.now() - begin) / 1000) * (steps / (epochs * BATCHES))
  }
}

/** Predictions for one batch, and their values. */
function predictions(tf: TF, c: TfjsCase): TimedRun {
  const { model, x } = classifier(tf, c)
  const batch = tf.slice(x, [0, 0], [c.batch, c.units[0]])
  return timed(() => {
    const y = model.predict(batch) as TensorFlow.Tensor
    y.dataSync()
    y.dispose()
  })
}

/** What times steps of a case, with this copy of TensorFlow.js. */
export function tfjsSteps(tf: TF, c: TfjsCase): TimedRun {
  if (c.call === 'fit') return fits(tf, c)
  if (c.call === 'predict') return predictions(tf, c)
  const isConvnet = c.network === 'convnet'
  const forward = isConvnet ? convnet(tf) : perceptron(tf, c.units)
  const { x, y } = examples(tf, c.batch, isConvnet ? [28, 28, 1] : [c.units[0]])
  const optimizer = tf.train.sgd(0.01)
  const loss = () => tf.losses.softmaxCrossEntropy(y, forward(x)) as TensorFlow.Scalar
  return timed(() => optimizer.minimize(loss))
}

/** TensorFlow.js on our backend. */
async function ours(): Promise<TF> {
  const [{ default: tf }] = await loadPackages<[{ default: TF }]>('bench', '@tensorflow/tfjs')
  await import('../../frontends/tfjs/index.js')
  await tf.setBackend('neuroblas')
  return tf
}

/** The steps of a case on our backend. */
export async function ourTfjsSteps(c: TfjsCase): Promise<TimedRun> {
  return tfjsSteps(await ours(), c)
}

/** How long others wait while `fit` trains on our backend, and how long its batches take. */
export async function tfjsPauses(c: TfjsPauseCase): Promise<Measurement> {
  const { model, x, y } = classifier(await ours(), c)
  const settings = { batchSize: c.batch, verbose: 0, yieldEvery: 'batch' } as const
  await model.fit(x, y, { ...settings, epochs: 1 })
  return async (seconds) => {
    let [steps, longestStepMs, longestPauseMs] = [0, 0, 0]
    const begin = performance.now()
    let [last, stepBegin] = [begin, begin]
    const timer = setInterval(() => {
      const now = performance.now()
      longestPauseMs = Math.max(longestPauseMs, now - last - 1)
      last = now
    }, 1)
    const onBatchBegin = async () => {
      stepBegin = performance.now()
    }
    const onBatchEnd = async () => {
      const now = performance.now()
      longestStepMs = Math.max(longestStepMs, now - stepBegin)
      steps++
      if (now - begin > 1000 * seconds) model.stopTraining = true
    }
    const epochs = Number.MAX_SAFE_INTEGER
    await model.fit(x, y, { ...settings, epochs, callbacks: { onBatchBegin, onBatchEnd } })
    clearInterval(timer)
    const usPerStep = ((performance.now() - begin) * 1000) / steps
    return { usPerStep, figures: { longestPauseMs, longestStepMs } }
  }
}
