/**
 * The method: one process per contestant and case, contestants interleaved round by round, minimum
 * and median of each, and the same loss after 100 steps demanded of all.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, describeCase, flopsOf } from './cases.js'
import { Process, takesPart } from './contestants.js'
import { findImages, writeCase, writeData } from './files.js'
import { commitOf, type Machine, machineOf } from './machine.js'
import { filesOf } from './protocol.js'

export interface Row {
  case: string
  contestant: string
  threads: number
  /** For E1: per op. Over the rounds. */
  usPerStep: { min: number; median: number }
  /** This and what follows: from the minimum; null where it has no meaning. */
  examplesPerSecond: number | null
  /** From the operations of the step's matrix products alone. */
  gflops: number | null
  /** Time of the step ÷ time of its bare BLAS calls on one thread. */
  toBareBlas: number | null
  lossAfter100: number | null
}

export interface Report {
  machine: Machine
  /** ISO 8601. */
  date: string
  /** Of the clone that the library stands in, if any. */
  commit: string | null
  data: string
  rounds: number
  secondsPerRound: number
  rows: Row[]
  notMeasured: { case: string; contestant: string; reason: string }[]
  /** Losses that should agree and do not; empty is good. */
  disagreements: string[]
}

export interface BenchOptions {
  cases: readonly Case[]
  contestants: readonly string[]
  rounds: number
  /** Time of each contestant in each round. */
  seconds: number
  progress: (line: string) => void
}

/** Relative difference of two losses after 100 steps that rounding may explain. */
const TOLERANCE = 1e-4

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
  const { cases, rounds, seconds } = options
  const report: Report = {
    machine: machineOf(),
    date: new Date().toISOString(),
    commit: commitOf(),
    data: 'none',
    rounds,
    secondsPerRound: seconds,
    rows: [],
    notMeasured: [],
    disagreements: [],
  }
  const training = cases.filter((c) => c.kind === 'training')
  if (training.length > 0) {
    const images = findImages()
    report.data = images.description
    writeData(filesOf({ folder, case: training[0] }).data, images)
    for (const c of training) writeCase(folder, c, images.labels.length)
  }
  for (const c of cases) await runCase(folder, c, options, report)
  return report
}

interface Entry {
  process: Process
  lossAfter100: number | null
  times: number[]
}

async function runCase(
  folder: string,
  c: Case,
  { contestants, rounds, seconds, progress }: BenchOptions,
  report: Report,
): Promise<void> {
  const entries: Entry[] = []
  const started: Process[] = []
  try {
    progress(`${c.id} (${describeCase(c)})`)
    for (const contestant of contestants.filter((name) => takesPart(name, c))) {
      const process = new Process({ contestant, case: c, folder })
      started.push(process)
      const { unavailable, lossAfter100 = null } = await process.ready()
      if (unavailable === undefined) entries.push({ process, lossAfter100, times: [] })
      else report.notMeasured.push({ case: c.id, contestant, reason: unavailable })
      const loss = lossAfter100 === null ? '' : `, loss after 100 steps ${lossAfter100.toFixed(6)}`
      progress(`  ${contestant}: ${unavailable ?? `ready${loss}`}`)
    }
    for (let round = 1; round <= rounds; round++) {
      for (const { process, times } of entries) times.push(await process.round(seconds))
      const now = entries.map((e) => `${e.process.job.contestant} ${e.times.at(-1)!.toFixed(2)}`)
      progress(`  round ${round}/${rounds}, µs: ${now.join(', ')}`)
    }
  } finally {
    for (const process of started) process.stop()
  }
  report.rows.push(...rowsOf(c, entries))
  report.disagreements.push(...compareLosses(c, entries))
}

function rowsOf(c: Case, entries: readonly Entry[]): Row[] {
  const bare = entries.find(({ process }) => process.job.contestant === 'bare')
  return entries.map(({ process, lossAfter100, times }) => {
    const min = Math.min(...times)
    return {
      case: c.id,
      contestant: process.job.contestant,
      threads: 1,
      usPerStep: { min, median: median(times) },
      examplesPerSecond: c.kind === 'training' ? (c.batch / min) * 1e6 : null,
      gflops: c.kind === 'training' ? flopsOf(c) / min / 1000 : null,
      toBareBlas: bare ? min / Math.min(...bare.times) : null,
      lossAfter100,
    }
  })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** A line for each contestant whose loss is not that of the first. */
function compareLosses(c: Case, entries: readonly Entry[]): string[] {
  const [first, ...others] = entries.filter(({ lossAfter100 }) => lossAfter100 !== null)
  return others
    .filter(({ lossAfter100 }) => !agree(first.lossAfter100!, lossAfter100!))
    .map(
      ({ process, lossAfter100 }) =>
        `${c.id}: expected the same loss after 100 steps, got ${first.lossAfter100} from ` +
        `${first.process.job.contestant} and ${lossAfter100} from ${process.job.contestant}`,
    )
}

/** False for NaN too. */
export function agree(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b))
}
