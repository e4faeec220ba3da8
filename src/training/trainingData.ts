/** What `fit` trains and validates on, made ready: loaders of batches, and how much examples count. */
import { nextIteration } from '../base/eventLoop.js'
import type { BatchLoader } from '../data/batchLoader.js'
import { BlockLoader } from '../data/blocks/blockLoader.js'
import { type BlockSource, isBlockSource } from '../data/blocks/blockSource.js'
import { type Dataset, splitRows } from '../data/dataset.js'
import { Examples } from '../data/examples.js'
import { DataLoader } from '../data/loader.js'
import type { AnyModule } from '../nn/module.js'
import { tensor } from '../tensor/create.js'
import { within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'
import type { BlockFitOptions } from './blockOptions.js'
import { BATCH } from './evaluate.js'
import { balancedWeights, weightsOf } from './exampleWeights.js'
import type { FitOptions } from './fitOptions.js'
import { warnOfSpread } from './inputSpread.js'

/** Options beside a data set, and beside blocks. */
export type AnyFitOptions = Omit<FitOptions, 'validation'> &
  Pick<BlockFitOptions, 'shuffleBuffer' | 'cache'> & {
    validation?: FitOptions['validation'] | BlockSource
  }

export interface TrainingData {
  readonly loader: BatchLoader
  readonly validation?: BatchLoader
  /** Of the examples that the loader gathers from, how much each counts. */
  readonly weights?: Tensor
  /** What the weights are made of: those of all examples, or of all classes. */
  readonly weighedBy?: Float32Array
}

/** What is made ready here is freed by `dispose`. */
export async function trainingDataOf(
  model: AnyModule,
  data: Dataset | BlockSource,
  options: AnyFitOptions,
  seed: number,
): Promise<TrainingData> {
  return isBlockSource(data)
    ? blockData(model, data, options, seed)
    : residentData(model, data, options as FitOptions, seed)
}

/** Frees what training held; what validated is its evaluator's. */
export async function disposeOf({ loader, weights }: TrainingData): Promise<void> {
  weights?.dispose()
  await loader.dispose()
}

/** Copied to the backend as a whole. */
async function residentData(
  model: AnyModule,
  data: Dataset,
  options: FitOptions,
  seed: number,
): Promise<TrainingData> {
  const { shuffle = true } = options
  const { train, validation } = await loadExamples(data, options.validation, seed)
  await warnOfSpread('fit', model, data)
  const loader = new DataLoader(train, { batchSize: batchSizeOf(options), shuffle, seed })
  const weighedBy = weightsOf(data, train.rows, options)
  return {
    loader,
    ...(validation && { validation: new DataLoader(validation, { batchSize: BATCH }) }),
    ...(weighedBy && { weighedBy, weights: within(null, () => tensor(weighedBy)) }),
  }
}

/** Examples of a step. */
function batchSizeOf({ batchSize = 32, accumulate = 1 }: AnyFitOptions): number {
  return batchSize * accumulate
}

/** What is trained and what is validated on, copied to the backend. */
async function loadExamples(
  data: Dataset,
  validation: FitOptions['validation'],
  seed: number,
): Promise<{ train: Examples; validation?: Examples }> {
  if (typeof validation !== 'number') {
    const train = await Examples.load(data)
    return { train, ...(validation && { validation: await Examples.load(validation) }) }
  }
  const rows = splitRows(data.size, validation, seed)
  await nextIteration()
  const train = await Examples.load(data, rows.train)
  return { train, validation: await Examples.load(data, rows.test) }
}

/** Read window by window. */
async function blockData(
  model: AnyModule,
  source: BlockSource,
  options: AnyFitOptions,
  seed: number,
): Promise<TrainingData> {
  const { shuffle = true, shuffleBuffer, cache, classWeights } = options
  const batchSize = batchSizeOf(options)
  const look = (data: Dataset) => warnOfSpread('fit', model, data)
  const given = { batchSize, shuffle, seed, shuffleBuffer, cache, look }
  const loader = new BlockLoader('fit', source, given)
  try {
    const weighedBy =
      classWeights === 'balanced' ? balancedWeights(await loader.countClasses()) : classWeights
    const validation = await validationOf(options.validation as Dataset | BlockSource, cache)
    const held = { loader, ...(validation && { validation }) }
    if (weighedBy === undefined) return held
    return { ...held, weighedBy: Float32Array.from(weighedBy), weights: loader.weighBy(weighedBy) }
  } catch (error) {
    await loader.dispose()
    throw error
  }
}

async function validationOf(
  data: Dataset | BlockSource | undefined,
  cache: BlockFitOptions['cache'],
): Promise<BatchLoader | undefined> {
  if (data === undefined) return undefined
  const batchSize = BATCH
  if (!isBlockSource(data)) return new DataLoader(await Examples.load(data), { batchSize })
  return new BlockLoader('fit: validation', data, { batchSize, shuffle: false, seed: 0, cache })
}
