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

/** Goes back to the last good state of a run where that was asked for. */
export class Recovery {
  #returns = 0

  constructor(
    readonly run: RunState,
    readonly choice: OnDivergence,
  ) {}

  /** Goes on where these epochs end: a run that went back before has a lower learning rate. */
  begin(epochs: readonly EpochReport[]): void {
    this.#lowerLr(epochs.at(-1)?.returns ?? 0)
  }

  /** How many times the run went back to go on with a lower learning rate. */
  get returns(): number {
    return this.#returns
  }

  /**
   * Does what may diverge, from a state that is good, and goes back to it with a warning where it does.
   * @returns what it gives, `again` where it is to be tried with a lower learning rate, `diverged` where
   *   training ends
   * @throws the error where going back was not asked for, and one that is no divergence
   */
  async attempt<T>(part: () => Promise<T>): Promise<T | 'again' | 'diverged'> {
    const goBack = this.choice === 'stop' ? undefined : snapshot(this.run)
    try {
      return await part()
    } catch (error) {
      if (goBack === undefined || !(error instanceof DivergenceError)) throw error
      goBack()
      const goesOn = this.choice === 'restoreAndLowerLr' && this.#returns < MOST_RETURNS
      if (goesOn) this.#lowerLr(this.#returns + 1)
      const then = goesOn ? `on with lr ${this.run.optimizer.lrOf()}` : 'ended there'
      process.emitWarning(`${error.message}; went back to the last good state, and ${then}`, {
        type: 'NeuroblasWarning',
      })
      return goesOn ? 'again' : 'diverged'
    }
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
