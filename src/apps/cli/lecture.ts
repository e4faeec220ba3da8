/** `neuroblas lecture`: the experiments of a lecture on neural networks, as one page. */

import { cpus } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { getNumThreads } from '../../index.js'
import { currentBackend, loadAddon, loadPackages, Progress, version } from '../../internal.js'
import { engineOf } from '../engine.js'
import type { Experiment } from '../lecture/experiment.js'
import { experiments } from '../lecture/index.js'
import { formatMeasured } from '../lecture/numbers.js'
import { partOf } from '../lecture/parts.js'
import { type Finished, runExperiments } from '../lecture/run.js'
import { writeLecture } from '../lecture/write.js'
import { EXIT_FAILED } from './failure.js'
import { runSeeds } from './lectureSeeds.js'
import { integerOption, namesOption } from './options.js'
import { checkFolder } from './savePath.js'
import { Interrupt } from './signals.js'
import { print, table } from './table.js'

interface Options {
  only?: string[]
  seeds?: number
  quick?: boolean
  out: string
}

const examples = `
A page that is there, with its figures and its results.json, is replaced. Ctrl-C ends the run early:
the page has the experiments that have ended; before the first one has, nothing is written.

Examples:
  neuroblas lecture --quick
  neuroblas lecture --only xor,mnist --out xor-and-mnist
  neuroblas lecture --seeds 20 --only xor,separation`

export function lectureCommand(): Command {
  const names = experiments.map(({ name }) => name)
  const rows = experiments.map((experiment) => [
    '',
    experiment.name,
    experiment.title,
    partOf(experiment),
  ])
  return new Command('lecture')
    .summary('train and draw what a lecture on neural networks says, as one page')
    .description(
      'Trains the experiments of a lecture on neural networks, tests what each claims, and writes them as a page.',
    )
    .addOption(namesOption('--only <list>', 'run these experiments alone, as in xor,mnist', names))
    .option('--quick', 'smaller runs: under 2 minutes in all')
    .addOption(
      integerOption('--seeds <n>', 'run each with n seeds, print which claims hold; no page', 1),
    )
    .option('--out <folder>', 'where the page is written', 'lecture')
    .addHelpText(
      'after',
      `\nExperiments, and the parts of the lecture:\n${table(rows, 'llll')}\n${examples}`,
    )
    .action(lecture)
}

async function lecture({ only, quick = false, seeds, out }: Options): Promise<void> {
  if (seeds === undefined) checkFolder('--out', out)
  // Asked for at once, and not only when the first experiment has been trained.
  await loadPackages('lecture', 'vega', 'vega-lite', '@resvg/resvg-js', 'temml')
  const chosen = experiments.filter(({ name }) => only?.includes(name) ?? true)
  const reporter = new LectureReporter(chosen)
  const interrupt = new Interrupt((name) => {
    reporter.close()
    process.stderr.write(`neuroblas: ${name}: stopping; once more to quit at once\n`)
  })
  try {
    if (seeds !== undefined) {
      const held = await runSeeds(chosen, seeds, { quick, signal: interrupt.signal })
      if (!held) process.exitCode = EXIT_FAILED
      return
    }
    const finished = await runExperiments(chosen, {
      quick,
      signal: interrupt.signal,
      onBegin: (experiment) => reporter.begin(experiment),
      onProgress: (done, total, note) => reporter.progress(done, total, note),
      onEnd: (finished) => reporter.end(finished),
    })
    const stopped = finished.length < chosen.length
    if (stopped && finished.length === 0) {
      print(`stopped by ${interrupt.caught} before the first experiment ended; no page written`)
      return
    }
    const about = { version, machine: machine(), quick, planned: chosen.length }
    await writeLecture(out, finished, about)
    const held = finished.filter(({ ok }) => ok).length
    const ran = stopped
      ? `stopped by ${interrupt.caught}: ${finished.length} of ${chosen.length} experiments ran, ${held} of them hold`
      : `${held} of ${chosen.length} experiments hold`
    print(`${ran} what they claim: ${join(out, 'index.html')}`)
    if (!stopped && held < finished.length) process.exitCode = EXIT_FAILED
  } finally {
    reporter.close()
    interrupt.dispose()
  }
}

/** What the figures hang on: CPU, what computes products and loops, threads, Node. */
function machine(): string {
  const cpu = cpus()[0]?.model.trim() ?? 'an unknown CPU'
  const backend = currentBackend()
  const threads = getNumThreads()
  const addon = backend.name === 'native' ? loadAddon().info() : undefined
  const engine = addon
    ? `native backend with products by ${engineOf(addon)} and ${addon.simd} loops`
    : `${backend.name} backend`
  return `${cpu} (${engine}, ${threads === 1 ? '1 thread' : `${threads} threads`}, Node ${process.versions.node})`
}

/** A bar for the experiment that runs, and a line for each that has ended. */
class LectureReporter {
  readonly #bar = new Progress(process.stdout)
  readonly #width: number
  #title = ''

  constructor(chosen: readonly Experiment[]) {
    this.#width = Math.max(...chosen.map(({ name }) => name.length))
  }

  begin({ name }: Experiment): void {
    this.#title = name.padEnd(this.#width)
    this.#bar.restart()
  }

  progress(done: number, total: number, note = ''): void {
    this.#bar.update({ title: this.#title, done: done / total, note: () => note })
  }

  end({ experiment, claims, ok, seconds }: Finished): void {
    this.close()
    const held = claims.filter(({ ok }) => ok).length
    const took = `${seconds.toFixed(1)} s`.padStart(8)
    const verdict = `${ok ? 'ok    ' : 'FAILED'}  ${held} of ${claims.length} claims`
    print(`${this.#title}  ${took}  ${verdict}  ${experiment.title}`)
    for (const { claim, measured, ok } of claims) {
      if (!ok) print(`  failed: ${claim}: ${formatMeasured(measured)}`)
    }
  }

  close(): void {
    this.#bar.clear()
  }
}
