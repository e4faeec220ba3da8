/** `neuroblas runs`: the runs of a folder, beside each other. */
import { Command } from 'commander'
import { figure, percent, type RunSummary, readRuns } from '../../internal.js'
import { jsonOption } from './options.js'
import { note, print, table } from './table.js'

const help = `
FOLDER holds folders of runs, as --run of neuroblas train and run of fit make them, or is one. Those of
the lowest validation loss come first. A run is running, done, interrupted (neuroblas train --run RUN
--resume goes on with it), diverged, or damaged. What is told of settings is in what the runs differ.

Examples:
  neuroblas runs
  neuroblas runs experiments/august
  neuroblas runs --json`

export function runsCommand(): Command {
  return new Command('runs')
    .summary('list the runs of a folder, and compare them')
    .description(
      'Lists the runs of a folder: how far they are, what they reached, how they differ.',
    )
    .argument('[folder]', 'of the runs', 'runs')
    .addOption(jsonOption('print one JSON object per run, with all of its settings'))
    .addHelpText('after', help)
    .action((folder: string, { json }: { json?: boolean }) => {
      const runs = readRuns(folder).sort(byLoss)
      if (runs.length === 0) note(`${folder}: no runs in it`)
      else print(json ? runs.map((run) => JSON.stringify(run)).join('\n') : asTable(runs))
    })
}

/** By their names where none was validated. */
function byLoss(a: RunSummary, b: RunSummary): number {
  const [one, other] = [a, b].map(({ best }) => best?.validationLoss ?? Infinity)
  return one === other ? 0 : one - other
}

const HEADER = ['run', 'state', 'epochs', 'best validation', 'test', 'time', 'settings']

function asTable(runs: readonly RunSummary[]): string {
  const names = differing(runs)
  const rows = runs.map((run) => [
    run.name,
    run.state,
    `${run.epochs}/${run.epochsPlanned ?? '?'}`,
    run.best
      ? `${figuresOf(run.best.validationLoss, run.best.validationAccuracy)} in ${run.best.epoch}`
      : '-',
    run.test ? figuresOf(run.test.loss, run.test.accuracy) : '-',
    duration(run.seconds),
    run.problem ?? names.map((name) => `${name} ${show(told(run)[name])}`).join('  '),
  ])
  return table([HEADER, ...rows], 'llrllrl')
}

/** What people said goes before what was made of it; of what follows from it, or stands in a column, nothing. */
function told({ settings, config }: RunSummary): Readonly<Record<string, unknown>> {
  const { epochs: _, save: __, ...all }: Record<string, unknown> = { ...settings, ...config }
  return all
}

/** The settings in which runs that can be read differ. */
function differing(runs: readonly RunSummary[]): string[] {
  const known = runs.filter(({ problem }) => problem === undefined).map(told)
  const names = [...new Set(known.flatMap((settings) => Object.keys(settings)))]
  return names.filter((name) => new Set(known.map((of) => JSON.stringify(of[name]))).size > 1)
}

function figuresOf(loss: number | undefined, accuracy: number | undefined): string {
  const texts = [
    loss === undefined ? [] : figure(loss),
    accuracy === undefined ? [] : percent(accuracy),
  ]
  return texts.flat().join('  ')
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${Math.round(seconds % 60)} s`
}

const LONGEST = 24

/** Digests are told apart by their first digits. */
function show(value: unknown): string {
  if (value === undefined || value === null) return 'none'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (/^[0-9a-f]{64}$/.test(text)) return text.slice(0, 8)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
