/** `neuroblas bench`: training steps against bare BLAS calls, pure JavaScript and other libraries. */
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { availableParallelism, constants } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Case, cases, DEFAULT_CASES, describeCase } from '../bench/cases.js'
import { CONTESTANTS } from '../bench/contestants.js'
import { runBench } from '../bench/run.js'
import { formatReport } from '../bench/table.js'
import { namesOption } from './options.js'

/** Thread counts separated by commas. */
function threadCounts(text: string): number[] {
  const counts = [...new Set(text.split(',').map(Number))]
  if (counts.every((n) => Number.isInteger(n) && n >= 1 && n <= 256)) return counts
  throw new InvalidArgumentError(`Expected integers from 1 to 256, as in 1,2, got '${text}'.`)
}

/** A finite number from `least` on. */
function numberFrom(least: number, { integer = false } = {}) {
  return (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!Number.isFinite(value) || value < least || (integer && !Number.isInteger(value))) {
      const kind = integer ? 'an integer' : 'a number'
      throw new InvalidArgumentError(`Expected ${kind} >= ${least}, got '${text}'.`)
    }
    return value
  }
}

/** E1 stands for all of its parts; M1 gets the steps that were asked for. */
function casesNamed(names: readonly string[], steps: number): Case[] {
  return cases
    .filter(
      ({ id }) => names.includes('all') || names.includes(id) || names.includes(id.split('-')[0]),
    )
    .map((c) => (c.kind === 'memory' ? { ...c, steps } : c))
}

interface Options {
  cases: string[]
  contestants: string[]
  threads: number[]
  steps: number
  rounds: number
  seconds: number
  json?: string
}

/** Ends by process.exit, so that the files for the contestants are removed; npm sends signals twice. */
function exitOnSignals(): void {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => process.exit(128 + constants.signals[name]))
  }
}

async function bench({ json, ...options }: Options): Promise<void> {
  exitOnSignals()
  // A file that cannot be written is a reason to stop now, not after minutes of measuring.
  if (json !== undefined) closeSync(openSync(json, 'a'))
  const report = await runBench({
    ...options,
    cases: casesNamed(options.cases, options.steps),
    progress: (line) => process.stderr.write(`${line}\n`),
  })
  process.stdout.write(`${formatReport(report)}\n`)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  for (const line of report.disagreements) process.stderr.write(`WRONG: ${line}\n`)
  if (report.disagreements.length > 0) process.exitCode = 1
}

export function benchCommand(): Command {
  const ids = cases.map(({ id }) => id)
  const width = Math.max(...ids.map((id) => id.length))
  const lines = cases.map((c) => `  ${c.id.padEnd(width)}  ${describeCase(c)}`)
  const cores = [...new Set([1, availableParallelism()])]
  return new Command('bench')
    .description('measure training steps against bare BLAS calls and other libraries')
    .addOption(
      namesOption('--cases <list>', 'what to measure, or all', [...ids, 'all']).default(
        [...DEFAULT_CASES],
        DEFAULT_CASES.join(','),
      ),
    )
    .addOption(
      namesOption('--contestants <list>', 'who takes part', CONTESTANTS).default(
        [...CONTESTANTS],
        CONTESTANTS.join(','),
      ),
    )
    .addOption(
      new Option('--threads <list>', 'thread counts')
        .argParser(threadCounts)
        .default(cores, cores.join(',')),
    )
    .option('--rounds <n>', 'rounds per case', numberFrom(1, { integer: true }), 5)
    .option('--seconds <s>', 'time of each contestant in each round', numberFrom(0.001), 0.5)
    .option('--steps <n>', 'steps of M1', numberFrom(1, { integer: true }), 20_000)
    .option('--json <file>', 'write the report as JSON')
    .addHelpText('after', `\nCases:\n${lines.join('\n')}\n\nClose other programs first.`)
    .action((options: Options) => bench(options))
}
