/** `neuroblas predict`: the class or the value of each row of new features. */

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { Command } from 'commander'
import {
  type Classifier,
  type ClassScores,
  DataError,
  type Preprocessing,
  type Regressor,
} from '../../index.js'
import {
  classify,
  count,
  encodeAll,
  isProbabilistic,
  loadPredictor,
  preprocessingOf,
  type Reading,
  readIdx,
  regress,
  unseenNotes,
} from '../../internal.js'
import { jsonOption } from './options.js'
import { note, print, table } from './table.js'
import { addReadingOptions, isTable, readFor } from './tables.js'

const help = `
INPUT holds raw features, as they were before training scaled them: a table of one row per example, -
for the same on standard input, or an IDX file of images. Where the model was trained on a table with
names, columns are found by them, in any order; others are ignored. The probability is softmax's; a model
trained on another loss than cross-entropy has scores.

Examples:
  neuroblas predict iris.safetensors flowers.csv
  echo 5.1,3.5,1.4,0.2 | neuroblas predict iris.safetensors -
  neuroblas predict mnist.safetensors t10k-images-idx3-ubyte --json`

type PredictOptions = Pick<Reading, 'delimiter' | 'encoding'> & { json?: boolean }

export function predictCommand(): Command {
  const command = new Command('predict')
    .summary('classify new inputs with a saved model')
    .description(
      'Prints the class of each row of INPUT and how probable it is, or of a regression its value.',
    )
    .argument('<model>', 'file that neuroblas train saved')
    .argument('<input>', 'table, - for standard input, or IDX file of images')
    .addOption(jsonOption('print one JSON object per row, with the probabilities of all classes'))
  return addReadingOptions(command).addHelpText('after', help).action(predict)
}

async function predict(path: string, input: string, options: PredictOptions): Promise<void> {
  const saved = loadPredictor(path)
  const isImages = input !== '-' && !isTable(input) && isIdx(input)
  const { inputs, preprocessing } = isImages
    ? imagesOf(input, saved)
    : await rowsOf(input, saved, options)
  if (!('classes' in saved)) {
    print(showValues(regress(saved, inputs as Float32Array), options.json === true))
    return
  }
  const scores = classify(saved, inputs, preprocessing)
  const show = options.json ? asJson : asTable
  print(show(scores, saved.classes, isProbabilistic(saved.loss) ? 'probability' : 'score'))
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
  const [source, name] = input === '-' ? [process.stdin, 'standard input'] : [input, input]
  const { applied, encoding } = await readFor(saved, source, name, options)
  const { inputs, unseen } = encodeAll(applied, encoding)
  for (const text of unseenNotes(name, unseen)) note(text)
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
): string {
  const rows = Array.from(labels, (label, row) => {
    const value = scores[row * classes.length + label]
    return [`${row + 1}`, classes[label], value.toFixed(4)]
  })
  return table([['row', 'class', what], ...rows], 'rlr')
}

function asJson({ labels, scores }: ClassScores, classes: readonly string[], what: string): string {
  const [one, all] = what === 'score' ? ['score', 'scores'] : ['probability', 'probabilities']
  return Array.from(labels, (label, row) => {
    const start = row * classes.length
    const found = [...scores.subarray(start, start + classes.length)]
    return JSON.stringify({
      row: row + 1,
      class: classes[label],
      label,
      [one]: found[label],
      [all]: found,
    })
  }).join('\n')
}
