/** What `fit` does when a training diverges: it ends, or goes back to the last good state. */
import { ArgumentError, DivergenceError } from '../base/errors.js'
import type { EpochReport } from './report.js'
import { type RunState, snapshot } from './runState.js'

/** What to do about a training that diverges; see `FitOptions`. */
export type OnDivergence = 'stop' | 'restore' | 'restoreAndLowerLr'

export const divergenceChoices: readonly OnDivergence[] = ['stop', 'restore', 'restoreAndLowerLr']

/** What the learning rate is divided by at each return. */
const LR_DIVISOR = 10
/** Returns after which a training that diverges again ends. */
const MOST_RETURNS = 5

export function checkOnDivergence(choice: OnDivergence): void {
  if (divergenceChoices.includes(choice)) return
  throw new ArgumentError(
    `fit: expected onDivergence ${divergenceChoices.join(', ')}, got ${choice}`,
  )
}

/** Keeps the last good state of a run where it may be needed. */
export class Recovery {
  #goBack = () => {}
  #returns = 0

  constructor(
    readonly run: RunState,
    readonly choice: OnDivergence,
  ) {}

  /** Goes on where these epochs end: a run that went back before has a lower learning rate. */
  begin(epochs: readonly EpochReport[]): void {
    this.#lowerLr(epochs.at(-1)?.returns ?? 0)
  }

  /** The run's state is good: what the next return goes back to. */
  keep(): void {
    if (this.choice !== 'stop') this.#goBack = snapshot(this.run)
  }

  /** How many times the run went back to go on with a lower learning rate. */
  get returns(): number {
    return this.#returns
  }

  /**
   * Goes back after an error, with a warning.
   * @returns whether training is to go on
   * @throws the error where that was not asked for, and one that is no divergence
   */
  recover(error: unknown): boolean {
    if (this.choice === 'stop' || !(error instanceof DivergenceError)) throw error
    this.#goBack()
    const goesOn = this.choice === 'restoreAndLowerLr' && this.#returns < MOST_RETURNS
    if (goesOn) this.#lowerLr(this.#returns + 1)
    const then = goesOn ? `on with lr ${this.run.optimizer.lrOf()}` : 'ended there'
    process.emitWarning(`${error.message}; went back to the last good state, and ${then}`, {
      type: 'NeuroblasWarning',
    })
    return goesOn
  }

  /** The lower learning rate is the run's, not the optimizer's. */
  end(): void {
    this.run.optimizer.lrDivisor = 1
  }

  #lowerLr(returns: number): void {
    this.#returns = returns
    this.run.optimizer.lrDivisor = LR_DIVISOR ** returns
  }
}
