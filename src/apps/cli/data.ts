/** The data sets that the command line knows by name, CSV files, and folders of IDX files. */

import { statSync } from 'node:fs'
import { DataError, type Dataset, digits, iris, mnist, readCsv, split } from '../../index.js'

const TEST_SHARE = 0.2
const VALIDATION_SHARE = 0.1
/** Where 0.1 of the examples are more, this many tell the accuracy to 0.2 %. */
const MAX_VALIDATION = 5000

const shipped: Record<string, () => Dataset> = { digits, iris }

/** What a command that reads a data set takes. */
export const SOURCES = 'mnist, digits, iris, a .csv file or a folder of IDX files'

/**
 * A data set with its test part, which for `digits`, `iris` and CSV files is drawn by the seed.
 * @param classes those of a CSV file, in their order; by default all that it has
 * @throws DataError when there is no such data set
 */
export function readData(
  source: string,
  seed: number,
  classes?: readonly string[],
): { train: Dataset; test: Dataset } {
  if (source === 'mnist') return mnist()
  if (!hasOwnTest(source)) {
    return split(readWhole(source, classes), TEST_SHARE, seed)
  }
  const found = statSync(source, { throwIfNoEntry: false })
  if (!found?.isDirectory()) {
    const what = found ? 'a file' : 'nothing of that name'
    throw new DataError(`${source}: expected ${SOURCES}, got ${what}`)
  }
  return mnist(source)
}

export function isCsv(source: string): boolean {
  return /\.csv$/i.test(source)
}

/** Whether the test part is part of the data set, whatever the seed. */
export function hasOwnTest(source: string): boolean {
  return !Object.hasOwn(shipped, source) && !isCsv(source)
}

/** All examples of a data set without a test part, for a model that was trained on another one. */
export function readWhole(source: string, classes?: readonly string[]): Dataset {
  return isCsv(source) ? readCsv(source, { classes }) : shipped[source]()
}

/** Sets part of the training examples aside, for the accuracy after each epoch. */
export function holdOut(train: Dataset, seed: number): { train: Dataset; validation: Dataset } {
  if (train.size < 2) {
    throw new DataError(`${train.name}: expected at least 2 training examples, got ${train.size}`)
  }
  const count = Math.min(Math.ceil(VALIDATION_SHARE * train.size), MAX_VALIDATION)
  const parts = split(train, count / train.size, seed)
  return { train: parts.train, validation: parts.test }
}

/** What its examples are called. */
export function kindOf({ imageShape }: Dataset): string {
  return imageShape ? 'images' : 'examples'
}
