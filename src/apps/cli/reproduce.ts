/** `neuroblas reproduce`: published results on MNIST, by really training. */

import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import type { EpochReport, PretrainReport, StepReport } from '../../index.js'
import { epochTitle, figure, Progress, percent, rate } from '../../internal.js'
import { commitOf, machineOf, OWN_FOLDER } from '../bench/machine.js'
import { type Recipe, recipes } from '../recipes/recipes.js'
import { formatErrors, keepResult, minutes, type Result } from '../recipes/results.js'
import { type Outcome, runRecipe } from '../recipes/run.js'
import { integerOption, resumeWithOption, UsageError } from './options.js'
import { checkOutputs } from './savePath.js'
import { Interrupt } from './signals.js'
import { print, table } from './table.js'

interface Options {
  seed?: number
  epochs?: number
  validate?: boolean
  results?: string
  checkpoints: string
  resumeWith?: string[]
}

/** The one that takes a day is run only by its name. */
const NOT_IN_ALL = 'large'
/** Lines that a run prints, about. */
const LINES = 20

function recipesNamed(rows: readonly string[]): Recipe[] {
  const known = recipes.map(({ row }) => row)
  const unknown = rows.find((name) => name !== 'all' && !known.includes(name))
  if (unknown !== undefined) {
    throw new UsageError(`reproduce: expected all or some of ${known.join(', ')}, got ${unknown}`)
  }
  const all = known.filter((row) => row !== NOT_IN_ALL)
  const wanted = new Set(rows.flatMap((name) => (name === 'all' ? all : name)))
  return recipes.filter(({ row }) => wanted.has(row))
}

function overview(): string {
  return table(
    recipes.map(({ row, units, training, published, source, minutes }) => [
      `  ${row}`,
      units.join('-'),
      training,
      `${published} %`,
      source,
      `${minutes} min`,
    ]),
    'lllrlr',
  )
}

const examples = `
Examples:
  neuroblas reproduce dropout
  neuroblas reproduce 784-800-10 --seed 1 --epochs 5
  neuroblas reproduce all --results results.json`

export function reproduceCommand(): Command {
  return new Command('reproduce')
    .summary('train what the literature trained on MNIST, and compare')
    .description(
      'Trains networks of the literature on MNIST and prints the published and the measured test error. Ctrl-C stops; the same command goes on from the last whole epoch.',
    )
    .argument('<rows...>', `the results by their names below, or all (without ${NOT_IN_ALL})`)
    .addOption(integerOption('--seed <n>', 'one run with this seed instead of the usual ones', 0))
    .addOption(integerOption('--epochs <n>', 'passes over the data instead of the usual ones', 1))
    .option('--validate', 'hold out the last 10,000 training images and test on them')
    .option('--checkpoints <folder>', 'where runs are kept until they are done', 'checkpoints')
    .addOption(resumeWithOption())
    .option('--results <file>', 'keep the results in this JSON file and a table beside it')
    .addHelpText(
      'after',
      `\nResults (published error, time of all runs on two cores):\n${overview()}\n${examples}`,
    )
    .action(reproduce)
}

async function reproduce(rows: string[], options: Options): Promise<void> {
  const chosen = recipesNamed(rows)
  checkOutputs({ '--results': options.results })
  const progress = new Progress(process.stdout)
  const interrupt = new Interrupt((name) => {
    progress.clear()
    process.stderr.write(`neuroblas: ${name}: stopping; once more to quit at once\n`)
  })
  const lines: string[][] = []
  try {
    mkdirSync(options.checkpoints, { recursive: true })
    for (const recipe of chosen) {
      const result = await reproduceRow(recipe, options, progress, interrupt.signal)
      if (result === undefined) {
        print(`stopped; the same command goes on from ${options.checkpoints}/`)
        break
      }
      lines.push([
        recipe.row,
        `published ${recipe.published.toFixed(2)} %`,
        `${options.validate ? 'validation' : 'measured'} ${formatErrors(result.errors)}`,
        `${result.errors.length === 1 ? '1 run' : `${result.errors.length} runs`}`,
        minutes(result.seconds),
        rate(result.examplesPerSecond),
      ])
    }
  } finally {
    progress.clear()
    interrupt.dispose()
  }
  if (lines.length > 0) print(`\n${table(lines, 'lllrrr')}`)
}

/** All runs of a row; undefined when they were interrupted. */
async function reproduceRow(
  recipe: Recipe,
  options: Options,
  progress: Progress,
  signal: AbortSignal,
): Promise<Result | undefined> {
  const {
    seed,
    validate = false,
    epochs = recipe.epochs,
    checkpoints,
    results,
    resumeWith,
  } = options
  const seeds = seed === undefined ? Array.from({ length: recipe.runs }, (_, i) => i) : [seed]
  print(
    `\n${recipe.row}: ${recipe.units.join('-')}, ${recipe.training}; ${recipe.published} % (${recipe.source})\n` +
      `${seeds.length === 1 ? '1 run' : `${seeds.length} runs`} of ${epochs} epochs; the usual ${recipe.runs} x ${recipe.epochs} take about ${recipe.minutes} minutes on two cores`,
  )
  const outcomes: Outcome[] = []
  const names: string[] = []
  for (const seed of seeds) {
    const parts = [recipe.row, `${epochs}`, `seed${seed}`, ...(validate ? ['validate'] : [])]
    const name = parts.join('-')
    names.push(name)
    const watch = watchOf(epochs, recipe.batchSize, progress)
    const outcome = await runRecipe(recipe, {
      ...watch,
      seed,
      epochs,
      validate,
      checkpoint: join(checkpoints, name),
      resumeWith,
      signal,
    })
    progress.clear()
    if (outcome.error === undefined) return undefined
    print(`seed ${seed}: ${outcome.error.toFixed(2)} % in ${minutes(outcome.seconds)}`)
    outcomes.push(outcome)
  }
  const { cpu, cores } = machineOf()
  const result: Result = {
    row: recipe.row,
    errors: outcomes.map(({ error }) => Number(error!.toFixed(4))),
    epochs,
    seconds: outcomes.reduce((sum, { seconds }) => sum + seconds, 0),
    examplesPerSecond: Math.max(...outcomes.map(({ examplesPerSecond }) => examplesPerSecond)),
    date: new Date().toISOString(),
    commit: commitOf(OWN_FOLDER),
    machine: `${cpu}, ${cores} cores`,
  }
  const isUsual = seed === undefined && epochs === recipe.epochs && !validate
  if (results && isUsual) keepResult(results, result)
  for (const file of readdirSync(checkpoints)) {
    if (names.some((name) => file.startsWith(`${name}.`))) rmSync(join(checkpoints, file))
  }
  return result
}

/** Progress of one run: a bar in each epoch, and some lines with the time left. */
function watchOf(epochs: number, batchSize: number, progress: Progress) {
  let done = 0
  let spent = 0
  progress.restart()
  return {
    onPretrainEpoch({ layer, layers, epoch, loss, examplesPerSecond }: PretrainReport) {
      const title = `layer ${layer}/${layers}  epoch ${epoch}`
      print([title, `reconstruction ${figure(loss)}`, rate(examplesPerSecond)].join('  '))
      progress.restart()
    },
    onStep({ epoch, step, stepsPerEpoch, loss }: StepReport) {
      const title = epochTitle(epoch, epochs)
      const examples = step * batchSize
      const note = (seconds: number) => `loss ${figure(loss)}  ${rate(examples / seconds)}`
      progress.update({ title, done: step / stepsPerEpoch, note })
    },
    onEpoch({ epoch, loss, validationAccuracy, examplesPerSecond, seconds }: EpochReport) {
      done++
      spent += seconds
      progress.restart()
      if (done > 1 && epoch < epochs && epoch % Math.ceil(epochs / LINES) !== 0) return
      const left = (spent / done) * (epochs - epoch)
      const parts = [epochTitle(epoch, epochs), `loss ${figure(loss)}`]
      if (validationAccuracy !== undefined) {
        parts.push(`validation error ${percent(1 - validationAccuracy)}`)
      }
      print([...parts, rate(examplesPerSecond), `${minutes(left)} left`].join('  '))
    },
  }
}
