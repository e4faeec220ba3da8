/** The data sets that the command line knows by name, and folders of IDX files. */

import { existsSync } from 'node:fs'
import {
  type BlockSource,
  DataError,
  type Dataset,
  digits,
  iris,
  mnist,
  split,
  subset,
} from '../../index.js'
import { idxSetAt, stratified } from '../../internal.js'

export const TEST_SHARE = 0.2
const VALIDATION_SHARE = 0.1
/** Where 0.1 of the examples are more, this many tell the accuracy to 0.2 %. */
const MAX_VALIDATION = 5000

const shipped: Record<string, () => Dataset> = { digits, iris }

/** What a command that reads a data set takes. */
export const SOURCES =
  'mnist, digits, iris, a table (.csv, .parquet, .json …, a pattern of these, a database, SQL, - for standard input), a folder of images or a folder of IDX files'

/**
 * A data set with its test part, which for `digits` and `iris` is drawn by the seed.
 * @param by whether each class has its share in that part
 * @throws DataError when there is no such data set
 */
export function readData(
  source: string,
  seed: number,
  by: 'class' | 'chance' = 'class',
): { train: Dataset; test: Dataset } {
  if (source === 'mnist') return mnist()
  if (!hasOwnTest(source)) {
    const whole = readWhole(source)
    return (by === 'class' ? splitByClass : split)(whole, TEST_SHARE, seed)
  }
  if (idxSetAt(source)) return mnist(source)
  const what = existsSync(source) ? 'a file' : 'nothing of that name'
  throw new DataError(`${source}: expected ${SOURCES}, got ${what}`)
}

/** Whether the test part is part of the data set, whatever the seed. */
export function hasOwnTest(source: string): boolean {
  return !Object.hasOwn(shipped, source)
}

/** All examples of a data set without a test part, for a model that was trained on another one. */
export function readWhole(source: string): Dataset {
  return shipped[source]()
}

/**
 * The share of the training examples that is set aside, for the figures after each epoch.
 * @throws DataError where there are not enough of them
 */
export function validationShare(name: string, examples: number): number {
  if (examples < 2) {
    throw new DataError(`${name}: expected at least 2 training examples, got ${examples}`)
  }
  return Math.min(Math.ceil(VALIDATION_SHARE * examples), MAX_VALIDATION) / examples
}

/** Sets part of the training examples aside; of each class its share, or by chance. */
export function holdOut(
  train: Dataset,
  seed: number,
  by: 'class' | 'chance',
): { train: Dataset; validation: Dataset } {
  const share = validationShare(train.name, train.size)
  const parts = (by === 'class' ? splitByClass : split)(train, share, seed)
  return { train: parts.train, validation: parts.test }
}

function splitByClass(data: Dataset, testFraction: number, seed: number) {
  const { train, test } = stratified(data.targets as Int32Array, testFraction, seed)
  return { train: subset(data, train), test: subset(data, test) }
}

/** What its examples are called. */
export function kindOf(data: Dataset | BlockSource): string {
  return 'imageShape' in data && data.imageShape ? 'images' : 'examples'
}
