/** What an experiment of the lecture is: the page shows its text, its figures and what it claims. */
export interface Experiment {
  /** What `--only` calls it: one lower-case word or words with hyphens, the name of its file. */
  name: string
  /** Which items of the lecture it shows, of 20 in its order. */
  items: readonly number[]
  /** Whether it reads MNIST. */
  needsMnist?: true
  title: string
  /** The formula it is about, in TeX. */
  formula?: string
  /** What the symbols mean that stand here first, as `x: the input; w: its weights`. */
  symbols?: string
  /** What was done, in two or three plain sentences. */
  text: string
  /** Throws the signal's reason when it is aborted (`signal.throwIfAborted()`). */
  run(context: Context): Promise<Outcome>
}

export interface Context {
  /** Whether a smaller run will do: seconds instead of minutes, the same claims. */
  quick: boolean
  /** Added to every seed: 0 for the page, others put the claims to the test. */
  seed: number
  /** Aborted when the user asks to stop; hand it to `fit`. */
  signal: AbortSignal
  /** Says how far the experiment is, `done` of `total` parts; `note` is shown beside the bar. */
  progress(done: number, total: number, note?: string): void
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
