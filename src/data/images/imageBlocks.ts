/** `imageBlocks`: a folder of images in blocks, for what is larger than memory. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { checkPath, optionsOf } from '../../base/arguments.js'
import { DataError } from '../../base/errors.js'
import { permutation, streams } from '../../tensor/random.js'
import type { BlockSource } from '../blocks/blockSource.js'
import { decoderFor } from './decode.js'
import { formatOf, type ImageFormat, type WholeFormat } from './format.js'
import {
  checkReading,
  type ImageParts,
  type ImageReading,
  imagesAt,
  partsOf,
  without,
} from './imageFolder.js'
import { type ImagePart, listImages } from './listing.js'
import { decodeAll, roomFor } from './readImages.js'

/** Settings of `imageBlocks`. */
export interface ImageBlocksOptions extends ImageFormat, Pick<ImageReading, 'unreadable'> {
  /** Share of the images that become the test part, where the folder has none; 0.2 by default. */
  readonly testFraction?: number
  /** Draws the test part, and the order of the images; from 0 to 2^53 - 1, 0 by default. */
  readonly seed?: number
}

/** Images that are read in blocks. */
export interface ImageBlocks extends ImageParts<BlockSource<'labels'>> {}

const OPTIONS: Record<keyof ImageBlocksOptions, true> = {
  size: true,
  channels: true,
  resize: true,
  unreadable: true,
  testFraction: true,
  seed: true,
}

/** Bytes of a block, in as many whole images, but never so few that they could not be decoded side by side. */
const BLOCK_BYTES = 2 ** 24
const FEWEST = 32

/**
 * A folder of images as `imageFolder` reads it, whose parts are block sources: for `fit` and `evaluate` of more than
 * fits into memory. Images are decoded block by block while the block before trains, in an order that the seed fixes;
 * from the second epoch on they come from the cache that `fit` keeps. One that does not decode ends the reading, or, with
 * `unreadable: 'drop'`, is left out with a NeuroblasWarning.
 * @throws as `imageFolder`
 * @example
 * const { train, test, classes } = await imageBlocks('photos', { size: [96, 96] })
 * await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 5, validation: test })
 */
export async function imageBlocks(folder: string, given: ImageBlocksOptions): Promise<ImageBlocks> {
  const op = 'imageBlocks'
  const { testFraction, seed = 0, unreadable = 'refuse', ...rest } = optionsOf(op, given, OPTIONS)
  const format = formatOf(op, rest)
  checkReading(op, { unreadable })
  checkPath(op, folder)
  const listing = await listImages(folder)
  const { name, classes, notes } = listing
  const { train, test, validation } = partsOf(op, listing, testFraction, seed)
  const settings = { classes, format, unreadable, seed }
  const source = (part: ImagePart, what: string) =>
    imageSource(op, `${name} (${what})`, part, settings)
  return {
    name,
    train: await source(train, 'train'),
    ...(validation && { validation: await source(validation, 'validation') }),
    test: await source(test, 'test'),
    ...{ classes, format, notes },
  }
}

interface Settings {
  readonly classes: readonly string[]
  readonly format: WholeFormat
  readonly unreadable?: 'refuse' | 'drop'
  /** Of the order of the images. */
  readonly seed: number
}

/** Pictures of a folder, decoded in blocks. */
export async function imageSource(
  op: string,
  name: string,
  files: ImagePart,
  { classes, format, unreadable = 'refuse', seed }: Settings,
): Promise<BlockSource<'labels'>> {
  const decode = await decoderFor(op, format)
  const part = imagesAt(files, permutation(files.files.length, seed, streams.split))
  const { size, channels } = format
  const count = part.files.length
  const perBlock = Math.max(FEWEST, Math.floor(BLOCK_BYTES / (size[0] * size[1] * channels)))
  const told = new Set<string>()
  const warn = (error: DataError) => {
    if (told.has(error.message)) return
    told.add(error.message)
    process.emitWarning(`${name}: left out: ${error.message}`, { type: 'NeuroblasWarning' })
  }
  return {
    name,
    // What does not decode is known only then.
    ...(unreadable === 'refuse' && { size: count }),
    inputShape: [...size, channels],
    dtype: 'uint8',
    scale: 1 / 255,
    classes,
    digest: await digestOf(part, { classes, format, unreadable }),
    async *blocks() {
      const room = roomFor(op, Math.min(perBlock, count), format)
      for (let first = 0; first < count; first += perBlock) {
        const files = part.files.slice(first, first + perBlock)
        const labels = part.labels.slice(first, first + perBlock)
        const inputs = room.subarray(0, (room.length / Math.min(perBlock, count)) * files.length)
        const failed = new Map<number, DataError>()
        await decodeAll(decode, files, inputs, (position, error) => {
          if (unreadable === 'refuse') throw error
          failed.set(position, error)
          warn(error)
        })
        if (failed.size < files.length) yield without(failed, inputs, labels)
      }
    },
  }
}

/** Which images these are, by their names, sizes and when they were written. */
async function digestOf(part: ImagePart, settings: object): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(settings))
  for (const [i, file] of part.files.entries()) {
    const { size, mtimeMs } = await stat(file).catch((cause) => {
      throw new DataError(`${file}: expected a readable file, got "${cause.message}"`, { cause })
    })
    hash.update(JSON.stringify([file, part.labels[i], size, mtimeMs]))
  }
  return hash.digest('hex')
}
