/** Which rows the batches of some steps are made of. */
import type { Turn } from '../backend/program.js'
import { partOf } from '../tensor/allocate.js'
import { Storage, within } from '../tensor/storage.js'
import { Tensor } from '../tensor/tensor.js'

export type RowIndices = Tensor<'int32'>

/** Batches of one size: of the rows that an order names, from a start on. */
export interface Batches {
  readonly order: RowIndices
  readonly start: number
  readonly steps: number
  readonly batchSize: number
}

/** All batches of an order: those that are full, and the rest. */
export function batchesOf(order: RowIndices, batchSize: number): Batches[] {
  const full = Math.floor(order.size / batchSize)
  const batches = [
    { order, start: 0, steps: full, batchSize },
    { order, start: full * batchSize, steps: 1, batchSize: order.size % batchSize },
  ]
  return batches.filter(({ steps, batchSize }) => steps * batchSize > 0)
}

/** Takes the first ones out of the list, up to so many steps. */
export function takeSteps<B extends Batches>(left: B[], most: number): B[] {
  const taken: B[] = []
  for (let room = most; room > 0 && left.length > 0; ) {
    const part = left[0]
    const steps = Math.min(room, part.steps)
    taken.push({ ...part, steps })
    room -= steps
    if (steps === part.steps) left.shift()
    else
      left[0] = { ...part, start: part.start + steps * part.batchSize, steps: part.steps - steps }
  }
  return taken
}

export function countSteps(batches: readonly Batches[]): number {
  return batches.reduce((sum, { steps }) => sum + steps, 0)
}

/** Batches by their sizes: there is one captured step for each. */
export interface Arranged {
  /** Of each size, [steps, batchSize]. */
  readonly rows: readonly RowIndices[]
  /** In the order of the batches: from which of these steps on they are. */
  readonly turns: readonly (Turn & { readonly begin: number })[]
}

/** Rows that outlive every scope. */
export function arrange(batches: readonly Batches[]): Arranged {
  const sizes = [...new Set(batches.map(({ batchSize }) => batchSize))]
  const taken = sizes.map(() => 0)
  return {
    rows: sizes.map((size) => rowsOfAll(batches.filter(({ batchSize }) => batchSize === size))),
    turns: batches.map(({ batchSize, steps: iterations }) => {
      const part = sizes.indexOf(batchSize)
      const begin = taken[part]
      taken[part] += iterations
      return { part, begin, iterations }
    }),
  }
}

/** The rows of batches of one size, one after another. */
function rowsOfAll(batches: readonly Batches[]): RowIndices {
  const [{ order, start, steps, batchSize }] = batches
  if (batches.length === 1) return rowsOf(order, start, [steps, batchSize])
  const { backend } = order.storage
  const total = batches.reduce((sum, { steps }) => sum + steps, 0)
  const size = total * batchSize
  const all = within(null, () => new Storage(backend, 'int32', size))
  let to = 0
  for (const { order, start, steps } of batches) {
    const count = steps * batchSize
    backend.run('copy2d', order.handle, all.handle, 1, count, start, count, to, count)
    to += count
  }
  return new Tensor(all, [total, batchSize])
}

/** The rows that `order` names from `start` on, in this shape, over its buffer; they outlive every scope. */
export function rowsOf(order: RowIndices, start: number, shape: readonly number[]): RowIndices {
  return within(null, () => partOf(order, start, shape))
}
