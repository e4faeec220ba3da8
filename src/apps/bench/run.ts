/**
 * The method: one process per contestant, thread count and case, interleaved round by round, minimum
 * and median of each, and the same loss demanded of all.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, describeCase, trainingOf } from './cases.js'
import type { Checkout } from './checkout.js'
import { contestantsNamed, threadsOf } from './contestants.js'
import { findImages, writeCase, writeData } from './files.js'
import { commitOf, machineOf, OWN_FOLDER } from './machine.js'
import { Process } from './process.js'
import { filesOf, jobOf } from './protocol.js'
import { compareLosses, type Entry, type Report, rowsOf } from './report.js'

export interface BenchOptions {
  cases: readonly Case[]
  contestants: readonly string[]
  /** Another checkout that takes part under the name `against`. */
  against?: Checkout
  /** Thread counts; whoever has only one thread is measured with one. */
  threads: readonly number[]
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
  const training = cases.flatMap((c) => trainingOf(c) ?? [])
  if (training.length > 0) {
    const images = findImages()
    report.data = images.description
    writeData(filesOf(folder, '').data, images)
    for (const c of training) writeCase(folder, c, images.labels.length)
  }
  for (const c of cases) await runCase(folder, c, options, report)
  return report
}

async function runCase(
  folder: string,
  c: Case,
  { contestants, against, threads: wanted, rounds, seconds, progress }: BenchOptions,
  report: Report,
): Promise<void> {
  const entries: (Entry & { process: Process })[] = []
  const started: Process[] = []
  const jobs = contestantsNamed(contestants, against)
    .filter(([, contestant]) => contestant.takes(c))
    .flatMap(([name, contestant]) =>
      threadsOf(contestant, c, wanted).map((threads) => ({
        contestant,
        job: jobOf(name, c, threads, folder),
      })),
    )
  try {
    progress(`${c.id} (${describeCase(c)})`)
    for (const { contestant: program, job } of jobs) {
      const { contestant, threads } = job
      const process = new Process(job, program)
      started.push(process)
      const ready = await process.ready()
      const { unavailable: reason, losses, version } = ready
      if (version !== undefined) report.versions[contestant] = version
      if (reason === undefined) entries.push({ job, ready, rounds: [], process })
      else report.notMeasured.push({ case: c.id, contestant, threads, reason })
      const loss = losses ? `, loss after 100 steps ${losses.at(-1)!.toFixed(6)}` : ''
      progress(`  ${contestant}, threads: ${threads}: ${reason ?? `ready${loss}`}`)
    }
    // M1 is one long run.
    const last = c.kind === 'memory' ? 1 : rounds
    // Those with as many threads one after the other: they are compared, and the machine drifts.
    const turns = entries.toSorted((a, b) => a.job.threads - b.job.threads)
    for (let round = 1; round <= last; round++) {
      for (const { process, rounds } of turns) rounds.push(await process.round(seconds))
      const now = entries.map(
        ({ job, rounds }) =>
          `${job.contestant}/${job.threads} ${rounds.at(-1)!.usPerStep.toFixed(2)}`,
      )
      progress(`  round ${round}/${last}, µs: ${now.join(', ')}`)
    }
  } finally {
    for (const process of started) process.stop()
  }
  report.rows.push(...rowsOf(c, entries))
  report.disagreements.push(...compareLosses(c, entries))
}
