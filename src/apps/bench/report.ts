/** The report of a benchmark run, as data. */
import { batchOf, type Case, flopsOf } from './cases.js'
import type { Machine } from './machine.js'
import { CHECKED_STEPS, type Figures, type Job, type Ready, type Round } from './protocol.js'

export interface Row {
  case: string
  contestant: string
  threads: number
  /** For E1: per op; for I1: per call. Over the rounds. */
  usPerStep: Times
  /** This and what follows: from the minimum; null where it has no meaning. */
  examplesPerSecond: number | null
  /** From the operations of the step's matrix products alone. */
  gflops: number | null
  /** Time of the step ÷ time of its bare BLAS calls on one thread. */
  toBareBlas: number | null
  /** With `--against`, for `neuroblas`: its time ÷ that of the other checkout on as many threads. */
  toAgainst: Times | null
  /** S1: time of the same contestant on one thread ÷ this time. */
  speedUp: number | null
  /** Mean loss over the first 1024 examples; null where a contestant cannot do the same steps. */
  lossAfter20: number | null
  lossAfter100: number | null
  /** What else the case measures (E2: pauses in ms, M1: bytes); the largest of all rounds. */
  figures?: Figures
  /** What is different about this contestant's step. */
  note?: string
}

export interface Report {
  machine: Machine
  /** ISO 8601. */
  date: string
  /** Of the clone that the library stands in, if any. */
  commit: string | null
  /** The other checkout of `--against`. */
  against: { folder: string; commit: string | null } | null
  data: string
  rounds: number
  secondsPerRound: number
  /** Of the peers that took part. */
  versions: Record<string, string>
  rows: Row[]
  notMeasured: { case: string; contestant: string; threads: number; reason: string }[]
  /** Losses that should agree and do not; empty is good. */
  disagreements: string[]
}

/** One process and what it answered. */
export interface Entry {
  job: Pick<Job, 'contestant' | 'threads'>
  ready: Ready
  rounds: Round[]
}

interface Times {
  min: number
  median: number
}

function timesOf({ rounds }: Entry): Times {
  const times = rounds.map(({ usPerStep }) => usPerStep)
  return { min: Math.min(...times), median: median(times) }
}

const ratio = (a: Times, b: Times): Times => ({ min: a.min / b.min, median: a.median / b.median })

export function rowsOf(c: Case, entries: readonly Entry[]): Row[] {
  const find = (contestant: string, threads = 1) =>
    entries.find(({ job }) => job.contestant === contestant && job.threads === threads)
  const bare = find('bare')
  const batch = batchOf(c)
  return entries.map((entry) => {
    const { contestant, threads } = entry.job
    const { losses, note } = entry.ready
    const usPerStep = timesOf(entry)
    const { min } = usPerStep
    const against = contestant === 'neuroblas' ? find('against', threads) : undefined
    const single = threads > 1 ? find(contestant) : undefined
    const figures = largest(entry.rounds)
    return {
      case: c.id,
      contestant,
      threads,
      usPerStep,
      examplesPerSecond: batch === null ? null : (batch / min) * 1e6,
      gflops: c.kind === 'training' ? flopsOf(c) / min / 1000 : null,
      toBareBlas: bare ? min / timesOf(bare).min : null,
      toAgainst: against ? ratio(usPerStep, timesOf(against)) : null,
      speedUp: single ? timesOf(single).min / min : null,
      lossAfter20: losses?.[0] ?? null,
      lossAfter100: losses?.[1] ?? null,
      ...(figures && { figures }),
      ...(note !== undefined && { note }),
    }
  })
}

function largest(rounds: readonly Round[]): Figures | undefined {
  const [first, ...others] = rounds.map(({ figures }) => figures)
  if (first === undefined) return undefined
  const names = Object.keys(first)
  return Object.fromEntries(
    names.map((name) => [name, Math.max(first[name], ...others.map((other) => other![name]))]),
  )
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Relative difference of two losses that rounding may explain. */
const TOLERANCE = 1e-4

/**
 * Which of the checked losses has to agree. Adam divides by gradients near zero, so that rounding
 * alone moves its loss by some 0.3 % within 100 steps, but not yet within 20.
 */
const comparedOf = (c: Case) => (c.kind === 'training' && c.optimizer === 'adam' ? 0 : 1)

/** A line for each contestant whose loss is not that of the first. */
export function compareLosses(c: Case, entries: readonly Entry[]): string[] {
  const which = comparedOf(c)
  const found = entries.flatMap(({ job, ready: { losses } }) =>
    losses ? [{ ...job, loss: losses[which] }] : [],
  )
  const [first, ...others] = found
  const named = ({ contestant, threads, loss }: (typeof found)[number]) =>
    `${loss} from ${contestant} (threads: ${threads})`
  return others
    .filter(({ loss }) => !agree(first.loss, loss))
    .map(
      (other) =>
        `${c.id}: expected the same loss after ${CHECKED_STEPS[which]} steps, got ` +
        `${named(first)} and ${named(other)}`,
    )
}

/** False for NaN too. */
export function agree(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b))
}
