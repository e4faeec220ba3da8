/** What an experiment of the lecture is: the page shows its text, its figures and what it claims. */
import type { Dataset } from '../../index.js'

export interface Experiment {
  /** What `--only` calls it: one lower-case word or words with hyphens, the name of its file. */
  name: string
  /** Which items of the lecture it shows. */
  items: readonly number[]
  /** Whether it calls `mnist`. */
  needsMnist?: true
  title: string
  /** The formula it is about, in TeX. */
  formula?: string
  /** What was done, in two or three plain sentences. */
  text: string
  /** Throws the signal's reason when it is aborted (`signal.throwIfAborted()`). */
  run(context: Context): Promise<Outcome>
}

export interface Context {
  /** Whether a smaller run will do: seconds instead of minutes, the same claims. */
  quick: boolean
  /** Aborted when the user asks to stop; hand it to `fit`. */
  signal: AbortSignal
  /** Says how far the experiment is, `done` of `total` parts; `note` is shown beside the bar. */
  progress(done: number, total: number, note?: string): void
  /** MNIST, read once for all experiments; throws DataError where it is not installed. */
  mnist(): { train: Dataset; test: Dataset }
}

/** A sentence that the run has put to the test. */
export interface Claim {
  claim: string
  /** What was measured, with its unit. */
  measured: string | number
  ok: boolean
}

export interface Figure {
  /** Name of its files, unique within the experiment: lower-case words with hyphens. */
  name: string
  caption: string
  svg: string
}

export interface Outcome {
  claims: Claim[]
  figures: Figure[]
}
