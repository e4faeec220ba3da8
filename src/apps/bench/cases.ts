/**
 * What is measured: training steps P1 to P8 of dense networks and C1 to C4 of convolutional ones, the
 * batched product B1, the ops of E1, pauses, memory, inference, and `fit`
 * of tiny data and many at once, as data. Nothing here knows how a contestant does it.
 */

import { Adam, l2, type Optimizer, SGD, type Tensor } from '../../index.js'
import { CONVNET, type ImageLayer, LENET, RESNET8 } from './networks.js'

/** A perceptron (relu, softmax cross-entropy) and how it is trained. */
export interface TrainingCase {
  kind: 'training'
  id: string
  units: readonly number[]
  batch: number
  optimizer: 'sgd' | 'adam'
  lr: number
  momentum?: number
  /** λ of λ·Σ W², weights only. */
  l2?: number
}

/** A convolutional network, likewise, trained by SGD. */
export interface ImagesCase {
  kind: 'images'
  id: string
  title: string
  layers: readonly ImageLayer[]
  /** [height, width, channels] */
  image: readonly [number, number, number]
  batch: number
  lr: number
}

/** A batched product [batch, m, k] × [batch, k, n], op by op. */
export interface ProductCase {
  kind: 'product'
  id: string
  batch: number
  m: number
  k: number
  n: number
}

/** One eager op on tensors of 4 elements. */
export interface OpCase {
  kind: 'op'
  id: string
  title: string
  /** Whether an operand has a gradient, and whether it is computed too. */
  gradient: 'none' | 'recorded' | 'computed'
}

/** How late a 1 ms timer gets while `fit` trains. */
export interface PauseCase {
  kind: 'pause'
  id: string
  training: TrainingCase
}

/** Memory in use after the first epoch of `fit` and at its end. */
export interface MemoryCase {
  kind: 'memory'
  id: string
  training: TrainingCase
  steps: number
}

/** A captured forward pass of a whole batch. */
export interface InferenceCase {
  kind: 'inference'
  id: string
  units: readonly number[]
  batch: number
}

/** `fit` on iris by the clock, with all that it does between epochs. */
export interface FitCase {
  kind: 'fit'
  id: string
  units: readonly number[]
  batch: number
}

/** Many trainings of a small network at once, on examples of noise. */
export interface RunsCase {
  kind: 'runs'
  id: string
  trainings: number
  units: readonly number[]
  batch: number
  examples: number
  epochs: number
}

/** Steps of TensorFlow.js on one of its backends; see tfjs.ts. */
export interface TfjsCase {
  kind: 'tfjs'
  id: string
  network: 'perceptron' | 'convnet'
  /** Of the perceptron. */
  units: readonly number[]
  batch: number
  call: 'minimize' | 'fit' | 'predict'
}

/** How late a 1 ms timer gets while TensorFlow.js's `fit` gives way after each batch. */
export interface TfjsPauseCase {
  kind: 'tfjsPause'
  id: string
  units: readonly number[]
  batch: number
}

/** Cases that start from files: data, weights, order of the batches. */
export type LearningCase = TrainingCase | ImagesCase

export type Case =
  | TrainingCase
  | ImagesCase
  | ProductCase
  | OpCase
  | PauseCase
  | MemoryCase
  | InferenceCase
  | FitCase
  | RunsCase
  | TfjsCase
  | TfjsPauseCase

const training = (
  id: string,
  units: readonly number[],
  batch: number,
  settings: Partial<TrainingCase> = {},
): TrainingCase => ({ kind: 'training', id, units, batch, optimizer: 'sgd', lr: 0.1, ...settings })

const op = (id: string, gradient: OpCase['gradient'], title: string): OpCase => ({
  kind: 'op',
  id,
  gradient,
  title,
})

const images = (
  id: string,
  title: string,
  layers: readonly ImageLayer[],
  batch: number,
  settings: Partial<ImagesCase> = {},
): ImagesCase => ({
  kind: 'images',
  id,
  title,
  layers,
  image: [28, 28, 1],
  batch,
  lr: 0.05,
  ...settings,
})

const tfjs = (
  id: string,
  units: readonly number[],
  batch: number,
  settings: Partial<TfjsCase> = {},
): TfjsCase => ({
  kind: 'tfjs',
  id,
  network: 'perceptron',
  units,
  batch,
  call: 'minimize',
  ...settings,
})

const SMALL = [784, 128, 10]
const LARGE = [784, 1024, 1024, 10]

const P2 = training('P2', SMALL, 32)
const P4 = training('P4', LARGE, 128)

export const cases: readonly Case[] = [
  training('P1', SMALL, 1, { lr: 0.01 }),
  P2,
  training('P3', SMALL, 128),
  P4,
  training('P5', [784, 512, 512, 10], 1024),
  training('P6', [784, 1000, 500, 10], 64),
  training('P7', LARGE, 128, { optimizer: 'adam', lr: 0.001 }),
  training('P8', LARGE, 128, { lr: 0.01, momentum: 0.9, l2: 1e-4 }),
  images('C1', 'LeNet-5', LENET, 64),
  images('C2', 'convnet', CONVNET, 32),
  images('C3', 'convnet', CONVNET, 128),
  // On noise, where larger steps would only enlarge roundings.
  images('C4', 'ResNet-8', RESNET8, 32, { image: [32, 32, 3], lr: 0.005 }),
  { kind: 'product', id: 'B1', batch: 32, m: 128, k: 64, n: 128 },
  op('E1', 'none', 'one op on 4 elements'),
  op('E1-recorded', 'recorded', 'one op on 4 elements, graph recorded'),
  op('E1-computed', 'computed', 'one op on 4 elements, gradient computed'),
  { kind: 'pause', id: 'E2', training: { ...P4, id: 'E2' } },
  { kind: 'memory', id: 'M1', training: { ...P2, id: 'M1' }, steps: 20_000 },
  { kind: 'inference', id: 'I1', units: SMALL, batch: 1 },
  { kind: 'inference', id: 'I1-batch', units: SMALL, batch: 4096 },
  { kind: 'fit', id: 'F1', units: [4, 16, 3], batch: 8 },
  {
    kind: 'runs',
    id: 'R1',
    trainings: 12,
    units: [256, 32, 5],
    batch: 32,
    examples: 1024,
    epochs: 100,
  },
  tfjs('T1', SMALL, 1),
  tfjs('T2', SMALL, 32),
  tfjs('T3', SMALL, 128),
  tfjs('T4', LARGE, 128),
  tfjs('T5', [], 32, { network: 'convnet' }),
  tfjs('T6', SMALL, 32, { call: 'fit' }),
  tfjs('T6-single', SMALL, 1, { call: 'fit' }),
  tfjs('T6-predict', SMALL, 32, { call: 'predict' }),
  { kind: 'tfjsPause', id: 'T6-pause', units: LARGE, batch: 128 },
]

export const DEFAULT_CASES = ['P1', 'P2', 'P3', 'P4']

/** The optimizers as the library has them. */
export const optimizers: Record<
  TrainingCase['optimizer'],
  (parameters: readonly Tensor[], c: TrainingCase) => Optimizer
> = {
  sgd: (parameters, { lr, momentum, l2: lambda }) =>
    new SGD(parameters, { lr, momentum, regularizer: lambda ? l2(lambda) : [] }),
  adam: (parameters, { lr }) => new Adam(parameters, { lr }),
}

/** The network whose files (data, weights, order) a case needs. */
export function learningOf(c: Case): LearningCase | undefined {
  switch (c.kind) {
    case 'training':
    case 'images':
      return c
    case 'pause':
    case 'memory':
      return c.training
    case 'inference':
      return training(c.id, c.units, c.batch)
    default:
      return undefined
  }
}

/** Examples that one of the measured steps takes; null where there are none. */
export function batchOf(c: Case): number | null {
  return 'batch' in c ? c.batch : (learningOf(c)?.batch ?? null)
}

/** One line for people. */
export function describeCase(c: Case): string {
  switch (c.kind) {
    case 'op':
      return c.title
    case 'pause':
      return `lateness of a 1 ms timer while fit trains ${describeTraining(c.training)}`
    case 'memory':
      return `memory over ${c.steps} steps of fit, ${describeTraining(c.training)}`
    case 'inference':
      return `captured forward of ${c.units.join('-')}, batch ${c.batch}`
    case 'fit':
      return `fit on iris by the clock, ${c.units.join('-')}, batch ${c.batch}`
    case 'runs':
      return `${c.trainings} fits at once of ${c.units.join('-')}, batch ${c.batch}`
    case 'images': {
      const size = c.image.join(' x ')
      return `${c.title} on ${size}, batch ${c.batch}, sgd`
    }
    case 'product':
      return `${c.batch} products of ${c.m} x ${c.k} and ${c.k} x ${c.n} in one op`
    case 'tfjs': {
      const network = c.network === 'convnet' ? 'a convnet on 28 x 28' : c.units.join('-')
      return `TensorFlow.js: ${c.call} of ${network}, batch ${c.batch}`
    }
    case 'tfjsPause':
      return `TensorFlow.js: lateness of a 1 ms timer while fit trains ${c.units.join('-')}, batch ${c.batch}`
    case 'training':
      return describeTraining(c)
  }
}

function describeTraining(c: TrainingCase): string {
  const extras = [c.momentum && `momentum ${c.momentum}`, c.l2 && 'L2'].filter(Boolean)
  return [`${c.units.join('-')}, batch ${c.batch}, ${c.optimizer}`, ...extras].join(', ')
}
