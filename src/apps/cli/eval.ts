/** `neuroblas eval`: how well a saved model does on the test part of a data set. */

import { basename } from 'node:path'
import { Command } from 'commander'
import {
  type Classifier,
  DataError,
  type Dataset,
  evaluate,
  loadClassifier,
  preprocess,
} from '../../index.js'
import { classify, losses } from '../../internal.js'
import { hasOwnTest, kindOf, readData, readWhole, SOURCES } from './data.js'
import { jsonOption } from './options.js'
import { count, figure, percent, print, table } from './table.js'

const help = `
The test part is the data set's own, or, for digits, iris and CSV files (known by their names without
the folder), what the model's training set aside; a model that was trained on something else is
tested on all of them.

Examples:
  neuroblas eval mnist.safetensors mnist
  neuroblas eval digits.safetensors digits --json`

export function evalCommand(): Command {
  return new Command('eval')
    .summary('test a saved model')
    .description('Tests a saved model: accuracy, mean loss and confusion matrix.')
    .argument('<model>', 'file that neuroblas train saved')
    .argument('<data>', SOURCES)
    .addOption(jsonOption('print one JSON object'))
    .addHelpText('after', help)
    .action(evalModel)
}

async function evalModel(
  path: string,
  source: string,
  { json }: { json?: boolean },
): Promise<void> {
  const saved = loadClassifier(path)
  const data = unseenPart(saved, source)
  const width = data.inputs.length / data.size
  if (width !== saved.inputs || data.classes.length !== saved.classes.length) {
    throw new DataError(
      `${source}: expected ${count(saved.inputs)} features and ${saved.classes.length} classes as the model has them, got ${count(width)} and ${data.classes.length}`,
    )
  }
  const how = saved.preprocessing ?? { mean: [0], scale: [data.scale] }
  const { accuracy, loss } = await evaluate(saved.model, preprocess(data, how), {
    loss: losses[saved.loss],
  })
  const { labels } = classify(saved, data.inputs, how)
  const confusion = confusionMatrix(data.targets, labels, saved.classes.length)
  const figures = { dataset: data.name, examples: data.size, accuracy: accuracy as number, loss }
  if (json) {
    print(
      JSON.stringify({ ...figures, lossFunction: saved.loss, classes: saved.classes, confusion }),
    )
    return
  }
  const { examples, dataset } = figures
  print(`${path} on ${count(examples)} ${kindOf(data)} of ${dataset}`)
  print(`accuracy ${percent(figures.accuracy)}  loss ${figure(loss)} (${saved.loss})`)
  print('\nConfusion matrix: a row for each true class, a column for each predicted one')
  print(matrixText(confusion, saved.classes))
}

function unseenPart({ dataset, seed = 0, classes }: Classifier, source: string): Dataset {
  return hasOwnTest(source) || dataset === basename(source)
    ? readData(source, seed, classes).test
    : readWhole(source, classes)
}

function confusionMatrix(
  targets: ArrayLike<number>,
  chosen: ArrayLike<number>,
  classes: number,
): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let i = 0; i < targets.length; i++) matrix[targets[i]][chosen[i]]++
  return matrix
}

function matrixText(matrix: readonly (readonly number[])[], classes: readonly string[]): string {
  const rows = matrix.map((row, i) => [classes[i], ...row.map(count)])
  return table([['', ...classes], ...rows], `l${'r'.repeat(classes.length)}`)
}
