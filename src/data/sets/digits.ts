/**
 * The small handwritten digits that ship with the package (see data/README.md for their origin),
 * and the strict CSV rows that both shipped sets use. Not a CSV reader for anyone else's files.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { DataError } from '../../base/errors.js'
import type { Dataset } from '../dataset.js'

const SIDE = 8
const PIXELS = SIDE * SIDE
const DARKEST = 16

/**
 * 1,797 images of handwritten digits, 8×8 pixels. The inputs are bytes 0..16 with scale 1/16
 * ([64] each), the targets are the digits 0 to 9.
 *
 * @throws DataError when the file that ships with the package is missing or damaged
 */
export function digits(): Dataset {
  const { file, bytes } = readShipped('digits.csv.gz')
  let text: string
  try {
    text = gunzipSync(bytes, { maxOutputLength: 2 ** 20 }).toString('latin1')
  } catch (error) {
    throw new DataError(`${file}: expected intact gzip data, got "${(error as Error).message}"`)
  }
  return parseDigits(text, file)
}

/** Lines of 64 pixels and the digit; `file` is what errors name. */
export function parseDigits(text: string, file: string): Dataset {
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

/** A file of the package's data folder. */
export function readShipped(name: string): { file: string; bytes: Buffer } {
  const file = fileURLToPath(new URL(`../../../data/${name}`, import.meta.url))
  try {
    return { file, bytes: readFileSync(file) }
  } catch (error) {
    throw new DataError(
      `${file}: expected the file that ships with the package, got ${(error as Error).message}`,
    )
  }
}

/** Lines of exactly `columns` plain non-negative numbers; `firstLine` is for the errors. */
export function parseRows(text: string, columns: number, file: string, firstLine = 1): number[][] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  if (lines.length === 0) throw new DataError(`${file}: expected lines of numbers, got none`)
  return lines.map((line, i) => {
    const cells = line.split(',')
    // Number('') is 0, so the spelling is checked first.
    if (cells.length !== columns || !cells.every((cell) => /^\d+(\.\d+)?$/.test(cell))) {
      throw new DataError(
        `${file}: expected ${columns} numbers on line ${i + firstLine}, got "${line.slice(0, 80)}"`,
      )
    }
    return cells.map(Number)
  })
}

export function isClass(value: number, classes: number): boolean {
  return Number.isInteger(value) && value < classes
}
