/** Decodes pictures into bytes, several at a time and in order. */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { requireMemory } from '../../base/availableMemory.js'
import { ArgumentError, DataError, excerpt, OutOfMemoryError } from '../../base/errors.js'
import { isList, readTypedArray } from '../../base/typedArrays.js'
import type { ShapedValues } from '../../tensor/shapedValues.js'
import { type Decode, decoderFor } from './decode.js'
import { formatOf, type ImageFormat, type WholeFormat } from './format.js'

/** The path of a picture, or the bytes of its file. */
export type ImageSource = string | Uint8Array

/** @throws OutOfMemoryError where there is not enough memory for the pixels of so many pictures */
export function requireRoom(op: string, pictures: number, format: WholeFormat): void {
  requireMemory(op, described(pictures, format), pictures * bytesOf(format))
}

/** Room for the pixels of so many pictures. @throws OutOfMemoryError */
export function roomFor(op: string, pictures: number, format: WholeFormat): Uint8Array {
  requireRoom(op, pictures, format)
  try {
    return new Uint8Array(pictures * bytesOf(format))
  } catch (cause) {
    const what = described(pictures, format)
    throw new OutOfMemoryError(`${op}: expected what one array can hold, got ${what}`, { cause })
  }
}

const bytesOf = ({ size, channels }: WholeFormat) => size[0] * size[1] * channels
const described = (pictures: number, { size, channels }: WholeFormat) =>
  `${pictures} images of ${size[0]} x ${size[1]} x ${channels}`

/**
 * Decodes pictures into `out`, one after another.
 * @param onFailure is told of those that do not decode, in any order; what it throws ends the work
 * @param onRead is called after each
 */
export async function decodeAll(
  decode: Decode,
  sources: readonly ImageSource[],
  out: Uint8Array,
  onFailure: (position: number, error: DataError) => void,
  onRead: () => void = () => {},
): Promise<void> {
  const width = out.length / sources.length
  let next = 0
  const failed = (position: number, error: DataError) => {
    try {
      onFailure(position, error)
    } catch (thrown) {
      next = sources.length
      throw thrown
    }
  }
  const work = async () => {
    while (next < sources.length) {
      const position = next++
      const source = sources[position]
      const name = typeof source === 'string' ? source : `image ${position}`
      try {
        const bytes = typeof source === 'string' ? await readFile(source) : source
        await decode(bytes, out.subarray(position * width, (position + 1) * width))
      } catch (error) {
        failed(position, undecodable(name, error))
      }
      onRead()
    }
  }
  // While one is decoded, the next is read.
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, work))
}

function undecodable(name: string, error: unknown): DataError {
  const { message, code } = error as NodeJS.ErrnoException
  const [line] = message.split('\n')
  // Of two that fail at the same time, the decoder can lose what it knows of one.
  const got = line === 'Unknown error' ? 'one that does not decode' : `"${line}"`
  const expected = code === undefined ? 'an intact image' : 'a readable file'
  return new DataError(`${name}: expected ${expected}, got ${got}`, { cause: error })
}

/**
 * Reads pictures as a model takes them, for `predict`; decoded by sharp, on other threads.
 * @param images paths, or the bytes of files such as an upload has: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF
 * @param format their size and channels, as `imageFolder` gave them or `loadClassifier` has them in `images`
 * @returns bytes, images [images, height, width, channels]
 * @throws DataError that names an image which does not decode, MissingPackageError without sharp, ArgumentError,
 *   OutOfMemoryError
 * @example
 * const classifier = loadClassifier('pets.safetensors')
 * const { names } = predict(classifier, await readImages(['cat.jpg'], classifier.images))
 */
export async function readImages(
  images: readonly ImageSource[],
  format: ImageFormat,
): Promise<ShapedValues> {
  const op = 'readImages'
  const whole = formatOf(op, format)
  const isSource = (value: unknown) => typeof value === 'string' || isBytes(op, value)
  if (!isList(images) || images.length === 0 || !images.every(isSource)) {
    throw new ArgumentError(`${op}: expected paths or bytes of images, got ${excerpt(images)}`)
  }
  const data = roomFor(op, images.length, whole)
  await decodeAll(await decoderFor(op, whole), [...images], data, (_, error) => {
    throw error
  })
  return { data, shape: [images.length, ...whole.size, whole.channels] }
}

function isBytes(op: string, value: unknown): boolean {
  return ArrayBuffer.isView(value) && readTypedArray(op, value)?.kind === 'Uint8Array'
}
