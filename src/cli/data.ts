/** The data sets that the command line knows by name, and folders of IDX files. */
import { statSync } from 'node:fs'
import { type Dataset, split } from '../data/dataset.js'
import { digits } from '../data/digits.js'
import { iris } from '../data/iris.js'
import { mnist } from '../data/mnist.js'
import { DataError } from '../errors.js'

const TEST_SHARE = 0.2
const VALIDATION_SHARE = 0.1
/** Where 0.1 of the examples are more, this many tell the accuracy to 0.2 %. */
const MAX_VALIDATION = 5000

const shipped: Record<string, () => Dataset> = { digits, iris }

/**
 * A data set with its test part, which for `digits` and `iris` is drawn by the seed.
 * @throws DataError when there is no such data set
 */
export function readData(source: string, seed: number): { train: Dataset; test: Dataset } {
  if (source === 'mnist') return mnist()
  if (!hasOwnTest(source)) {
    const { train, validation } = split(shipped[source](), TEST_SHARE, seed)
    return { train, test: validation }
  }
  const found = statSync(source, { throwIfNoEntry: false })
  if (!found?.isDirectory()) {
    const what = found ? 'a file' : 'nothing of that name'
    throw new DataError(
      `${source}: expected mnist, digits, iris or a folder of IDX files, got ${what}`,
    )
  }
  return mnist(source)
}

/** Whether the test part is part of the data set, whatever the seed. */
export function hasOwnTest(source: string): boolean {
  return !Object.hasOwn(shipped, source)
}

/** All examples of a shipped data set, for a model that was trained on another one. */
export function readWhole(source: string): Dataset {
  return shipped[source]()
}

/** Sets part of the training examples aside, for the accuracy after each epoch. */
export function holdOut(train: Dataset, seed: number): { train: Dataset; validation: Dataset } {
  if (train.size < 2) {
    throw new DataError(`${train.name}: expected at least 2 training examples, got ${train.size}`)
  }
  const held = Math.min(Math.ceil(VALIDATION_SHARE * train.size), MAX_VALIDATION)
  return split(train, held / train.size, seed)
}

/** What its examples are called. */
export function kindOf({ imageShape }: Dataset): string {
  return imageShape ? 'images' : 'examples'
}
