/** `neuroblas bench`: training steps against bare BLAS calls, pure JavaScript and other libraries. */

import { closeSync, openSync, writeFileSync } from 'node:fs'
import { availableParallelism, constants } from 'node:os'
import { Command, type Option } from 'commander'
import { parseNumber } from '../../internal.js'
import { type Case, cases, DEFAULT_CASES, describeCase } from '../bench/cases.js'
import { checkoutAt } from '../bench/checkout.js'
import { CONTESTANTS } from '../bench/contestants.js'
import { LEVELS, type Level } from '../bench/protocol.js'
import { runBench } from '../bench/run.js'
import { formatReport } from '../bench/table.js'
import { checkedOption, integerOption, namesOption, numberOption, UsageError } from './options.js'
import { table } from './table.js'

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
  contestants?: string[]
  against?: string
  threads: number[]
  levels: Level[]
  steps: number
  rounds: number
  seconds: number
  json?: string
}

/** Ends by process.exit, so that the files for the contestants are removed; npm sends signals twice. */
function exitOnSignals(): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    process.on(name, () => process.exit(128 + constants.signals[name]))
  }
}

async function bench({ json, against, ...options }: Options): Promise<void> {
  exitOnSignals()
  const checkout = against === undefined ? undefined : checkoutAt(against)
  const contestants = options.contestants ?? (checkout ? ['neuroblas'] : CONTESTANTS)
  if (checkout && !contestants.includes('neuroblas')) {
    throw new UsageError(
      `--contestants: expected neuroblas among them with --against, got ${contestants}`,
    )
  }
  // A file that cannot be written is a reason to stop now, not after minutes of measuring.
  if (json !== undefined) closeSync(openSync(json, 'a'))
  const report = await runBench({
    ...options,
    contestants,
    against: checkout,
    cases: casesNamed(options.cases, options.steps),
    progress: (line) => process.stderr.write(`${line}\n`),
  })
  process.stdout.write(`${formatReport(report)}\n`)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  for (const line of report.disagreements) process.stderr.write(`WRONG: ${line}\n`)
  if (report.disagreements.length > 0) process.exitCode = 1
}

const examples = `
Close other programs first: what else runs is measured, too.

Examples:
  neuroblas bench
  neuroblas bench --cases P3,P7 --contestants neuroblas,bare --threads 1
  neuroblas bench --cases all --rounds 3 --json bench.json
  neuroblas bench --contestants neuroblas,limit --levels avx2,avx512
  neuroblas bench --rounds 15 --against ../before`

/** Thread counts separated by commas; each one is kept once. */
function threadsOption(flags: string, description: string): Option {
  return checkedOption(flags, description, 'integers from 1 to 256, as in 1,2', (text) => {
    const counts = [...new Set(text.split(',').map(parseNumber))]
    return counts.every((n) => Number.isInteger(n) && n >= 1 && n <= 256) ? counts : undefined
  })
}

export function benchCommand(): Command {
  const rows = cases.map((c) => ['', c.id, describeCase(c)])
  const cores = [...new Set([1, availableParallelism()])]
  return new Command('bench')
    .summary('measure the speed against pure JavaScript, bare BLAS and the limit of a core')
    .description(
      'Measures training steps against bare BLAS calls, the limit of a core and other libraries.',
    )
    .addOption(
      namesOption('--cases <list>', 'what to measure, or all', [
        ...cases.map(({ id }) => id),
        'all',
      ]).default([...DEFAULT_CASES], DEFAULT_CASES.join(',')),
    )
    .addOption(
      namesOption(
        '--contestants <list>',
        `who takes part (default: ${CONTESTANTS.join(',')}; with --against only neuroblas)`,
        CONTESTANTS,
      ),
    )
    .option(
      '--against <folder>',
      'another built checkout of neuroblas that takes part, such as the state before a change',
    )
    .addOption(threadsOption('--threads <list>', 'thread counts').default(cores, cores.join(',')))
    .addOption(
      namesOption(
        '--levels <list>',
        `vector instructions to measure with, as NEUROBLAS_SIMD names them: ${LEVELS.join(', ')}`,
        LEVELS,
      ).default([], 'the ones in force'),
    )
    .addOption(integerOption('--rounds <n>', 'rounds per case', 1).default(5))
    .addOption(
      numberOption(
        '--seconds <s>',
        'time of each contestant in each round',
        'a number >= 0.001',
        (value) => value >= 0.001,
      ).default(0.5),
    )
    .addOption(integerOption('--steps <n>', 'steps of M1', 1).default(20_000))
    .option('--json <file>', 'write the report as JSON')
    .addHelpText('after', `\nCases:\n${table(rows, 'lll')}\n${examples}`)
    .action((options: Options) => bench(options))
}
