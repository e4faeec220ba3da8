/** `neuroblas predict`: the class of each row of new features. */

import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { Command } from 'commander'
import { type Classifier, type ClassScores, DataError, loadClassifier } from '../../index.js'
import { classify, parseRows, preprocessingOf, readIdx } from '../../internal.js'
import { jsonOption } from './options.js'
import { count, print, table } from './table.js'

const help = `
INPUT holds raw features, as they were before training scaled them: a CSV file of one row per
example (a header line is skipped), - for the same on standard input, or an IDX file of images.
The probability is softmax's; a model trained on another loss than cross-entropy has scores.

Examples:
  neuroblas predict iris.safetensors flowers.csv
  echo 5.1,3.5,1.4,0.2 | neuroblas predict iris.safetensors -
  neuroblas predict mnist.safetensors t10k-images-idx3-ubyte --json`

export function predictCommand(): Command {
  return new Command('predict')
    .summary('classify new inputs with a saved model')
    .description('Prints the class of each row of INPUT and how probable it is.')
    .argument('<model>', 'file that neuroblas train saved')
    .argument('<input>', 'CSV file, - for standard input, or IDX file of images')
    .addOption(jsonOption('print one JSON object per row, with the probabilities of all classes'))
    .addHelpText('after', help)
    .action(predict)
}

async function predict(path: string, input: string, { json }: { json?: boolean }): Promise<void> {
  const saved = loadClassifier(path)
  const raw = await readRows(input, saved)
  const scores = classify(saved, raw, preprocessingOf(saved, raw instanceof Uint8Array))
  const show = json ? asJson : asTable
  print(show(scores, saved.classes, saved.loss === 'cross-entropy' ? 'probability' : 'score'))
}

async function readRows(
  input: string,
  { inputs: width }: Classifier,
): Promise<Float32Array | Uint8Array> {
  if (input === '-') {
    return parseRows((await buffer(process.stdin)).toString(), width, 'standard input')
  }
  if (!isIdx(input)) return parseRows(readFileSync(input, 'utf8'), width, input)
  const { data } = readIdx(input, (shape) => {
    const features = shape.slice(1).reduce((a, b) => a * b, 1)
    if (shape.length < 2 || shape[0] < 1 || features !== width) {
      throw new DataError(
        `${input}: expected images of ${count(width)} pixels as the model takes them, got shape [${shape.join(', ')}]`,
      )
    }
  })
  return data
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
