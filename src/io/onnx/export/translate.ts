/** Writes what a model computes into a graph, op by op. */
import { ArgumentError } from '../../../base/errors.js'
import type { Emitter, OpValue } from './emitter.js'
import type { Merged, Reading, Value } from './merge.js'
import type { Row, Rows } from './row.js'
import { elementwiseRows } from './rows/elementwise.js'
import { indexingRows } from './rows/indexing.js'
import { layoutRows } from './rows/layout.js'
import { productRows } from './rows/products.js'
import { reduceRows } from './rows/reduce.js'
import { where } from './run.js'

/** Every op. */
export const rows: Rows = {
  ...elementwiseRows,
  ...indexingRows,
  ...layoutRows,
  ...productRows,
  ...reduceRows,
}

const asTheyAre: Reading = (attributes) => attributes

/** @throws ArgumentError for an op that is not exported, with the reason */
export function readingOf(op: string, path: string): Reading {
  return rowOf(op, path).read ?? asTheyAre
}

function rowOf(op: string, path: string): Row {
  const row = rows[op] ?? 'this version does not know how'
  if (typeof row !== 'string') return row
  throw new ArgumentError(`exportOnnx: ${where(path)}${op} cannot be exported: ${row}`)
}

/**
 * Writes the nodes that the outputs are computed by.
 * @param inputs names of the model's inputs
 */
export function translate(g: Emitter, { values, inputs }: Merged, names: readonly string[]): void {
  for (const [i, value] of inputs.entries()) g.define(value, { plain: names[i] })
  for (const value of values) {
    if (value.from.kind !== 'call') continue
    g.path = value.path
    write(g, value as OpValue)
  }
  g.path = ''
}

function write(g: Emitter, call: OpValue): void {
  const { op, inputs, attributes } = call.from
  const row = rowOf(op, call.path)
  if (row.order === 'own') {
    row.define(g, attributes, call)
    return
  }
  if (row.order === 'channelsFirst') {
    const name = row.write(g, [g.channelsFirst(inputs[0])], attributes, call)
    g.defineChannelsFirst(call, name)
    return
  }
  const isFirst = row.order === 'any' && isWrittenFirst(g, call)
  const rank = call.shape.length
  const x = inputs.map((value) => (isFirst ? g.channelsFirst(value, rank) : g.plain(value)))
  const name = row.write(g, x, attributes, call)
  g.define(call, isFirst ? { channelsFirst: name } : { plain: name })
}

/** Whether an op of single elements is left in the order of images that its inputs have. */
function isWrittenFirst(g: Emitter, { shape, from }: OpValue): boolean {
  const isFixed = ({ from, shape }: Value) =>
    from.kind === 'constant' && shape.every((extent) => typeof extent === 'number')
  const fits = (value: Value) =>
    value.shape.length === shape.length || (isFixed(value) && value.shape.length < shape.length)
  return from.inputs.every(fits) && from.inputs.some((value) => g.isChannelsFirst(value))
}
