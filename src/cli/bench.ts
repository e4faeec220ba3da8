/** `neuroblas bench`: training steps against the bare BLAS calls and against pure JavaScript. */
import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { type Case, cases, DEFAULT_CASES, describeCase } from '../bench/cases.js'
import { CONTESTANTS } from '../bench/contestants.js'
import { runBench } from '../bench/run.js'
import { formatReport } from '../bench/table.js'

/** Names separated by commas, each one known. */
function listOf(known: readonly string[]) {
  return (text: string): string[] => {
    const names = [...new Set(text.split(',').map((name) => name.trim()))]
    const unknown = names.find((name) => !known.includes(name))
    if (unknown !== undefined) {
      throw new InvalidArgumentError(`Expected some of ${known.join(',')}, got '${unknown}'.`)
    }
    return names
  }
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

/** E1 stands for all of its parts. */
function casesNamed(names: readonly string[]): Case[] {
  return cases.filter(({ id }) => names.includes(id) || names.includes(id.split('-')[0]))
}

interface Options {
  cases: string[]
  contestants: string[]
  rounds: number
  seconds: number
  json?: string
}

async function bench(options: Options): Promise<void> {
  const report = await runBench({
    ...options,
    cases: casesNamed(options.cases),
    progress: (line) => process.stderr.write(`${line}\n`),
  })
  process.stdout.write(`${formatReport(report)}\n`)
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
  }
  for (const line of report.disagreements) process.stderr.write(`WRONG: ${line}\n`)
  if (report.disagreements.length > 0) process.exitCode = 1
}

export function benchCommand(): Command {
  const offered = cases
  const width = Math.max(...offered.map(({ id }) => id.length))
  const lines = offered.map((c) => `  ${c.id.padEnd(width)}  ${describeCase(c)}`)
  return new Command('bench')
    .description('measure training steps against bare BLAS calls and pure JavaScript')
    .option('--cases <list>', 'what to measure', listOf(offered.map(({ id }) => id)), DEFAULT_CASES)
    .option('--contestants <list>', 'who takes part', listOf(CONTESTANTS), [...CONTESTANTS])
    .option('--rounds <n>', 'rounds per case', numberFrom(1, { integer: true }), 5)
    .option('--seconds <s>', 'time of each contestant in each round', numberFrom(0.001), 0.5)
    .option('--json <file>', 'write the report as JSON')
    .addHelpText('after', `\nCases:\n${lines.join('\n')}\n\nClose other programs first.`)
    .action((options: Options) => bench(options))
}
