/** What is kept beside the weights of a model that answers, and the checks of it. */
import { ArgumentError, DataError, excerpt } from '../base/errors.js'
import { parseJson } from '../base/text.js'
import { type ImageFormat, isImageFormat } from '../data/images/format.js'
import { isTableEncoding, type TableEncoding } from '../data/table/encoding.js'
import { isTableSplit, type TableSplit } from '../data/table/splitTable.js'
import type { Preprocessing } from '../data/transforms/standardize.js'
import { type LossName, losses } from '../nn/lossNames.js'
import type { Sequential } from '../nn/sequential.js'
import { embeddingsOf, type TableEmbedding } from '../nn/tableNetwork.js'
import { loadMlp, type MlpArchitecture } from './mlp.js'

/** The notes of a model file, parsed. */
export interface Notes {
  readonly model: Sequential
  readonly inputs: number
  readonly loss: LossName
  /** None of a regressor. */
  readonly classes?: readonly string[]
  readonly preprocessing?: Preprocessing
  readonly encoding?: TableEncoding
  readonly images?: Required<ImageFormat>
  readonly dataset?: string
  readonly seed?: number
  readonly split?: TableSplit
}

type Metadata = Partial<Record<string, string>>

/** What each note is when it fits the architecture. */
const EXPECTED = {
  classes: 'a name for each class, of two or more',
  preprocessing: 'preprocessing { mean, scale } of one number, or one per feature',
  encoding: 'an encoding as table() makes it, of the inputs and embeddings that the model has',
  images: 'images { size, channels, resize } of as many inputs as the model has, and no encoding',
  loss: `a loss of ${Object.keys(losses).join(', ')}`,
  seed: 'a seed from 0 to 2^53 - 1',
  split: 'a split { by } of chance, class, or group or time of a column',
}

/** @throws ArgumentError for notes that do not fit the architecture */
export function checkNotes(op: string, metadata: Metadata, architecture: MlpArchitecture): void {
  if (!Array.isArray(architecture?.units)) {
    throw new ArgumentError(
      `${op}: expected an architecture with units, got ${excerpt(architecture)}`,
    )
  }
  const { wrong } = parseNotes(metadata, architecture)
  if (!wrong) return
  throw new ArgumentError(`${op}: expected ${EXPECTED[wrong]}, got ${excerpt(metadata[wrong])}`)
}

/** @throws DataError when the file is malformed, or a note in it */
export function readNotes(path: string): Notes {
  const { model, architecture, metadata } = loadMlp(path)
  const { wrong, ...notes } = parseNotes(metadata, architecture)
  if (wrong) {
    throw new DataError(
      `${path}: expected ${EXPECTED[wrong]}, got ${metadata[wrong]?.slice(0, 80)}`,
    )
  }
  return { model, inputs: architecture.units[0], ...notes } as Notes
}

/** The notes as text says them, and the first that does not fit the architecture. */
function parseNotes(metadata: Metadata, { units, embeddings = [] }: MlpArchitecture) {
  const [inputs, outputs] = [units?.[0], units?.at(-1) as number]
  const { dataset, loss = 'cross-entropy' } = metadata
  const encoding = parse(metadata.encoding)
  const isTable = isTableEncoding(encoding, inputs) && areEmbedded(encoding, embeddings)
  const isRegression = isTable && 'mean' in encoding.target
  // A regression has one output.
  const isEncoding = encoding === undefined || (isTable && isRegression === (outputs === 1))
  const unnamed = Array.from({ length: outputs }, (_, i) => `${i}`)
  const named = metadata.classes !== undefined
  const classes = named ? parse(metadata.classes) : isRegression ? undefined : unnamed
  const preprocessing = parse(metadata.preprocessing)
  const images = parse(metadata.images)
  const isImages = images === undefined || (isImageFormat(images, inputs) && encoding === undefined)
  const seed = parse(metadata.seed)
  const split = parse(metadata.split)
  const wrong: keyof typeof EXPECTED | false =
    (!isLoss(loss) && 'loss') ||
    (!isEncoding && 'encoding') ||
    (!isRegression && !isNames(classes, outputs) && 'classes') ||
    (!isPreprocessing(preprocessing, inputs) && 'preprocessing') ||
    (!isImages && 'images') ||
    (!isSeed(seed) && 'seed') ||
    (split !== undefined && !isTableSplit(split) && 'split')
  return { wrong, dataset, loss, classes, preprocessing, encoding, images, seed, split }
}

/** Whether the indices of an encoding are what the model embeds; in how many elements is its own business. */
function areEmbedded(encoding: TableEncoding, embeddings: readonly TableEmbedding[]): boolean {
  const wanted = embeddingsOf(encoding)
  return (
    wanted.length === embeddings.length &&
    wanted.every(
      ({ column, categories }, i) =>
        column === embeddings[i].column && categories === embeddings[i].categories,
    )
  )
}

/** Text that is no JSON becomes null, which no field may be. */
function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return parseJson(text)
  } catch {
    return null
  }
}

const isLoss = (value: string) => Object.hasOwn(losses, value)
const isSeed = (value: unknown) =>
  value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0)
const isNames = (value: unknown, length: number) =>
  Array.isArray(value) &&
  length >= 2 &&
  value.length === length &&
  value.every((v) => typeof v === 'string')

function isPreprocessing(value: unknown, inputs: number): boolean {
  if (value === undefined) return true
  const { mean, scale } = (value ?? {}) as Record<string, unknown>
  return [mean, scale].every(
    (list) =>
      Array.isArray(list) &&
      (list.length === 1 || list.length === inputs) &&
      list.every((v) => Number.isFinite(v)),
  )
}
