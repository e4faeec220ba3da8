/** The data sets that come in four IDX files: how the files are called, and the classes. */
import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DataError } from '../../base/errors.js'

/** How the files of a data set are called and what their labels say. */
export interface IdxSet {
  /** What the names of its files begin with. */
  readonly prefix: string
  /** What stands for the test part in them. */
  readonly test: 't10k' | 'test'
  /** What stands for the format of the labels. */
  readonly labels: 'idx1-ubyte' | 'idx2-int'
  /** Names of the classes. */
  readonly classes: readonly string[]
  /** The label of the first class. */
  readonly first: number
}

const DIGITS = [...'0123456789']
const CAPITALS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']

const emnist = (name: string, classes: readonly string[], first = 0): IdxSet => ({
  prefix: `emnist-${name}-`,
  test: 'test',
  labels: 'idx1-ubyte',
  classes,
  first,
})

// Small letters that look like their capitals are merged with these (Cohen et al. 2017).
const MERGED = [...DIGITS, ...CAPITALS, ...'abdefghnqrt']

const MNIST: IdxSet = { prefix: '', test: 't10k', labels: 'idx1-ubyte', classes: DIGITS, first: 0 }
const SETS: readonly IdxSet[] = [
  MNIST,
  // Of the 8 numbers of a label, the first is the class (Yadav and Bottou 2019).
  { prefix: 'qmnist-', test: 'test', labels: 'idx2-int', classes: DIGITS, first: 0 },
  emnist('byclass', [...DIGITS, ...CAPITALS, ...CAPITALS.map((letter) => letter.toLowerCase())]),
  emnist('bymerge', MERGED),
  emnist('balanced', MERGED),
  emnist('letters', CAPITALS, 1),
  emnist('digits', DIGITS),
  emnist('mnist', DIGITS),
]

/** `stem-format`, `stem.format`, each also `.gz`. */
export function fileNames(stem: string, format: string): string[] {
  return [`${stem}-${format}`, `${stem}.${format}`].flatMap((name) => [name, `${name}.gz`])
}

/**
 * The data set in a folder, or the one that is named behind a folder, as in `gzip/emnist-letters`;
 * undefined where there is neither.
 * @throws DataError for a folder with several
 */
export function idxSetAt(path: string): { folder: string; set: IdxSet } | undefined {
  const isIn = (folder: string, { prefix }: IdxSet) =>
    fileNames(`${prefix}train-images`, 'idx3-ubyte').some((file) => existsSync(join(folder, file)))
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    const found = SETS.filter((set) => isIn(path, set))
    if (found.length > 1) {
      const names = found.map(({ prefix }) => prefix.slice(0, -1) || 'mnist')
      throw new DataError(
        `${path}: expected one data set, got ${names.join(', ')}; name it: ${join(path, names[1])}`,
      )
    }
    return { folder: path, set: found[0] ?? MNIST }
  }
  const folder = dirname(path)
  const set = SETS.find(({ prefix }) => prefix === `${basename(path)}-`)
  return set && isIn(folder, set) ? { folder, set } : undefined
}
