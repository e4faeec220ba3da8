/** The three parts of what a training on the command line is given. */
import type { BlockSource, Dataset } from '../../index.js'

/** What is trained, validated and tested on: in memory, or in blocks. */
export interface Parts {
  train: Dataset | BlockSource
  validation: Dataset | BlockSource
  test: Dataset | BlockSource
  /** Examples of each; of images that are left out where they do not decode, at most. */
  sizes: { readonly train: number; readonly validation: number; readonly test: number }
  /** Examples of each class to train on; none in a regression. */
  classCounts: readonly number[]
}

/** Parts that are in memory. */
export function partsInMemory(train: Dataset, validation: Dataset, test: Dataset): Parts {
  const sizes = { train: train.size, validation: validation.size, test: test.size }
  const counts = train.classes.map(() => 0)
  if (counts.length > 0) for (const label of train.targets) counts[label]++
  return { train, validation, test, sizes, classCounts: counts }
}
