/** `neuroblas train`: its options, and what they are where they are left out. */

import { Command, Option } from 'commander'
import { activations, divergenceChoices, isImageFolder, losses } from '../../internal.js'
import { SOURCES } from './data.js'
import { addImageOptions, filtersFor, imageOptionsIn } from './images.js'
import { optimizers, rateOf } from './optimizers.js'
import {
  choiceOption,
  filtersOption,
  integerOption,
  jsonOption,
  layersOption,
  metricsOption,
  numberOption,
  resumeWithOption,
  UsageError,
} from './options.js'
import {
  defaultOf,
  defaultsFor,
  IMAGE_LR,
  imagePreset,
  REGRESSION_LR,
  ratesOfOthers,
} from './presets.js'
import type { Problem, TrainingOptions } from './problem.js'
import { JsonReporter, TextReporter } from './report.js'
import { settingsToResume } from './run.js'
import { Interrupt } from './signals.js'
import { imageSettingsFor, settingsFor } from './sizes.js'
import { note } from './table.js'
import { addTableOptions, tableOptionsIn } from './tableOptions.js'
import { isTable, sourceOf } from './tables.js'
import { runTraining } from './training.js'

const examples = `
A table has a row per example; the delimiter and the header of a text and the types of its columns are
found as pandas.read_csv finds them. Parquet, JSON, patterns of files (in quotes), databases (.duckdb)
and --sql are read by DuckDB, postgres://… by pg, NumPy's and Arrow's files by their ends; - is separated
text or JSON lines on standard input. The last column is the target where none is named: text and up
to 20 different whole numbers are classes, of other numbers --task must say. Numbers are standardized,
categories become inputs of 0 and 1 or are embedded, dates become their parts; all of it is kept with
the model. A fifth of the rows is set aside to test on, of each class its share. Layers with a dropout
of 0.1, batches and epochs go by the number of rows; training is by adam with lr 0.003 (a --lr or
--momentum alone is sgd's), and ends early unless --epochs is given. The report ends with what the
columns are worth: what is lost of the score when one of them is shuffled.

Each epoch ends with the loss (mean loss), the regularization loss of l1 and l2, and the accuracy on held-out
training examples; the weights of the lowest validation loss are kept, tested and saved. Ctrl-C
ends the training early and does the same with what was reached, and so do SIGTERM, SIGHUP and
SIGQUIT; before the first epoch has ended, a model file that is there stays as it is.

A run (--run) is a folder with config.json, metrics.jsonl and the last checkpoints, which neuroblas runs
lists. Interrupted or killed, it goes on by --resume to the same bits, also from within an epoch; what it was
told needs not be said again. Where there is nothing to go on with, --resume begins.

A checkpoint and a run belong to one training: with other data or settings it is refused, unless
--resume-with names what differs, as the refusal does.

A training that diverges ends with an error, saves nothing and leaves the files as they are. With
--on-divergence restore it goes back to the last good epoch and ends there, with restoreAndLowerLr it
goes on from there with a tenth of the learning rate, five times at most.

A folder of images has a folder for each class, or the folders train and test with these; sharp decodes
them. They are stretched to one size, and classified by a network with convolutions, whose stages are as
many as suit the size, by the means of its channels: batches of 16, adam with lr 0.003 (--momentum alone is
sgd's), l2 0.0001, epochs by the number of images, from 20 to 100, which end early unless --epochs is given.
Those to train on are turned, stretched, moved and lit at random, but not mirrored (--augment none: as they are).

With --network conv, images go through stages of a convolution of 3 x 3, batch norm, the activation and a
pool of 2 x 2 before the dense layers; settings that are left out are those found for such networks: of
mnist layers 128, lr 0.05, l2 0.0001, dropout 0.3.

Examples:
  neuroblas train mnist
  neuroblas train digits --layers 128,64 --activation tanh --epochs 50
  neuroblas train mnist --layers 800,800 --dropout 0.5 --optimizer adam --patience 5
  neuroblas train mnist --epochs 100 --checkpoint mnist.checkpoint
  neuroblas train mnist --run runs/wide --layers 800
  neuroblas train --run runs/wide --resume
  neuroblas train mnist --network conv
  neuroblas train ./fashion-mnist --l2 0.0001 --save fashion.safetensors
  neuroblas train flowers.csv --epochs 100
  neuroblas train houses.csv --target price --task regress --missing drop
  neuroblas train visits.csv --target cured --text notes --group-by patient
  neuroblas train 'sales/*.parquet' --target amount --task regress --time day
  neuroblas train shop.duckdb --sql "select * from orders" --target returned
  neuroblas train --sql "select * from 'events/*.parquet' where day > '2026-01-01'"
  neuroblas train postgres://me@server/shop --sql 'select * from orders' --target paid
  cat flowers.csv | neuroblas train - --save flowers.safetensors
  neuroblas train ./pets --image-size 96 --epochs 40
  neuroblas train iris --json | tail -n 1`

export function trainCommand(): Command {
  const nonNegative = (value: number) => value >= 0
  const command = new Command('train')
    .summary('train a network and save it')
    .description('Trains a network to classify or to regress, tests it and saves it.')
    .argument('[data]', `${SOURCES}; with --resume that of the run`)
  return addImageOptions(addTableOptions(command))
    .addOption(
      choiceOption(
        '--network <kind>',
        'of dense layers alone (default), or with convolutions before them',
        ['dense', 'conv'],
      ),
    )
    .addOption(
      filtersOption('--filters <counts>', "of each stage of convolutions, conv's (default: 32,64)"),
    )
    .addOption(layersOption('--layers <units>', `hidden units or none ${defaultOf('layers')}`))
    .addOption(choiceOption('--activation <name>', 'of hidden units', Object.keys(activations)))
    .addOption(
      numberOption(
        '--dropout <p>',
        'probability of dropping a hidden unit while training (default: 0)',
        'a number from 0 to below 1',
        (value) => value >= 0 && value < 1,
      ),
    )
    .addOption(choiceOption('--loss <name>', 'what is minimized', Object.keys(losses)))
    .addOption(integerOption('--batch-size <n>', `examples per step ${defaultOf('batchSize')}`, 1))
    .addOption(integerOption('--epochs <n>', `passes over the data ${defaultOf('epochs')}`, 1))
    .addOption(choiceOption('--optimizer <name>', 'what takes the steps', Object.keys(optimizers)))
    .addOption(
      numberOption(
        '--lr <rate>',
        `learning rate; falls to 0 along half a cosine ${defaultOf('lr', ...ratesOfOthers)}`,
        'a number > 0',
        (value) => value > 0,
      ),
    )
    .addOption(
      numberOption(
        '--momentum <share>',
        "share of the last step that is kept, sgd's (default: 0.9)",
        'a number from 0 to below 1',
        (value) => value >= 0 && value < 1,
      ),
    )
    .addOption(
      numberOption(
        '--l1 <lambda>',
        'adds lambda·Σ|w| to the loss (default: 0)',
        'a number >= 0',
        nonNegative,
      ),
    )
    .addOption(
      numberOption(
        '--l2 <lambda>',
        `adds lambda·Σw² to the loss ${defaultOf('l2')}`,
        'a number >= 0',
        nonNegative,
      ),
    )
    .addOption(
      integerOption('--seed <n>', 'of weights, batch order and held-out parts (default: 0)', 0),
    )
    .addOption(
      integerOption('--patience <epochs>', 'ends early: epochs without a lower validation loss', 1),
    )
    .addOption(
      choiceOption(
        '--class-weights <kind>',
        'whether rare classes count more (default: in tables where one has 3 times the rows of another)',
        ['balanced', 'none'],
      ),
    )
    .addOption(metricsOption())
    .addOption(
      choiceOption(
        '--on-divergence <what>',
        'where the loss or a weight is no longer finite (default: stop)',
        divergenceChoices,
      ),
    )
    .option('--checkpoint <file>', 'keeps the training after each epoch, and goes on from there')
    .option('--run <folder>', 'keeps the run: settings, metrics, checkpoints also within epochs')
    .option('--resume', "goes on with the run of --run, by that run's settings and data")
    .addOption(resumeWithOption())
    .addOption(choiceOption('--backend <name>', 'what computes', ['native', 'js']))
    .addOption(
      integerOption('--threads <n>', 'compute threads (default: the processors there are)', 1),
    )
    .addOption(new Option('--save <file>', 'where the model goes (default: <data>.safetensors)'))
    .option('--no-save', 'do not save the model')
    .addOption(jsonOption('print one JSON object per event, the last one with the results'))
    .addHelpText('after', examples)
    .action(train)
}

/** What makes no sense for this data or this task. */
function checkTask(source: string, given: Partial<TrainingOptions>, isImages: boolean): void {
  if (given.filters !== undefined && given.network !== 'conv') {
    throw new UsageError('--filters: expected with --network conv alone, got it without')
  }
  refuseOptions(source, 'a table', isTable(source) ? [] : tableOptionsIn(given))
  refuseOptions(source, 'a folder of images', isImages ? [] : imageOptionsIn(given))
  const { task, loss, optimizer = 'sgd', momentum } = given
  if (optimizer !== 'sgd' && momentum !== undefined) {
    throw new UsageError(`--momentum: expected with sgd alone, got ${momentum} with ${optimizer}`)
  }
  if (task === 'regress' && loss !== undefined && loss !== 'mse' && loss !== 'huber') {
    throw new UsageError(`--loss: expected mse or huber to regress, got ${loss}`)
  }
}

function refuseOptions(source: string, what: string, [useless]: readonly string[]): void {
  if (useless === undefined) return
  const flag = useless.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new UsageError(`--${flag}: expected with ${what} alone, got ${source}`)
}

async function train(
  named: string | undefined,
  { json, resume, ...asked }: Partial<TrainingOptions> & { json?: boolean; resume?: boolean },
): Promise<void> {
  const { data, ...kept } = settingsToResume({ ...asked, resume })
  const source = sourceOf(named ?? data, 'data', asked.sql)
  const isImages = !isTable(source) && (await isImageFolder(source))
  const isConv = isImages && asked.network !== 'dense'
  const byAdam = isConv && asked.momentum === undefined && { optimizer: 'adam' as const }
  const given = { ...(isConv && { network: 'conv' as const }), ...byAdam, ...kept, ...asked }
  // SQL alone is the data.
  if (source === given.sql) given.sql = undefined
  const { optimizer = 'sgd' } = given
  // What a run keeps was checked when it began, and has all defaults.
  if (data === undefined) checkTask(source, given, isImages)
  const defaults = {
    ...defaultsFor(source, given.network),
    ...(given.task === 'regress' && { loss: 'mse' as const, lr: REGRESSION_LR }),
    ...(isConv && { ...imagePreset, filters: filtersFor(given) }),
    ...(optimizer !== 'sgd' && { lr: rateOf(optimizer), momentum: 0 }),
    ...(isConv && optimizer === 'adam' && { lr: IMAGE_LR }),
  }
  if (given.resumeWith !== undefined && (given.checkpoint ?? given.run) === undefined) {
    throw new UsageError('--resume-with: expected with --checkpoint or --run, got it without')
  }
  const reporter = json ? new JsonReporter() : new TextReporter()
  const interrupt = new Interrupt((name) => {
    reporter.close()
    note(`${name}: stopping; once more to quit at once`)
  })
  try {
    const options = { ...defaults, ...given }
    const settle = (problem: Problem) => {
      if (isTable(source)) return { ...options, ...settingsFor(problem, given), ...given }
      return isConv ? { ...options, ...imageSettingsFor(problem, given), ...given } : options
    }
    await runTraining(source, options, reporter, interrupt, settle)
  } finally {
    reporter.close()
    interrupt.dispose()
  }
}
