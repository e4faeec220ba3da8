/** `neuroblas eval`: how well a saved model does on the test part of a data set. */

import { Command } from 'commander'
import {
  type Classifier,
  DataError,
  type Dataset,
  type MetricName,
  preprocess,
  type Regressor,
} from '../../index.js'
import {
  count,
  figure,
  isImageFolder,
  loadPredictor,
  metricTexts,
  percent,
} from '../../internal.js'
import { hasOwnTest, kindOf, readData, readWhole, SOURCES } from './data.js'
import { unseenImages } from './images.js'
import { jsonOption, metricsOption } from './options.js'
import { regressionText } from './report.js'
import { note, print, table } from './table.js'
import { addReadingOptions, type ReadingOptions } from './tableOptions.js'
import { isTable, sourceOf } from './tables.js'
import { testModel } from './testing.js'
import { type UnseenRows, unseenRows } from './unseenRows.js'

const help = `
The test part is the data set's own, or, for digits, iris and tables (known by their names without the
folder), what the model's training set aside; a model that was trained on something else is tested on
all of them. Of a table the columns are found by their names, in any order.

Examples:
  neuroblas eval mnist.safetensors mnist
  neuroblas eval digits.safetensors digits --json`

type EvalOptions = ReadingOptions & {
  json?: boolean
  metrics?: readonly MetricName[]
}

export function evalCommand(): Command {
  const command = new Command('eval')
    .summary('test a saved model')
    .description(
      'Tests a saved model: accuracy, mean loss and confusion matrix, or of a regression R² and the mean absolute error.',
    )
    .argument('<model>', 'file that neuroblas train saved')
    .argument('[data]', SOURCES)
    .addOption(metricsOption())
    .addOption(jsonOption('print one JSON object'))
  return addReadingOptions(command).addHelpText('after', help).action(evalModel)
}

async function evalModel(
  path: string,
  named: string | undefined,
  options: EvalOptions,
): Promise<void> {
  const source = sourceOf(named, 'data', options.sql)
  const saved = loadPredictor(path)
  const unseen = await unseenData(saved, source, options)
  const { data } = unseen
  const tested = await testModel(saved, data, options.metrics, 1)
  for (const text of unseen.notes()) note(text)
  const { loss, metrics, accuracy, confusion = [], regression } = tested
  const size = unseen.size()
  const { name: dataset = source } = data
  if (options.json) {
    const figures = { dataset, examples: size, ...(metrics && { metrics }) }
    const of = { loss, lossFunction: saved.loss }
    const more = 'classes' in saved ? { accuracy, ...of, classes: saved.classes, confusion } : of
    print(JSON.stringify({ ...figures, ...regression, ...more }))
    return
  }
  const what = 'classes' in saved && saved.images ? 'images' : kindOf(data)
  const told = regression ? regressionText(regression) : `accuracy ${percent(accuracy as number)}`
  print(`${path} on ${count(size)} ${what} of ${dataset}`)
  print([`${told}  loss ${figure(loss)} (${saved.loss})`, ...metricTexts(metrics)].join('  '))
  if (!('classes' in saved)) return
  print('\nConfusion matrix: a row for each true class, a column for each predicted one')
  print(matrixText(confusion, saved.classes))
}

/** What the model has not been trained on, with what is to be said of it. */
async function unseenData(
  saved: Classifier | Regressor,
  source: string,
  options: EvalOptions,
): Promise<UnseenRows> {
  if (isTable(source) || options.sql !== undefined) return unseenRows(saved, source, options)
  const { data, notes } = (await isImageFolder(source))
    ? await unseenImages(saved, source)
    : { data: unseenPart(saved, source), notes: [] }
  return { data, size: () => data.size, notes: () => notes }
}

/** What the model has not been trained on of a data set that is no table, preprocessed. */
function unseenPart(saved: Classifier | Regressor, source: string): Dataset {
  if (saved.encoding) {
    throw new DataError(
      `${source}: expected a table with the column ${saved.encoding.target.name}, as the model was trained on one, got another data set`,
    )
  }
  const { dataset, seed = 0, split, classes, preprocessing, inputs } = saved as Classifier
  const by = split?.by === 'class' ? 'class' : 'chance'
  const data =
    hasOwnTest(source) || dataset === source ? readData(source, seed, by).test : readWhole(source)
  const width = data.inputs.length / data.size
  if (width !== inputs || data.classes.length !== classes.length) {
    throw new DataError(
      `${source}: expected ${count(inputs)} features and ${classes.length} classes as the model has them, got ${count(width)} and ${data.classes.length}`,
    )
  }
  return preprocess(data, preprocessing ?? { mean: [0], scale: [data.scale] })
}

function matrixText(matrix: readonly (readonly number[])[], classes: readonly string[]): string {
  const rows = matrix.map((row, i) => [classes[i], ...row.map(count)])
  return table([['', ...classes], ...rows], `l${'r'.repeat(classes.length)}`)
}
