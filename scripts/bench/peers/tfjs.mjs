// A training step of TensorFlow.js, on the backend that is loaded.
import { check, readBatches, readImages, readLayers } from './peer.mjs'

const optimizerOf = (tf, { optimizer, lr, momentum }) => {
  if (optimizer === 'adam') return tf.train.adam(lr, 0.9, 0.999, 1e-8)
  return momentum ? tf.train.momentum(lr, momentum) : tf.train.sgd(lr)
}

/** Takes the first steps. */
export function startTraining(job, tf) {
  const { units, l2 } = job.case
  const { pixels, labels } = readImages(job)
  const images = tf.tensor2d(pixels, [labels.length, units[0]])
  const targets = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), 10), 'float32'))
  const layers = readLayers(job).map(({ weight, bias }) => ({
    weight: tf.variable(tf.tensor2d(weight.data, weight.shape)),
    bias: tf.variable(tf.tensor1d(bias.data)),
  }))
  const forward = (x) =>
    layers.reduce((y, { weight, bias }, i) => {
      const z = tf.add(tf.matMul(y, weight), bias)
      return i < layers.length - 1 ? tf.relu(z) : z
    }, x)
  const lossOf = (x, y) => tf.losses.softmaxCrossEntropy(y, forward(x))
  const penalty = () => tf.addN(layers.map(({ weight }) => tf.sum(tf.square(weight))))

  const optimizer = optimizerOf(tf, job.case)
  const next = readBatches(job)
  const step = () =>
    tf.tidy(() => {
      const rows = tf.tensor1d(next(), 'int32')
      const [x, y] = [tf.gather(images, rows), tf.gather(targets, rows)]
      optimizer.minimize(() => (l2 ? tf.add(lossOf(x, y), tf.mul(penalty(), l2)) : lossOf(x, y)))
    })

  const rows = job.checkedExamples
  const loss = () =>
    tf.tidy(() => lossOf(tf.slice(images, 0, rows), tf.slice(targets, 0, rows)).dataSync()[0])
  const version = `TensorFlow.js ${tf.version_core}, ${tf.getBackend()}`
  const checked = check(job, step, loss)
  const note = 'its Adam corrects the bias in float32: loss not compared'
  return { ready: { version, ...(job.case.optimizer === 'adam' ? { note } : checked) }, step }
}
