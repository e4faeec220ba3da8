/** What the table of the ops says of each: the nodes of ONNX that compute the same. */
import { ArgumentError } from '../../../base/errors.js'
import type { Emitter, OpValue } from './emitter.js'
import { Batch, type Extent, type Reading } from './merge.js'
import { where } from './run.js'

/**
 * Writes the nodes of a call.
 * @param x names of the inputs, in the order of axes that the row says
 * @returns the name of the result, in that order
 */
// biome-ignore lint/suspicious/noExplicitAny: each row knows the attributes of its op
export type Write = (g: Emitter, x: readonly string[], attributes: any, call: OpValue) => string

/** How an op is written. */
export interface Row {
  /**
   * `any`: each element for itself, so that all inputs may have their channels first; `channelsFirst`: the first input
   * has them, and the result; `own`: `write` defines the result itself.
   */
  readonly order: 'any' | 'plain' | 'channelsFirst' | 'own'
  readonly write: Write
  /** What the attributes are told as; as they are by default. */
  readonly read?: Reading
}

/** Ops by name, or the reason why one has no place in an exported model. */
export type Rows = Readonly<Record<string, Row | string>>

export const elementwise = (write: Write): Row => ({ order: 'any', write })
export const plain = (write: Write, read?: Reading): Row => ({ order: 'plain', write, read })
export const channelsFirst = (write: Write, read?: Reading): Row => ({
  order: 'channelsFirst',
  write,
  read,
})

/** An op that ONNX has, too. */
export const same = (op: string, attributes = {}): Row =>
  elementwise((g, x) => g.node(op, x, attributes))

/** An extent that may not follow the batch. @throws ArgumentError when it does */
export function fixed(extent: Extent, what: string, { path, from }: OpValue): number {
  if (typeof extent === 'number') return extent
  const got = extent instanceof Batch ? 'that of the batch' : 'one that varies'
  throw new ArgumentError(
    `exportOnnx: ${where(path)}${from.op}: expected ${what} that is the same for all batches, got ${got}`,
  )
}
