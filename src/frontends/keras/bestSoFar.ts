/** The figure that a callback watches, and whether it is the best so far. */
import { ArgumentError, DivergenceError } from '../../index.js'
import { checkNumber, excerpt } from '../../internal.js'
import type { Logs } from './callback.js'

/** What a callback watches. */
export interface MonitorOptions {
  /** What is watched; 'val_loss' by default. */
  monitor?: string
  /** Whether less or more is better; 'auto', the default, goes by the name. */
  mode?: 'auto' | 'min' | 'max'
  /** The least change that counts as better. */
  minDelta?: number
}

/** The names of these settings. */
export const MONITOR: Record<keyof MonitorOptions, true> = {
  monitor: true,
  mode: true,
  minDelta: true,
}

/** Watches a figure and knows when it is the best so far. */
export class BestSoFar {
  readonly monitor: string
  readonly #sign: 1 | -1
  readonly #minDelta: number
  /** Negative where more is better. */
  #best = Infinity

  constructor(
    readonly op: string,
    { monitor = 'val_loss', mode = 'auto', minDelta = 0 }: MonitorOptions,
  ) {
    if (!['auto', 'min', 'max'].includes(mode)) {
      throw new ArgumentError(`${op}: expected mode auto, min or max, got ${excerpt(mode)}`)
    }
    if (typeof monitor !== 'string') {
      throw new ArgumentError(`${op}: expected monitor to be a name, got ${excerpt(monitor)}`)
    }
    checkNumber(op, 'minDelta', minDelta, Number.isFinite, 'finite')
    this.monitor = monitor
    this.#sign =
      mode === 'max' || (mode === 'auto' && /acc|auc|precision|recall/.test(monitor)) ? -1 : 1
    this.#minDelta = Math.abs(minDelta)
  }

  begin(): void {
    this.#best = Infinity
  }

  valueIn(logs: Logs): number {
    const value = logs[this.monitor]
    if (value === undefined) {
      throw new ArgumentError(
        `${this.op}: expected monitor to be one of ${Object.keys(logs).join(', ')}, got ${this.monitor}`,
      )
    }
    if (Number.isFinite(value)) return value
    throw new DivergenceError(`${this.op}: expected a finite ${this.monitor}, got ${value}`)
  }

  /** Whether the figure is better than any before. */
  improves(logs: Logs): boolean {
    const value = this.#sign * this.valueIn(logs)
    if (!(value < this.#best - this.#minDelta)) return false
    this.#best = value
    return true
  }
}
