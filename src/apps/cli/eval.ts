/** `neuroblas eval`: how well a saved model does on the test part of a data set. */

import { Command } from 'commander'
import {
  type Classifier,
  ConfusionMatrix,
  DataError,
  type Dataset,
  evaluate,
  type MetricName,
  preprocess,
  type Regressor,
} from '../../index.js'
import {
  classify,
  count,
  figure,
  isImageFolder,
  loadPredictor,
  losses,
  metricTexts,
  percent,
} from '../../internal.js'
import { hasOwnTest, kindOf, readData, readWhole, SOURCES } from './data.js'
import { unseenImages } from './images.js'
import { jsonOption, metricsOption } from './options.js'
import { regressionFigures } from './regression.js'
import { regressionText } from './report.js'
import { note, print, table } from './table.js'
import { addReadingOptions, type ReadingOptions } from './tableOptions.js'
import { isTable, sourceOf, unseenRows } from './tables.js'

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
  const { data, notes } = await unseenData(saved, source, options)
  for (const text of notes) note(text)
  const asked = { loss: losses[saved.loss], metrics: options.metrics, verbose: 1 } as const
  const { accuracy, loss, metrics } = await evaluate(saved.model, data, asked)
  const figures = { dataset: data.name, examples: data.size, ...(metrics && { metrics }) }
  const besides = metricTexts(metrics)
    .map((text) => `  ${text}`)
    .join('')
  const heading = `${path} on ${count(data.size)} ${'classes' in saved && saved.images ? 'images' : kindOf(data)} of ${data.name}`
  if (!('classes' in saved)) {
    const { r2, mae } = regressionFigures(saved, data)
    if (options.json) print(JSON.stringify({ ...figures, r2, mae, loss, lossFunction: saved.loss }))
    else
      print(
        `${heading}\n${regressionText(r2, mae)}  loss ${figure(loss)} (${saved.loss})${besides}`,
      )
    return
  }
  const { classes, loss: lossFunction } = saved
  const { labels } = classify(saved, data.inputs, { mean: [0], scale: [data.scale] })
  const matrix = new ConfusionMatrix({ classes: classes.length })
  matrix.update(labels, data.targets)
  const confusion = matrix.compute()
  if (options.json) {
    print(JSON.stringify({ ...figures, accuracy, loss, lossFunction, classes, confusion }))
    return
  }
  print(heading)
  print(`accuracy ${percent(accuracy as number)}  loss ${figure(loss)} (${lossFunction})${besides}`)
  print('\nConfusion matrix: a row for each true class, a column for each predicted one')
  print(matrixText(confusion, classes))
}

/** What the model has not been trained on, with what is to be said of it. */
async function unseenData(
  saved: Classifier | Regressor,
  source: string,
  options: EvalOptions,
): Promise<{ data: Dataset; notes: string[] }> {
  if (isTable(source) || options.sql !== undefined) return unseenRows(saved, source, options)
  if (await isImageFolder(source)) return unseenImages(saved, source)
  return { data: unseenPart(saved, source), notes: [] }
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
