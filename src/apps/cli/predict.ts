/** `neuroblas predict`: the class or the value of each row of new features. */

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { Command } from 'commander'
import {
  type Classifier,
  type ClassScores,
  DataError,
  type ImageFormat,
  type Preprocessing,
  type Regressor,
  readImages,
} from '../../index.js'
import {
  classify,
  count,
  encodeAll,
  isProbabilistic,
  loadPredictor,
  preprocessingOf,
  readIdx,
  regress,
  unseenNotes,
} from '../../internal.js'
import { jsonOption, UsageError } from './options.js'
import { withRowBar } from './rowBar.js'
import { note, print, table } from './table.js'
import { addReadingOptions, type ReadingOptions } from './tableOptions.js'
import { isTable, readFor, sourceOf } from './tables.js'

const help = `
INPUT is one image or several, of a model that was trained on a folder of images. Else it holds raw features, as they were before training scaled them: a table of one row per example, -
for the same on standard input (separated text or JSON lines), the rows of --sql, or an IDX file of images. Where the model was trained on a table with
names, columns are found by them, in any order; others are ignored. The probability is softmax's; a model
trained on another loss than cross-entropy has scores.

Examples:
  neuroblas predict iris.safetensors flowers.csv
  echo 5.1,3.5,1.4,0.2 | neuroblas predict iris.safetensors -
  neuroblas predict mnist.safetensors t10k-images-idx3-ubyte --json
  neuroblas predict pets.safetensors cat.jpg dog.png`

type PredictOptions = ReadingOptions & { json?: boolean }

export function predictCommand(): Command {
  const command = new Command('predict')
    .summary('classify new inputs with a saved model')
    .description(
      'Prints the class of each row of INPUT and how probable it is, or of a regression its value.',
    )
    .argument('<model>', 'file that neuroblas train saved')
    .argument('[input...]', 'table, - for standard input, IDX file of images, or images')
    .addOption(jsonOption('print one JSON object per row, with the probabilities of all classes'))
  return addReadingOptions(command).addHelpText('after', help).action(predict)
}

async function predict(path: string, given: string[], options: PredictOptions): Promise<void> {
  const input = sourceOf(given[0], 'input', options.sql)
  const saved = loadPredictor(path)
  if ('classes' in saved && saved.images) return predictImages(saved, saved.images, given, options)
  if (given.length > 1) {
    throw new UsageError(
      `expected one input but for a model that was trained on a folder of images, got ${given.length}`,
    )
  }
  const isImages = !isTable(input) && options.sql === undefined && isIdx(input)
  const { inputs, preprocessing } = isImages
    ? imagesOf(input, saved)
    : await rowsOf(input, saved, options)
  const json = options.json === true
  const printed = await withRowBar('predicting', inputs.length / saved.inputs, (onRows) => {
    if (!('classes' in saved)) return showValues(regress(saved, inputs, { onRows }), json)
    const scores = classify(saved, inputs, preprocessing, { onRows })
    return shown(saved, scores, 'row', (i) => i + 1, json)
  })
  print(printed)
}

async function predictImages(
  saved: Classifier,
  format: ImageFormat,
  paths: readonly string[],
  { json = false }: PredictOptions,
): Promise<void> {
  const { data } = await readImages(paths, format)
  const scores = classify(saved, data as Uint8Array, preprocessingOf(saved, true))
  print(shown(saved, scores, 'image', (i) => paths[i], json))
}

/** The answers, line by line; of each, which row or image it is about. */
function shown(
  { classes, loss }: Classifier,
  scores: ClassScores,
  of: 'row' | 'image',
  which: (i: number) => number | string,
  json: boolean,
): string {
  const what = isProbabilistic(loss) ? 'probability' : 'score'
  return (json ? asJson : asTable)(scores, classes, what, of, which)
}

interface Features {
  inputs: Float32Array | Uint8Array
  /** What is still to be done to them. */
  preprocessing: Preprocessing
}

async function rowsOf(
  input: string,
  saved: Classifier | Regressor,
  options: PredictOptions,
): Promise<Features> {
  const { applied, encoding } = await readFor(saved, input, options)
  const { inputs, unseen } = encodeAll(applied, encoding)
  for (const text of unseenNotes(applied.frame.name, unseen)) note(text)
  return { inputs, preprocessing: { mean: [0], scale: [1] } }
}

function imagesOf(input: string, saved: Classifier | Regressor): Features {
  if (saved.encoding) {
    throw new DataError(`${input}: expected a table, as the model was trained on one, got images`)
  }
  const { inputs: width } = saved
  const { data } = readIdx(input, (shape) => {
    const features = shape.slice(1).reduce((a, b) => a * b, 1)
    if (shape.length < 2 || shape[0] < 1 || features !== width) {
      throw new DataError(
        `${input}: expected images of ${count(width)} pixels as the model takes them, got shape [${shape.join(', ')}]`,
      )
    }
  })
  const inputs = data instanceof Uint8Array ? data : Float32Array.from(data)
  return { inputs, preprocessing: preprocessingOf(saved as Classifier, data instanceof Uint8Array) }
}

function showValues(values: Float32Array, json: boolean): string {
  const rows = Array.from(values, (value, row) => ({ row: row + 1, value }))
  if (json) return rows.map((row) => JSON.stringify(row)).join('\n')
  return table([['row', 'value'], ...rows.map(({ row, value }) => [`${row}`, `${value}`])], 'rr')
}

/**
 * IDX begins with two zero bytes, gzip with its magic number, and no CSV with either. A pipe is
 * not looked into: what is read from it would be gone.
 */
function isIdx(file: string): boolean {
  const found = statSync(file)
  if (found.isDirectory()) throw new DataError(`${file}: expected a file, got a folder`)
  if (!found.isFile()) return false
  const head = Buffer.alloc(2)
  const fd = openSync(file, 'r')
  try {
    return readSync(fd, head) === 2 && [0x0000, 0x1f8b].includes(head.readUInt16BE())
  } finally {
    closeSync(fd)
  }
}

function asTable(
  { labels, scores }: ClassScores,
  classes: readonly string[],
  what: string,
  of: string,
  which: (i: number) => number | string,
): string {
  const rows = Array.from(labels, (label, row) => {
    const value = scores[row * classes.length + label]
    return [`${which(row)}`, classes[label], value.toFixed(4)]
  })
  return table([[of, 'class', what], ...rows], of === 'row' ? 'rlr' : 'llr')
}

function asJson(
  { labels, scores }: ClassScores,
  classes: readonly string[],
  what: string,
  of: string,
  which: (i: number) => number | string,
): string {
  const [one, all] = what === 'score' ? ['score', 'scores'] : ['probability', 'probabilities']
  return Array.from(labels, (label, row) => {
    const start = row * classes.length
    const found = [...scores.subarray(start, start + classes.length)]
    return JSON.stringify({
      [of]: which(row),
      class: classes[label],
      label,
      [one]: found[label],
      [all]: found,
    })
  }).join('\n')
}
