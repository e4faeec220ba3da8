/** `neuroblas predict`: the class or the value of each row of new features. */

import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { Command } from 'commander'
import {
  type Classifier,
  DataError,
  type Preprocessing,
  type Regressor,
  readImages,
} from '../../index.js'
import {
  classify,
  count,
  isProbabilistic,
  loadPredictor,
  preprocessingOf,
  readIdx,
  regress,
} from '../../internal.js'
import {
  type Answer,
  answersOf,
  fileOutput,
  type Output,
  printed,
  type Subject,
} from './answers.js'
import { onnxAnswers } from './onnxAnswers.js'
import { jsonOption, UsageError } from './options.js'
import { withRowBar } from './rowBar.js'
import { checkOutputs } from './savePath.js'
import { addReadingOptions, type ReadingOptions } from './tableOptions.js'
import { encodingOf, isTable, piecesFor, sourceOf } from './tables.js'

const help = `
INPUT is one image or several, of a model that was trained on a folder of images. Else it holds raw features, as they were before training scaled them: a table of one row per example, -
for the same on standard input (separated text or JSON lines), the rows of --sql, or an IDX file of images. Where the model was trained on a table with
names, columns are found by them, in any order; others are ignored. The probability is softmax's; a model
trained on another loss than cross-entropy has scores. A table may be larger than memory: it is read piece by
piece, and so are the answers printed. --out writes them to a file, which is there once it is complete.

Examples:
  neuroblas predict iris.safetensors flowers.csv
  echo 5.1,3.5,1.4,0.2 | neuroblas predict iris.safetensors -
  neuroblas predict sales.safetensors 'new/*.parquet' --out answers.csv
  neuroblas predict mnist.safetensors t10k-images-idx3-ubyte --json
  neuroblas predict pets.safetensors cat.jpg dog.png`

interface PredictOptions extends ReadingOptions {
  json?: boolean
  out?: string
}

export function predictCommand(): Command {
  const command = new Command('predict')
    .summary('classify new inputs with a saved model')
    .description(
      'Prints the class of each row of INPUT and how probable it is, or of a regression its value.',
    )
    .argument('<model>', 'file that neuroblas train saved, or a .onnx file')
    .argument('[input...]', 'table, - for standard input, IDX file of images, or images')
    .addOption(jsonOption('print one JSON object per row, with the probabilities of all classes'))
    .option('--out <file>', 'write to a file, which is .csv or .jsonl, in place of printing')
  return addReadingOptions(command).addHelpText('after', help).action(predict)
}

async function predict(path: string, given: string[], options: PredictOptions): Promise<void> {
  const { json = false, out } = options
  const input = sourceOf(given[0], 'input', options.sql)
  if (json && out !== undefined) {
    throw new UsageError('--json: expected without --out, whose end decides, got both')
  }
  checkOutputs({ '--out': out }, existsSync(input) ? input : undefined)
  if (path.endsWith('.onnx')) return predictOnnx(path, given, input, options)
  const saved = loadPredictor(path)
  if (given.length > 1 && !('classes' in saved && saved.images)) {
    throw new UsageError(
      `expected one input but for a model that was trained on a folder of images, got ${given.length}`,
    )
  }
  await writeTo(out, json, (output) => predictAll(saved, given, input, options, output))
}

/** A model of ONNX, which is asked about the columns of a table. */
async function predictOnnx(
  path: string,
  given: readonly string[],
  input: string,
  options: PredictOptions,
): Promise<void> {
  if (given.length > 1) throw new UsageError(`expected one table, got ${given.length}`)
  await writeTo(options.out, options.json ?? false, async (output) => {
    for await (const answers of onnxAnswers(path, input, options, output.isWhole)) {
      output.write(answers)
    }
  })
}

/** Writes answers to a file, which is there once they are complete, or prints them. */
async function writeTo(
  out: string | undefined,
  json: boolean,
  write: (output: Output) => Promise<void>,
): Promise<void> {
  const output = out === undefined ? printed(json) : fileOutput(out)
  try {
    await write(output)
    output.commit()
  } finally {
    output.discard()
  }
}

async function predictAll(
  saved: Classifier | Regressor,
  given: readonly string[],
  input: string,
  options: PredictOptions,
  output: Output,
): Promise<void> {
  if ('classes' in saved && saved.images) {
    const { data } = await readImages(given, saved.images)
    const preprocessing = preprocessingOf(saved, true)
    const found = answersFor(saved, data as Uint8Array, preprocessing)
    return output.write(found({ of: 'image', which: (i) => given[i] }, output.isWhole))
  }
  const row = (first: number): Subject => ({ of: 'row', which: (i) => first + i + 1 })
  if (isTable(input) || options.sql !== undefined || !isIdx(input)) {
    let rows = 0
    for await (const inputs of piecesFor(encodingOf(saved), input, options)) {
      output.write(answersFor(saved, inputs, NONE)(row(rows), output.isWhole))
      rows += inputs.length / saved.inputs
    }
    return
  }
  const { inputs, preprocessing } = imagesOf(input, saved)
  const found = await withRowBar('predicting', inputs.length / saved.inputs, (onRows) =>
    answersFor(saved, inputs, preprocessing, onRows),
  )
  output.write(found(row(0), output.isWhole))
}

/** What a table's encoding leaves to do. */
const NONE: Preprocessing = { mean: [0], scale: [1] }

/** What the model says of inputs, once it is said which they are. */
function answersFor(
  saved: Classifier | Regressor,
  inputs: Float32Array | Uint8Array,
  preprocessing: Preprocessing,
  onRows?: (rows: number) => void,
): (subject: Subject, isWhole: boolean) => Answer[] {
  if (!('classes' in saved)) {
    const values = regress(saved, inputs, { onRows })
    return ({ of, which }) => Array.from(values, (value, i) => ({ [of]: which(i), value }))
  }
  const { classes, loss } = saved
  const found = classify(saved, inputs, preprocessing, { onRows })
  const what = isProbabilistic(loss) ? 'probability' : 'score'
  return (subject, isWhole) => answersOf(found, classes, what, subject, isWhole)
}

/** Images, and what is still to be done to them. */
function imagesOf(
  input: string,
  saved: Classifier | Regressor,
): { inputs: Float32Array | Uint8Array; preprocessing: Preprocessing } {
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
