/** The small handwritten digits that ship with the package (see data/README.md for their origin). */
import { DataError } from '../../base/errors.js'
import type { Dataset } from '../dataset.js'
import { isClass, parseRows, readShipped } from './shipped.js'

const SIDE = 8
const PIXELS = SIDE * SIDE
const DARKEST = 16

/**
 * 1,797 images of handwritten digits, 8×8 pixels. The inputs are bytes 0..16 with scale 1/16
 * ([64] each), the targets are the digits 0 to 9.
 *
 * @throws DataError when the file that ships with the package is missing or damaged,
 *   MissingPackageError in a bundle that the package does not lie beside
 */
export function digits(): Dataset<'labels'> {
  const { file, text } = readShipped('digits.csv.gz')
  return parseDigits(text, file)
}

/** Lines of 64 pixels and the digit; `file` is what errors name. */
export function parseDigits(text: string, file: string): Dataset<'labels'> {
  const rows = parseRows(text, PIXELS + 1, file)
  const inputs = new Uint8Array(rows.length * PIXELS)
  const targets = new Int32Array(rows.length)
  for (const [i, row] of rows.entries()) {
    const pixels = row.slice(0, PIXELS)
    const digit = row[PIXELS]
    if (!pixels.every((p) => Number.isInteger(p) && p <= DARKEST) || !isClass(digit, 10)) {
      throw new DataError(
        `${file}: expected integer pixels in 0..${DARKEST} and a digit 0..9, got "${row}" on line ${i + 1}`,
      )
    }
    inputs.set(pixels, i * PIXELS)
    targets[i] = digit
  }
  return {
    name: 'digits',
    size: rows.length,
    inputs,
    inputShape: [PIXELS],
    scale: 1 / DARKEST,
    targets,
    targetShape: [],
    classes: Array.from({ length: 10 }, (_, digit) => `${digit}`),
    imageShape: [SIDE, SIDE],
  }
}
