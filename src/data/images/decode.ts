/** Makes the bytes of a picture, as its file has them, into pixels of one size. */
import type Sharp from 'sharp'
import { DataError } from '../../base/errors.js'
import { loadPackages } from '../../base/packages.js'
import { isBmp, readBmp } from './bmp.js'
import type { WholeFormat } from './format.js'

/** Writes the pixels of a picture [height, width, channels] to `out`; computed on other threads. */
export type Decode = (bytes: Uint8Array, out: Uint8Array) => Promise<void>

/**
 * A function that decodes pictures: upright as their EXIF orientation says, on white where they are transparent,
 * in sRGB with 8 bits a channel. Of what moves, the first picture. Smaller and larger ones are interpolated bilinearly,
 * over all pixels that fall into one.
 * @throws MissingPackageError without sharp
 */
export async function decoderFor(op: string, format: WholeFormat): Promise<Decode> {
  const [{ default: sharp }] = await loadPackages<[{ default: typeof Sharp }]>(op, 'sharp')
  const [height, width] = format.size
  const fit = format.resize === 'crop' ? 'cover' : 'fill'
  return async (bytes, out) => {
    const { data, info } = await opened(sharp, bytes)
      .autoOrient()
      .flatten({ background: 'white' })
      .resize({ width, height, fit, kernel: 'linear' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== 3) {
      throw new DataError(`expected pixels of 3 channels, got ${info.channels}`)
    }
    if (format.channels === 3) out.set(data)
    else toGrey(data, out)
  }
}

function opened(sharp: typeof Sharp, bytes: Uint8Array): ReturnType<typeof Sharp> {
  // Warnings are of what people's cameras write, and every program reads.
  if (!isBmp(bytes)) return sharp(bytes, { failOn: 'error' })
  const { data, ...raw } = readBmp(bytes)
  return sharp(data, { raw })
}

/** As Python's Pillow makes them grey, in 16 bits behind the point. */
export function toGrey(rgb: Uint8Array, out: Uint8Array): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = (19595 * rgb[3 * i] + 38470 * rgb[3 * i + 1] + 7471 * rgb[3 * i + 2] + 0x8000) >> 16
  }
}
