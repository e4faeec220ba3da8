/** The report of a benchmark run, as data. */
import { OWN_ENGINE } from '../engine.js'
import { batchOf, type Case } from './cases.js'
import { flopsOf } from './flops.js'
import type { Machine } from './machine.js'
import { CHECKED_STEPS, type Figures, type Job, type Ready, type Round } from './protocol.js'

export interface Row {
  case: string
  contestant: string
  threads: number
  /** Level of our own vector instructions, and what computes products; null where that is not ours. */
  level: string | null
  engine: string | null
  /** For E1: per op; for I1: per call; for R1: of all trainings together. */
  usPerStep: Times
  /** This and what follows: from the minimum; null where it has no meaning. */
  examplesPerSecond: number | null
  /** From the operations of the step's matrix products alone. */
  gflops: number | null
  /** Time of the step ÷ time of its bare BLAS calls on one thread. */
  toBareBlas: number | null
  /**
   * Share of the limit of one core that the step reaches: (operations of its matrix products ÷ the limit's
   * operations per second) ÷ time of the step, both times 10th percentiles. More than 1 takes more threads.
   */
  toLimit: number | null
  /** With `--against`, for `neuroblas`: its time ÷ that of the other checkout on as many threads. */
  toAgainst: Times | null
  /** S1: time of the same contestant on one thread ÷ this time. */
  speedUp: number | null
  /** Mean loss over the first 1024 examples; null where a contestant cannot do the same steps. */
  lossAfter10: number | null
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
  notMeasured: {
    case: string
    contestant: string
    threads: number
    level: string | null
    reason: string
  }[]
  /** Losses that should agree and do not; empty is good. */
  disagreements: string[]
}

/** One process and what it answered. */
export interface Entry {
  job: Pick<Job, 'contestant' | 'threads' | 'level'>
  ready: Ready
  rounds: Round[]
}

/** Of µs per step: over the rounds, and over the short windows of all rounds; null where there are none. */
interface Times {
  min: number
  median: number
  p10: number | null
}

function timesOf({ rounds }: Entry): Times {
  const times = rounds.map(({ usPerStep }) => usPerStep)
  const windows = rounds.flatMap(({ windows }) => windows ?? [])
  return {
    min: Math.min(...times),
    median: median(times),
    p10: windows.length > 0 ? quantile(windows, 0.1) : null,
  }
}

const divide = (a: number | null | undefined, b: number | null) =>
  a == null || b === null ? null : a / b

const ratio = (a: Times, b: Times): Times => ({
  min: a.min / b.min,
  median: a.median / b.median,
  p10: divide(a.p10, b.p10),
})

const levelOf = ({ job, ready }: Entry) => ready.level ?? job.level ?? null

export function rowsOf(c: Case, entries: readonly Entry[]): Row[] {
  const bare = entries.find(({ job }) => job.contestant === 'bare')
  const batch = batchOf(c)
  return entries.map((entry) => {
    const { contestant, threads, level: asked } = entry.job
    const { losses = [], note, engine } = entry.ready
    const level = levelOf(entry)
    const usPerStep = timesOf(entry)
    const { min } = usPerStep
    const find = (contestant: string, threads: number) =>
      entries.find(
        (other) =>
          other.job.contestant === contestant &&
          other.job.threads === threads &&
          other.job.level === asked,
      )
    const against = contestant === 'neuroblas' ? find('against', threads) : undefined
    const single = threads > 1 ? find(contestant, 1) : undefined
    const figures = largest(entry.rounds)
    return {
      case: c.id,
      contestant,
      threads,
      level,
      engine: engine ?? null,
      usPerStep,
      examplesPerSecond: batch === null ? null : (batch / min) * 1e6,
      gflops: divide(flopsOf(c), 1000 * min),
      toBareBlas: bare ? min / timesOf(bare).min : null,
      toLimit: divide(limitOf(entry, entries), usPerStep.p10),
      toAgainst: against ? ratio(usPerStep, timesOf(against)) : null,
      speedUp: single ? timesOf(single).min / min : null,
      lossAfter10: losses[CHECKED_STEPS.indexOf(10)] ?? null,
      lossAfter100: losses[CHECKED_STEPS.indexOf(100)] ?? null,
      ...(figures && { figures }),
      ...(note !== undefined && { note }),
    }
  })
}

/**
 * µs that the step's operations take at the least: at the entry's level, or where another library
 * multiplies, which chooses its instructions itself, at the fastest that was measured.
 */
function limitOf(entry: Entry, entries: readonly Entry[]): number | null {
  const isOurs = [OWN_ENGINE, undefined].includes(entry.ready.engine)
  const level = isOurs ? levelOf(entry) : null
  const times = entries
    .filter(({ job }) => job.contestant === 'limit')
    .filter((limit) => level === null || levelOf(limit) === level)
    .flatMap((entry) => timesOf(entry).p10 ?? [])
  return times.length > 0 ? Math.min(...times) : null
}

function largest(rounds: readonly Round[]): Figures | undefined {
  const [first, ...others] = rounds.map(({ figures }) => figures)
  if (first === undefined) return undefined
  const names = Object.keys(first)
  return Object.fromEntries(
    names.map((name) => [name, Math.max(first[name], ...others.map((other) => other![name]))]),
  )
}

/** Between the two nearest values where it falls between them, as NumPy has it. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (place - below) * (sorted[above] - sorted[below])
}

export const median = (values: readonly number[]) => quantile(values, 0.5)

/**
 * Relative difference of two losses that rounding may explain: it grows from step to step, and correct
 * libraries were seen to differ by 2e-4 after 100.
 */
const toleranceAfter = (steps: number) => (steps <= 10 ? 1e-5 : 1e-3)

/**
 * How many of the checked losses have to agree. Adam divides by gradients near zero, so that rounding
 * alone moves its loss by some 0.5 % within 100 steps, but not yet within 10.
 */
const comparedOf = (c: Case) =>
  c.kind === 'training' && c.optimizer === 'adam'
    ? CHECKED_STEPS.indexOf(100)
    : CHECKED_STEPS.length

/** A line for each contestant whose losses are not those of the first, with the first that differs. */
export function compareLosses(c: Case, entries: readonly Entry[]): string[] {
  const [first, ...others] = entries.flatMap(({ job, ready: { losses } }) =>
    losses ? [{ job, losses }] : [],
  )
  return others.flatMap((other) => {
    const both = Math.min(comparedOf(c), first.losses.length, other.losses.length)
    const steps = CHECKED_STEPS.slice(0, both)
    const at = steps.findIndex((after, i) => !agree(first.losses[i], other.losses[i], after))
    if (at < 0) return []
    const named = ({ job, losses }: typeof first) =>
      `${losses[at]} from ${job.contestant} (threads: ${job.threads}` +
      `${job.level ? `, level: ${job.level}` : ''})`
    return [
      `${c.id}: expected the same loss after ${CHECKED_STEPS[at]} steps, got ` +
        `${named(first)} and ${named(other)}`,
    ]
  })
}

/** Whether two losses after so many steps may be the same; false for NaN too. */
export function agree(a: number, b: number, steps: number): boolean {
  return Math.abs(a - b) <= toleranceAfter(steps) * Math.max(Math.abs(a), Math.abs(b))
}
