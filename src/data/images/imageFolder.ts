/** `imageFolder`: people's pictures for training, decoded once and kept as bytes. */
import { checkFunction, checkPath, optionsOf } from '../../base/arguments.js'
import { ArgumentError, DataError, excerpt } from '../../base/errors.js'
import { count, quote } from '../../base/text.js'
import { type Dataset, splitRows } from '../dataset.js'
import { decoderFor } from './decode.js'
import { formatOf, type ImageFormat, type WholeFormat } from './format.js'
import { type ImageListing, type ImagePart, listImages } from './listing.js'
import { decodeAll, requireRoom, roomFor } from './readImages.js'

/**
 * What is done about images that do not decode.
 * @inline
 */
export type UnreadablePolicy = 'refuse' | 'drop'

/** How the images of a folder are read. */
export interface ImageReading {
  /** What happens where an image does not decode: the folder is refused, by default, or it is left out. */
  readonly unreadable?: UnreadablePolicy
  /** Is called after each image with how many have been read, and of how many. */
  readonly onProgress?: (read: number, of: number) => void
}

/** Settings of `imageFolder`. */
export interface ImageFolderOptions extends ImageFormat, ImageReading {
  /** Share of the images that become the test part, where the folder has none; 0.2 by default. */
  readonly testFraction?: number
  /** Draws the test part; from 0 to 2^53 - 1, 0 by default. */
  readonly seed?: number
}

/** A folder of images, each of whose parts is held as `Part`. */
export interface ImageParts<Part> {
  /** What reports call it: the name of the folder. */
  readonly name: string
  /** The images to train on: bytes [height, width, channels], and their classes. */
  readonly train: Part
  /** Those to validate by, where the folder has folders for both test and validation. */
  readonly validation?: Part
  /** Those to test on. */
  readonly test: Part
  /** The names of the classes' folders, in the order of their labels. */
  readonly classes: readonly string[]
  /** How images became inputs: plain data, to be saved with the model as `images`. */
  readonly format: Required<ImageFormat>
  /** What was left out. */
  readonly notes: readonly string[]
}

/** Images, ready for training. */
export interface ImageFolder extends ImageParts<Dataset<'labels'>> {}

const OPTIONS: Record<keyof ImageFolderOptions, true> = {
  size: true,
  channels: true,
  resize: true,
  unreadable: true,
  onProgress: true,
  testFraction: true,
  seed: true,
}

/** More names would hide the rest of the note. */
const MAX_NAMED = 5

/** The pictures at some positions of a part. */
export function imagesAt({ files, labels }: ImagePart, positions: Int32Array): ImagePart {
  return { files: Array.from(positions, (i) => files[i]), labels: positions.map((i) => labels[i]) }
}

/**
 * Reads images for training. The folder has a folder for each class, or folders `train` and `test` (or `val`,
 * `valid`, `validation`) that have these; what is hidden and what is no JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF is
 * left out. Images are taken in the order of their names, turned upright as their EXIF orientation says, laid on white
 * where they are transparent, and brought to one size; they are decoded by sharp, on other threads, and kept as bytes.
 * @throws DataError when an image does not decode (which may be left out), there are fewer than two classes or one is
 *   empty; OutOfMemoryError before anything is decoded, ArgumentError, MissingPackageError without sharp
 * @example
 * const { train, test, classes, format } = await imageFolder('pets', { size: [64, 64] })
 * const model = convnet([64, 64, 3], [16, 32, 64], [64, classes.length])
 */
export async function imageFolder(folder: string, given: ImageFolderOptions): Promise<ImageFolder> {
  const op = 'imageFolder'
  const { testFraction, seed = 0, unreadable, onProgress, ...rest } = optionsOf(op, given, OPTIONS)
  const format = formatOf(op, rest)
  const reading = { unreadable, onProgress }
  checkReading(op, reading)
  checkPath(op, folder)
  const listing = await listImages(folder)
  const { train, test, validation } = partsOf(op, listing, testFraction, seed)
  const parts = validation === undefined ? [train, test] : [train, test, validation]
  const { data, notes } = await readParts(op, listing, parts, format, reading)
  const { name, classes } = listing
  return {
    ...{ name, train: data[0], test: data[1], ...(data[2] && { validation: data[2] }) },
    ...{ classes, format, notes: [...listing.notes, ...notes] },
  }
}

/** @throws ArgumentError */
export function checkReading(op: string, { unreadable, onProgress }: ImageReading): void {
  if (unreadable !== undefined && unreadable !== 'refuse' && unreadable !== 'drop') {
    throw new ArgumentError(`${op}: expected unreadable refuse or drop, got ${excerpt(unreadable)}`)
  }
  if (onProgress !== undefined) checkFunction(op, 'onProgress as a function', onProgress)
}

/** The parts of a folder. @throws ArgumentError for a testFraction beside a test part */
export function partsOf(
  op: string,
  listing: ImageListing,
  testFraction: number | undefined,
  seed: number,
): ReturnType<typeof withTest> {
  if (listing.test === undefined || testFraction === undefined) {
    return withTest(listing, testFraction ?? 0.2, seed)
  }
  throw new ArgumentError(
    `${op}: expected a testFraction where the folder has no test part, got one with ${listing.folder}`,
  )
}

/** The parts of a folder, of which that to test on is drawn where it has none. */
export function withTest(
  { train, validation, test }: ImageListing,
  testFraction: number,
  seed: number,
): { train: ImagePart; test: ImagePart; validation?: ImagePart } {
  if (test !== undefined) return { train, test, validation }
  const rows = splitRows(train.files.length, testFraction, seed)
  return { train: imagesAt(train, rows.train), test: imagesAt(train, rows.test) }
}

/** Decodes parts of a folder, with what is to be said of them. */
export async function readParts(
  op: string,
  { name, classes }: Pick<ImageListing, 'name' | 'classes'>,
  parts: readonly ImagePart[],
  format: WholeFormat,
  { unreadable = 'refuse', onProgress }: ImageReading,
): Promise<{ data: Dataset<'labels'>[]; notes: string[] }> {
  const total = parts.reduce((sum, { files }) => sum + files.length, 0)
  requireRoom(op, total, format)
  const decode = await decoderFor(op, format)
  const failures: DataError[] = []
  const data: Dataset<'labels'>[] = []
  let read = 0
  for (const { files, labels } of parts) {
    const inputs = roomFor(op, files.length, format)
    const failed = new Map<number, DataError>()
    const onFailure = (position: number, error: DataError) => {
      if (unreadable === 'refuse') throw error
      failed.set(position, error)
    }
    await decodeAll(decode, files, inputs, onFailure, () => onProgress?.(++read, total))
    failures.push(...failed.values())
    const kept = without(failed, inputs, labels)
    checkLeft(name, classes, labels, kept.targets)
    data.push(datasetOf(name, classes, format, kept))
  }
  return { data, notes: failures.length > 0 ? [dropNote(name, failures)] : [] }
}

function datasetOf(
  name: string,
  classes: readonly string[],
  { size, channels }: WholeFormat,
  values: { inputs: Uint8Array; targets: Int32Array },
): Dataset<'labels'> {
  return {
    name,
    size: values.targets.length,
    ...values,
    inputShape: [...size, channels],
    scale: 1 / 255,
    targetShape: [],
    classes,
    ...(channels === 1 && { imageShape: [size[0], size[1]] as const }),
  }
}

/** Moves what decoded together. */
export function without(
  failed: ReadonlyMap<number, DataError>,
  inputs: Uint8Array,
  labels: Int32Array,
): { inputs: Uint8Array; targets: Int32Array } {
  const width = inputs.length / labels.length
  const kept = labels.map((_, i) => i).filter((i) => !failed.has(i))
  for (const [to, from] of kept.entries()) {
    if (to !== from) inputs.copyWithin(to * width, from * width, (from + 1) * width)
  }
  const left = failed.size === 0 ? inputs : inputs.slice(0, kept.length * width)
  return { inputs: left, targets: kept.map((i) => labels[i]) }
}

/** Refuses a part of which a class is gone. */
function checkLeft(
  what: string,
  classes: readonly string[],
  before: Int32Array,
  after: Int32Array,
): void {
  const gone = before.find((label) => !after.includes(label))
  if (gone === undefined) return
  throw new DataError(`${what}: expected images that decode, got none in ${quote(classes[gone])}`)
}

function dropNote(name: string, failures: readonly DataError[]): string {
  const named = failures.map(({ message }) => message).sort()
  const more = named.length > MAX_NAMED ? ', …' : ''
  return `${name}: left out ${count(named.length)} images that do not decode: ${named.slice(0, MAX_NAMED).join('; ')}${more}`
}
