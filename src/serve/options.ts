/** Limits of what a server takes. */
import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import type { Shape } from '../tensor/shape.js'

/** Settings of `predictHandler` and `serve`. */
export interface PredictHandlerOptions {
  /** The shape of one example, such as [28, 28, 1], of a module that does not begin with `Linear`. */
  inputShape?: Shape
  /**
   * What happens to categories that training had not: `refuse` answers 400, `ignore` has 0 in all inputs of the
   * column, as `predict` does. `refuse` by default.
   */
  unseen?: 'refuse' | 'ignore'
  /** Rows that are computed together at most; 64 by default. Of a large model it is less. */
  batchSize?: number
  /** Bytes of a body at most; 8 MiB by default. What is longer is answered 413. */
  maxBytes?: number
  /** Rows of a request at most; 1024 by default. More are answered 413. */
  maxRows?: number
  /** When so many rows wait for their batch, further requests are answered 503; 4096 by default. */
  maxWaiting?: number
}

/** With nothing left out, but for what the model says. */
export type WholeOptions = Required<Omit<PredictHandlerOptions, 'inputShape'>> &
  Pick<PredictHandlerOptions, 'inputShape'>

const DEFAULTS: WholeOptions = {
  unseen: 'refuse',
  batchSize: 64,
  maxBytes: 2 ** 23,
  maxRows: 1024,
  maxWaiting: 4096,
}

export const HANDLER_OPTIONS: Record<keyof PredictHandlerOptions, true> = {
  inputShape: true,
  unseen: true,
  batchSize: true,
  maxBytes: true,
  maxRows: true,
  maxWaiting: true,
}

/** @throws ArgumentError for options that do not exist or are out of range */
export function wholeOptions(op: string, given: PredictHandlerOptions): WholeOptions {
  const options = { ...DEFAULTS, ...optionsOf(op, given, HANDLER_OPTIONS) }
  const { unseen } = options
  for (const name of ['batchSize', 'maxBytes', 'maxRows', 'maxWaiting'] as const) {
    checkCount(op, name, options[name])
  }
  if (unseen === 'refuse' || unseen === 'ignore') return options
  throw new ArgumentError(`${op}: expected unseen to be refuse or ignore, got ${excerpt(unseen)}`)
}
