/**
 * The files of the package's data folder, and the strict CSV rows that they have. Not a CSV reader for
 * anyone else's files.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { DataError } from '../../base/errors.js'
import { packageFolder } from '../../base/packageFolder.js'

/** The text of a file in the package's data folder, gzipped where its name says so. */
export function readShipped(name: string): { file: string; text: string } {
  const file = join(packageFolder(), 'data', name)
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new DataError(
      `${file}: expected the file that ships with the package, got ${(error as Error).message}`,
    )
  }
  try {
    if (name.endsWith('.gz')) bytes = gunzipSync(bytes, { maxOutputLength: 2 ** 20 })
  } catch (error) {
    throw new DataError(`${file}: expected intact gzip data, got "${(error as Error).message}"`)
  }
  return { file, text: bytes.toString('latin1') }
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
