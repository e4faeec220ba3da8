/**
 * Published results on MNIST's 10,000 test images, and how this library reaches them: one recipe per
 * result. Settings are those of the papers, or were chosen by the error on the last 10,000 training
 * images (`--validate`), never by the test images; the figures of docs/results.md are from training
 * on all 60,000 with these settings.
 */
import {
  type ActivationName,
  type DistortionOptions,
  type Loss,
  mse,
  softmaxCrossEntropy,
  type TargetKind,
} from '../../index.js'

export interface Recipe {
  /** Its name on the command line. */
  row: string
  units: readonly number[]
  /** Of stages of convolutions between the pixels and the other layers. */
  filters?: readonly number[]
  /** What distinguishes it. */
  training: string
  /** Published test errors in percent. */
  published: number
  source: string
  /** What all runs take on two cores, in minutes, by a measurement on the machine of the results. */
  minutes: number
  /** Runs, with the seeds 0, 1, … */
  runs: number
  loss: Loss<TargetKind>
  activation: ActivationName
  epochs: number
  batchSize: number
  /** At the beginning; it falls to 0 along half a cosine. */
  lr: number
  momentum: number
  /** λ of λ·Σw². */
  l2: number
  dropout?: number
  inputDropout?: number
  maxNorm?: number
  distortion?: Omit<DistortionOptions, 'imageShape'>
  /** Passes over the data for each hidden layer, trained as a restricted Boltzmann machine before. */
  pretraining?: number
}

const squaredError = {
  training: 'squared error',
  loss: mse,
  activation: 'relu',
  epochs: 10,
  batchSize: 32,
  lr: 0.1,
  momentum: 0.9,
  l2: 0,
  runs: 3,
  source: 'LeCun et al. 1998',
} as const

const crossEntropy = {
  loss: softmaxCrossEntropy,
  activation: 'relu',
  epochs: 15,
  batchSize: 64,
  lr: 0.1,
  momentum: 0.9,
  runs: 3,
} as const

// The limits of 1 and 7, which turned further look like each other, are half of the others'.
const byDigit = (limit: number) =>
  Array.from({ length: 10 }, (_, digit) => (digit === 1 || digit === 7 ? limit / 2 : limit))

const distorted = {
  training: 'cross-entropy, elastic and affine distortions',
  loss: softmaxCrossEntropy,
  activation: 'relu',
  batchSize: 128,
  lr: 0.1,
  momentum: 0.9,
  l2: 0,
  runs: 1,
  distortion: { alpha: 36, sigma: 6, rotation: byDigit(15), shear: byDigit(7.5), scale: 0.15 },
  source: 'Cireşan et al. 2010',
} as const

export const recipes: readonly Recipe[] = [
  {
    ...crossEntropy,
    row: 'linear',
    units: [784, 10],
    training: 'softmax regression',
    published: 12.0,
    source: 'LeCun et al. 1998',
    minutes: 1,
    l2: 0,
    epochs: 10,
  },
  { ...squaredError, row: '784-300-10', units: [784, 300, 10], published: 4.7, minutes: 1 },
  // More units need a smaller lr: the outputs' curvature grows with them.
  {
    ...squaredError,
    row: '784-1000-10',
    units: [784, 1000, 10],
    published: 4.5,
    minutes: 2,
    lr: 0.05,
  },
  {
    ...squaredError,
    row: '784-300-100-10',
    units: [784, 300, 100, 10],
    published: 3.05,
    minutes: 1,
  },
  {
    ...squaredError,
    row: '784-500-150-10',
    units: [784, 500, 150, 10],
    published: 2.95,
    minutes: 1,
  },
  {
    ...crossEntropy,
    row: '784-800-10',
    units: [784, 800, 10],
    training: 'cross-entropy',
    published: 1.6,
    source: 'Simard et al. 2003',
    minutes: 1,
    l2: 5e-5,
  },
  {
    ...crossEntropy,
    row: '784-500-300-10',
    units: [784, 500, 300, 10],
    training: 'cross-entropy, weight decay',
    published: 1.53,
    source: 'Hinton 2005',
    minutes: 1,
    l2: 1e-4,
  },
  {
    ...crossEntropy,
    row: 'rbm',
    units: [784, 500, 500, 2000, 10],
    activation: 'sigmoid',
    training: 'pre-training as RBMs, then cross-entropy, dropout',
    published: 1.2,
    source: 'Hinton et al. 2006',
    minutes: 7,
    runs: 1,
    epochs: 60,
    batchSize: 100,
    l2: 1e-5,
    dropout: 0.1,
    inputDropout: 0.3,
    pretraining: 30,
  },
  {
    ...crossEntropy,
    row: 'dropout',
    units: [784, 1024, 1024, 1024, 10],
    training: 'cross-entropy, weight decay, dropout',
    published: 1.25,
    source: 'Srivastava et al. 2014',
    minutes: 16,
    runs: 1,
    epochs: 200,
    batchSize: 128,
    lr: 0.05,
    l2: 1.5e-4,
    dropout: 0.5,
    inputDropout: 0.2,
  },
  {
    ...crossEntropy,
    row: 'max-norm',
    units: [784, 1024, 1024, 1024, 10],
    training: 'cross-entropy, dropout, max-norm',
    published: 1.06,
    source: 'Srivastava et al. 2014',
    minutes: 17,
    runs: 1,
    epochs: 200,
    batchSize: 128,
    lr: 0.05,
    l2: 0,
    dropout: 0.5,
    inputDropout: 0.2,
    maxNorm: 1,
  },
  {
    ...distorted,
    row: 'convnet',
    units: [784, 10],
    filters: [32, 64, 128],
    training: 'cross-entropy, affine and elastic distortions, batch norm',
    distortion: { alpha: 20, sigma: 5, rotation: 10, shear: 5, scale: 0.1 },
    published: 0.8,
    source: 'LeCun et al. 1998',
    minutes: 15,
    runs: 3,
    epochs: 16,
    batchSize: 64,
    lr: 0.05,
    l2: 2.5e-4,
  },
  {
    ...distorted,
    row: 'elastic',
    units: [784, 800, 10],
    training: 'cross-entropy, elastic distortions',
    distortion: { alpha: 34, sigma: 4 },
    published: 0.7,
    source: 'Simard et al. 2003',
    minutes: 8,
    epochs: 300,
  },
  {
    ...distorted,
    row: 'affine',
    units: [784, 1000, 500, 10],
    published: 0.49,
    minutes: 35,
    epochs: 800,
  },
  {
    ...distorted,
    row: 'large',
    units: [784, 2500, 2000, 1500, 1000, 500, 10],
    published: 0.35,
    minutes: 265,
    epochs: 800,
  },
]
