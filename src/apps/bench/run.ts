/**
 * The method: one process per contestant, thread count, level and case, interleaved round by round, and
 * the same losses demanded of all.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clock } from '../../internal.js'
import { type Case, describeCase, learningOf } from './cases.js'
import type { Checkout } from './checkout.js'
import { type Contestant, contestantsNamed, levelsOf, threadsOf } from './contestants.js'
import { findImages, writeCase, writeData } from './files.js'
import { commitOf, machineOf, OWN_FOLDER } from './machine.js'
import { type Process, startProcess } from './process.js'
import { onSharedProcessor } from './processor.js'
import { CHECKED_STEPS, DATA, type Job, jobOf, type Level, type Ready } from './protocol.js'
import { compareLosses, type Entry, type Report, rowsOf } from './report.js'

export interface BenchOptions {
  cases: readonly Case[]
  contestants: readonly string[]
  /** Another checkout that takes part under the name `against`. */
  against?: Checkout
  /** Thread counts; whoever has only one thread is measured with one. */
  threads: readonly number[]
  /** Levels of vector instructions for whoever heeds `NEUROBLAS_SIMD`; without any the one in force. */
  levels: readonly Level[]
  rounds: number
  /** Time of each contestant in each round. */
  seconds: number
  progress: (line: string) => void
}

export async function runBench(options: BenchOptions): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'neuroblas-bench-'))
  const clean = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', clean)
  try {
    return await runIn(folder, options)
  } finally {
    process.off('exit', clean)
    clean()
  }
}

async function runIn(folder: string, options: BenchOptions): Promise<Report> {
  const { cases, rounds, seconds, against } = options
  const report: Report = {
    machine: machineOf(),
    date: new Date().toISOString(),
    commit: commitOf(OWN_FOLDER),
    against: against ? { folder: against.folder, commit: commitOf(against.folder) } : null,
    data: 'none',
    rounds,
    secondsPerRound: seconds,
    versions: {},
    rows: [],
    notMeasured: [],
    disagreements: [],
  }
  const learning = cases.flatMap((c) => learningOf(c) ?? [])
  if (learning.length > 0) {
    const images = findImages()
    report.data = images.description
    writeData(join(folder, DATA), images)
    for (const c of learning) writeCase(folder, c, images)
  }
  const begin = performance.now()
  for (const [done, c] of cases.entries()) {
    const seconds = (performance.now() - begin) / 1000
    const left =
      done === 0 ? '' : `, ${clock(Math.ceil((seconds / done) * (cases.length - done)))} left`
    options.progress(`${done + 1}/${cases.length} ${c.id} (${describeCase(c)})${left}`)
    await runCase(folder, c, options, report)
  }
  return report
}

type Running = Entry & { process: Process }

async function runCase(
  folder: string,
  c: Case,
  options: BenchOptions,
  report: Report,
): Promise<void> {
  const { progress } = options
  const started: Process[] = []
  const entries: Running[] = []
  try {
    for (const { job, contestant } of jobsOf(folder, c, options)) {
      const { command, env } = contestant
      let ready: Ready
      if ('unavailable' in command) ready = command
      else {
        const process = startProcess(job, commandFor(job, command), env)
        started.push(process)
        ready = await firstWords(process, contestant)
        if (ready.unavailable === undefined) entries.push({ job, ready, rounds: [], process })
      }
      note(job, ready, report)
      progress(`  ${labelOf(job)}: ${describeReady(ready)}`)
    }
    await takeTurns(c, entries, options)
  } finally {
    for (const process of started) process.stop()
  }
  report.rows.push(...rowsOf(c, entries))
  report.disagreements.push(...compareLosses(c, entries))
}

/** Who is measured at the case: each contestant with each of its thread counts, at each of its levels. */
function jobsOf(
  folder: string,
  c: Case,
  { contestants, against, threads: wantedThreads, levels: wantedLevels }: BenchOptions,
): { contestant: Contestant; job: Job }[] {
  return contestantsNamed(contestants, against)
    .filter(([, contestant]) => contestant.takes(c))
    .flatMap(([name, contestant]) =>
      levelsOf(contestant, wantedLevels).flatMap((level) =>
        threadsOf(contestant, c, wantedThreads).map((threads) => ({
          contestant,
          job: jobOf(c, { contestant: name, threads, level }, folder),
        })),
      ),
    )
}

const commandFor = ({ case: c, threads }: Job, command: readonly string[]) =>
  (c.kind === 'training' || c.kind === 'images') && threads === 1
    ? onSharedProcessor(command)
    : command

/** A peer may break down; when one of ours does, so does the benchmark. */
async function firstWords(process: Process, { own }: Contestant): Promise<Ready> {
  try {
    return await process.ready()
  } catch (error) {
    if (own) throw error
    return { unavailable: `${(error as Error).message}, its words are on the error output` }
  }
}

function note({ case: c, contestant, threads, level }: Job, ready: Ready, report: Report): void {
  const { unavailable: reason, version } = ready
  if (version !== undefined) report.versions[contestant] = version
  if (reason !== undefined) {
    report.notMeasured.push({ case: c.id, contestant, threads, level: level ?? null, reason })
  }
}

const labelOf = ({ contestant, threads, level }: Job) =>
  `${contestant}${level ? ` at ${level}` : ''}, threads: ${threads}`

function describeReady({ unavailable, losses = [] }: Ready): string {
  if (unavailable !== undefined) return unavailable
  const loss = losses.at(-1)
  return loss === undefined
    ? 'ready'
    : `ready, loss after ${CHECKED_STEPS[losses.length - 1]} steps ${loss.toFixed(6)}`
}

async function takeTurns(
  c: Case,
  entries: readonly Running[],
  { rounds, seconds, progress }: BenchOptions,
): Promise<void> {
  // M1 is one long run.
  const last = c.kind === 'memory' ? 1 : rounds
  // Those with as many threads one after the other: they are compared, and the machine drifts.
  const turns = entries.toSorted((a, b) => a.job.threads - b.job.threads)
  for (let round = 1; round <= last; round++) {
    for (const { process, rounds } of turns) rounds.push(await process.round(seconds))
    const now = entries.map(
      ({ job, rounds }) =>
        `${[job.contestant, job.level, job.threads].filter(Boolean).join('/')} ` +
        rounds.at(-1)!.usPerStep.toFixed(2),
    )
    progress(`  round ${round}/${last}, µs: ${now.join(', ')}`)
  }
}
