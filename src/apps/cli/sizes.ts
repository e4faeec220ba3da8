/** What a table is trained with, by its size, where nothing else is said. */
import type { OptimizerName } from './optimizers.js'
import type { Problem, TrainingOptions } from './problem.js'

/** Hidden layers for so many rows to train on; with fewer, the first. */
const LAYERS: readonly [rows: number, layers: readonly number[]][] = [
  [0, [64]],
  [2000, [64, 64]],
  [20_000, [128, 64]],
  [200_000, [256, 128]],
]
/** Steps in an epoch that are aimed at, and the sizes of batches. */
const STEPS_PER_EPOCH = 60
const [SMALLEST_BATCH, LARGEST_BATCH] = [16, 512]
/** Steps that a training has at most, and how many epochs that may be. */
const STEPS = 12_000
const [FEWEST_EPOCHS, MOST_EPOCHS] = [20, 200]
/** Of what is read in blocks, an epoch is long. */
const EPOCHS_OF_BLOCKS = 5
/** Epochs without a lower validation loss, of all epochs. */
const PATIENCE = 0.15
/** A network whose layers are chosen has this, too. */
const DROPOUT = 0.1
/** Steps of Adam, whose size is that of the learning rate. */
const RATE = 0.003
/** Where the largest class has so many times the rows of the smallest, classes are weighted. */
const UNEVEN = 3

/** The settings for a table. Early stopping is for those who say no number of epochs. */
export function settingsFor(
  { train, sizes, classCounts, task }: Problem,
  given: Partial<TrainingOptions>,
): Partial<TrainingOptions> {
  const rows = sizes.train
  const layers = LAYERS.filter(([least]) => rows >= least).map(([, units]) => units)
  const batchSize = given.batchSize ?? batchSizeOf(rows)
  const fewest = 'blocks' in train ? EPOCHS_OF_BLOCKS : FEWEST_EPOCHS
  const epochs = clamp(Math.ceil((STEPS * batchSize) / rows), fewest, MOST_EPOCHS)
  const classWeights = task === 'classify' && isUneven(classCounts) ? 'balanced' : 'none'
  return {
    ...(given.layers === undefined && { layers: layers.at(-1), dropout: DROPOUT }),
    batchSize,
    epochs,
    ...(given.epochs === undefined && { patience: Math.ceil(PATIENCE * epochs) }),
    ...(isFree(given) && { optimizer: 'adam' as OptimizerName, momentum: 0, lr: RATE }),
    classWeights,
  }
}

/** A learning rate belongs to its optimizer: one that is given alone is that of SGD. */
const isFree = ({ optimizer, lr, momentum }: Partial<TrainingOptions>) =>
  optimizer === undefined && lr === undefined && momentum === undefined

function batchSizeOf(rows: number): number {
  return clamp(2 ** Math.round(Math.log2(rows / STEPS_PER_EPOCH)), SMALLEST_BATCH, LARGEST_BATCH)
}

function isUneven(counts: readonly number[]): boolean {
  const occurring = counts.filter((count) => count > 0)
  return Math.max(...occurring) > UNEVEN * Math.min(...occurring)
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}

/** Batches, and steps that folders of images are trained for. */
const [IMAGE_BATCH, IMAGE_STEPS] = [16, 3000]
const [FEWEST_IMAGE_EPOCHS, MOST_IMAGE_EPOCHS] = [20, 100]
/** Epochs without a lower validation loss, of all epochs: that of few images jumps. */
const IMAGE_PATIENCE = 0.3

/** The same for a folder of images. */
export function imageSettingsFor(
  { sizes }: Problem,
  given: Partial<TrainingOptions>,
): Partial<TrainingOptions> {
  const batchSize = given.batchSize ?? IMAGE_BATCH
  const wanted = Math.ceil((IMAGE_STEPS * batchSize) / sizes.train)
  const epochs = clamp(wanted, FEWEST_IMAGE_EPOCHS, MOST_IMAGE_EPOCHS)
  const isFree = given.epochs === undefined
  return { batchSize, epochs, ...(isFree && { patience: Math.ceil(IMAGE_PATIENCE * epochs) }) }
}
