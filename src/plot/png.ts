/** PNG: encoded from pixels, and rendered from SVG. */
import { crc32, deflateSync } from 'node:zlib'
import type * as ResvgJs from '@resvg/resvg-js'
import { isWithin, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { loadPackages } from '../base/packages.js'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const RGBA = 6

/** Red, green, blue and opacity from 0 to 255 at each point, from the top left on. */
export type Shade = (row: number, column: number) => readonly [number, number, number, number]

/** An image as a `data:` URL (PNG, W3C Recommendation of 2003: 8 bits per channel, no filters). */
export function pngUrl(rows: number, columns: number, shade: Shade): string {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(columns, 0)
  header.writeUInt32BE(rows, 4)
  header.set([8, RGBA], 8)
  const stride = 1 + 4 * columns
  const pixels = Buffer.alloc(rows * stride)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      pixels.set(shade(row, column), row * stride + 1 + 4 * column)
    }
  }
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]
  return `data:image/png;base64,${Buffer.concat([SIGNATURE, ...chunks]).toString('base64')}`
}

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(data.length + 12)
  out.writeUInt32BE(data.length, 0)
  out.write(type, 4, 'latin1')
  data.copy(out, 8)
  out.writeUInt32BE(crc32(out.subarray(4, -4)), data.length + 8)
  return out
}

/** What comes with the system; elsewhere, what most Linux systems have. */
const FONTS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'Helvetica', win32: 'Arial' }

/** Half a gigabyte; the renderer ends the process when it cannot have what it asks for. */
const MOST_PIXELS = 2 ** 27

/**
 * Renders SVG on white, for programs that cannot show SVG. Text is set in the system's fonts.
 * @param options.scale pixels per unit of the SVG, from 0.1 to 10
 * @throws ArgumentError when it is no SVG or has more than 2^27 pixels, or the scale is out of range;
 *   MissingPackageError without @resvg/resvg-js
 * @example
 * writeFileSync('curves.png', await toPng(await learningCurves(history)))
 */
export async function toPng(svg: string, options: { scale?: number } = {}): Promise<Uint8Array> {
  const { scale = 2 } = optionsOf('plot.toPng', options, { scale: true })
  if (!(isWithin(scale, 0.1, Infinity) && scale <= 10)) {
    throw new ArgumentError(`plot.toPng: expected a scale from 0.1 to 10, got ${excerpt(scale)}`)
  }
  const [{ Resvg }] = await loadPackages<[typeof ResvgJs]>('plot.toPng', '@resvg/resvg-js')
  try {
    // It knows the older name of this style alone.
    const known = svg.replaceAll('image-rendering: pixelated;', '')
    const font = { defaultFontFamily: FONTS[process.platform] ?? 'DejaVu Sans' }
    const fitTo = { mode: 'zoom', value: scale } as const
    const picture = new Resvg(known, { font, background: 'white', fitTo })
    const pixels = picture.width * picture.height * scale ** 2
    if (pixels <= MOST_PIXELS) return picture.render().asPng()
    throw new Error(`one of ${pixels.toExponential(1)} pixels, more than ${MOST_PIXELS}`)
  } catch (error) {
    throw new ArgumentError(`plot.toPng: expected an SVG document, got ${(error as Error).message}`)
  }
}
