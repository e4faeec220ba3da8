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

/** Writes the nodes of a call, and says what its result is called, in one order of axes or both. */
// biome-ignore lint/suspicious/noExplicitAny: each row knows the attributes of its op
export type Define = (g: Emitter, attributes: any, call: OpValue) => void

/** How an op is written. */
export type Row = {
  /** What the attributes are told as; as they are by default. */
  readonly read?: Reading
} & (
  | {
      /**
       * `any`: each element for itself, so that all inputs may have their channels first; `channelsFirst`: the first
       * input has them, and the result.
       */
      readonly order: 'any' | 'plain' | 'channelsFirst'
      readonly write: Write
    }
  | {
      /** By `define` itself. */
      readonly order: 'own'
      readonly define: Define
    }
)

/** Ops by name, or the reason why one has no place in an exported model. */
export type Rows = Readonly<Record<string, Row | string>>

export const elementwise = (write: Write): Row => ({ order: 'any', write })
export const plain = (write: Write, read?: Reading): Row => ({ order: 'plain', write, read })
export const own = (define: Define): Row => ({ order: 'own', define })
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
