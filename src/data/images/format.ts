/** What pictures are made into: one size, grey or colour. Plain data, which is kept with a model. */
import { optionsOf } from '../../base/arguments.js'
import { ArgumentError, excerpt } from '../../base/errors.js'

/** How pictures of any kind become inputs of one shape, [height, width, channels]. */
export interface ImageFormat {
  /** [height, width] in pixels, each up to 16,384. */
  readonly size: readonly [height: number, width: number]
  /** 3 of red, green and blue, or 1 of grey: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). 3 by default. */
  readonly channels?: 1 | 3
  /**
   * What happens to pictures of other proportions: `stretch` fits the whole picture into the size, as Keras and
   * torchvision's `Resize` do; `crop` keeps the proportions and cuts off the same on both sides, as Keras's
   * `crop_to_aspect_ratio` does. `stretch` by default.
   */
  readonly resize?: 'stretch' | 'crop'
}

/** With nothing left out. */
export type WholeFormat = Required<ImageFormat>

const FORMAT: Record<keyof ImageFormat, true> = { size: true, channels: true, resize: true }
/** What the decoder has room for, along each side. */
const MAX_SIDE = 2 ** 14

const isSide = (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_SIDE
const isSize = (size: unknown) => Array.isArray(size) && size.length === 2 && size.every(isSide)
const isChannels = (channels: unknown) => channels === 1 || channels === 3
const isResize = (resize: unknown) => resize === 'stretch' || resize === 'crop'

/** @throws ArgumentError for options that do not exist or are out of range */
export function formatOf(op: string, given: ImageFormat): WholeFormat {
  const { size, channels = 3, resize = 'stretch' } = optionsOf(op, given, FORMAT)
  const refuse = (expected: string, got: unknown) => {
    throw new ArgumentError(`${op}: expected ${expected}, got ${excerpt(got)}`)
  }
  if (!isSize(size)) refuse(`size as [height, width], each from 1 to ${MAX_SIDE}`, size)
  if (!isChannels(channels)) refuse('channels 1 (grey) or 3 (colour)', channels)
  if (!isResize(resize)) refuse('resize stretch or crop', resize)
  return { size, channels, resize }
}

/** Whether a value, such as one from a file, says how pictures become so many inputs. */
export function isImageFormat(value: unknown, inputs: number): value is WholeFormat {
  const { size, channels, resize } = (value ?? {}) as WholeFormat
  if (!isSize(size) || !isChannels(channels) || !isResize(resize)) return false
  return size[0] * size[1] * channels === inputs
}
