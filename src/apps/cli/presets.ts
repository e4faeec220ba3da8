/** What the settings of a training on the command line are where they are left out. */
import { basename, resolve } from 'node:path'
import { type OptimizerName, optimizers, rateOf } from './optimizers.js'
import type { TrainingOptions } from './problem.js'
import { isTable, stemOf } from './tables.js'

type Preset = Pick<TrainingOptions, 'layers' | 'batchSize' | 'epochs' | 'lr' | 'l2'>
type ConvPreset = Preset & Pick<TrainingOptions, 'dropout'>

/** Found by the accuracy on held-out training examples. */
const presets: Record<string, Preset> = {
  mnist: { layers: [256], batchSize: 64, epochs: 10, lr: 0.1, l2: 0.00005 },
  digits: { layers: [64], batchSize: 32, epochs: 30, lr: 0.1, l2: 0.0001 },
  iris: { layers: [16], batchSize: 16, epochs: 100, lr: 0.05, l2: 0.0001 },
}

/** Likewise, for a network with convolutions. */
const convPresets: Record<string, ConvPreset> = {
  mnist: { layers: [128], batchSize: 64, epochs: 10, lr: 0.05, l2: 0.0001, dropout: 0.3 },
  digits: { layers: [64], batchSize: 32, epochs: 30, lr: 0.05, l2: 0.0001, dropout: 0.3 },
}

/**
 * Of folders of images; batches and epochs go by their number. With a hidden layer, or without the means of the
 * channels, shapes at random places were not learned from some hundred images.
 */
export const imagePreset = {
  layers: [],
  lr: 0.01,
  l2: 0.0001,
  dropout: 0,
  pooling: 'avg',
  augment: 'all',
} as const

/** Adam learned them sooner than SGD. */
export const IMAGE_LR = 0.003

/** With which a regression on standardized values goes well. */
export const REGRESSION_LR = 0.01

/** A folder gets what suits MNIST, a table what suits digits. */
export function defaultsFor(
  source: string,
  network: TrainingOptions['network'] = 'dense',
): TrainingOptions {
  const like = isTable(source) ? 'digits' : 'mnist'
  const name = isTable(source) ? stemOf(source) : basename(resolve(source))
  const preset = (of: Record<string, Preset>) => of[Object.hasOwn(of, source) ? source : like]
  return {
    network,
    filters: [32, 64],
    activation: 'relu',
    dropout: 0,
    loss: 'cross-entropy',
    optimizer: 'sgd',
    momentum: 0.9,
    l1: 0,
    seed: 0,
    save: `${name || 'model'}.safetensors`,
    ...preset(network === 'conv' ? convPresets : presets),
  }
}

/** The learning rates of the optimizers that have one of their own. */
export const ratesOfOthers = (Object.keys(optimizers) as OptimizerName[])
  .filter((name) => rateOf(name) !== undefined)
  .map((name) => `${name}: ${rateOf(name)}`)

/** What each preset has for a setting, for the help. */
export function defaultOf(setting: keyof Preset, ...more: string[]): string {
  const values = Object.entries(presets).map(([name, preset]) => [name, String(preset[setting])])
  const [, first] = values[0]
  const others = values.filter(([, value]) => value !== first)
  const rest = others.map(([name, value]) => `${name}: ${value}`)
  return `(default: ${[first, ...rest, ...more].join(', ')})`
}
