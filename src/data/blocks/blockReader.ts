/** Reads the blocks of a source, checks them, and copies their examples to where they are wanted. */
import { ArgumentError, DataError, excerpt, ShapeError } from '../../base/errors.js'
import { yielder } from '../../base/eventLoop.js'
import { kindOfTypedArray, readTypedArray } from '../../base/typedArrays.js'
import type { Block, BlockForm, BlockSource } from './blockSource.js'
import type { Rows } from './rows.js'

/** Examples one after another. */
export interface RowReader {
  /**
   * Copies the next ones to the beginning of `to`.
   * @returns how many there were: fewer than wanted at the end alone
   */
  fill(to: Rows, wanted: number): Promise<number>
  close(): Promise<void>
}

/** Values that are copied and checked before the event loop may go on. */
const PIECE = 2 ** 16

export class BlockReader implements RowReader {
  readonly #blocks: AsyncIterator<Block> | Iterator<Block>
  readonly #yieldIfDue = yielder()
  #block: Block | undefined
  /** Of the block, how many examples there are, and were taken. */
  #size = 0
  #taken = 0
  #count = 0
  /** The number of the block, from 1 on. */
  #number = 0
  #isDone = false

  /** @param expected how many examples there must be, where that is known */
  constructor(
    readonly op: string,
    source: BlockSource,
    readonly form: BlockForm,
    readonly expected: number | undefined,
  ) {
    this.#blocks = iteratorOf(op, source.blocks(), form.name)
  }

  /**
   * @throws ShapeError for a block of another width, ArgumentError for what is no block, DataError for values
   * that cannot be, and for more or fewer examples than there must be; what the source throws
   */
  async fill(to: Rows, wanted: number): Promise<number> {
    let filled = 0
    while (filled < wanted && (await this.#hasMore())) {
      const piece = Math.max(1, Math.floor(PIECE / this.form.width))
      const count = Math.min(wanted - filled, this.#size - this.#taken, piece)
      this.#copy(to, filled, count)
      filled += count
      await this.#yieldIfDue()
    }
    return filled
  }

  async close(): Promise<void> {
    if (this.#isDone) return
    this.#isDone = true
    await this.#blocks.return?.()
  }

  async #hasMore(): Promise<boolean> {
    while (this.#taken === this.#size && !this.#isDone) {
      this.#block = undefined
      const { done, value } = await this.#blocks.next()
      if (done) this.#end()
      else this.#begin(value)
    }
    return !this.#isDone
  }

  #begin(block: Block): void {
    const { form, op } = this
    this.#number++
    const { inputs, targets } = block ?? {}
    const kinds = [kindOfTypedArray(inputs), kindOfTypedArray(targets)]
    const wanted = [
      form.dtype === 'uint8' ? 'Uint8Array' : 'Float32Array',
      form.isLabels ? 'Int32Array' : 'Float32Array',
    ]
    if (kinds.some((kind, i) => kind !== wanted[i])) {
      throw new ArgumentError(
        `${op}: expected inputs in a ${wanted[0]} and targets in a ${wanted[1]}${this.#where()}, got ${excerpt(block)}`,
      )
    }
    const [rows, ofTargets] = [inputs.length / form.width, targets.length / form.targetWidth]
    if (!Number.isInteger(rows) || rows !== ofTargets) {
      throw new ShapeError(
        `${op}: expected ${form.width} inputs and ${form.targetWidth} target${form.targetWidth > 1 ? 's' : ''} for each example${this.#where()}, got ${inputs.length} inputs and ${targets.length} targets`,
      )
    }
    this.#block = {
      inputs: readTypedArray(op, inputs)?.values as Block['inputs'],
      targets: readTypedArray(op, targets)?.values as Block['targets'],
    }
    this.#size = rows
    this.#taken = 0
  }

  #copy(to: Rows, at: number, count: number): void {
    const { width, targetWidth } = this.form
    const { inputs, targets } = this.#block as Block
    const from = this.#taken
    if (inputs.length !== this.#size * width) {
      throw new ShapeError(
        `${this.op}: expected a block that stays, got none any more${this.#where()}`,
      )
    }
    const part = inputs.subarray(from * width, (from + count) * width)
    to.inputs.set(part, at * width)
    const ofTargets = targets.subarray(from * targetWidth, (from + count) * targetWidth)
    to.targets.set(ofTargets, at * targetWidth)
    if (!(part instanceof Uint8Array)) this.#checkFinite('inputs', part, width)
    if (this.form.isLabels) this.#checkLabels(ofTargets)
    else this.#checkFinite('targets', ofTargets, targetWidth)
    this.#taken += count
    this.#count += count
  }

  #checkFinite(what: string, values: Float32Array | Int32Array, width: number): void {
    // A sum of zeros, unless one of them is of what is not finite; four sums are not waited for in turn.
    let [a, b, c, d] = [0, 0, 0, 0]
    const fours = values.length - (values.length % 4)
    for (let i = 0; i < fours; i += 4) {
      a += values[i] * 0
      b += values[i + 1] * 0
      c += values[i + 2] * 0
      d += values[i + 3] * 0
    }
    for (let i = fours; i < values.length; i++) a += values[i] * 0
    if (a + b + c + d === 0) return
    const bad = values.findIndex((value) => !Number.isFinite(value))
    const row = this.#count + Math.floor(bad / width)
    throw new DataError(
      `${this.op}: expected finite ${what}, got ${values[bad]} in row ${row} of '${this.form.name}'`,
    )
  }

  #checkLabels(labels: Int32Array | Float32Array): void {
    const { length } = this.form.form.classes
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] >= 0 && labels[i] < length) continue
      throw new DataError(
        `${this.op}: expected labels in 0..${length - 1}, got ${labels[i]} in row ${this.#count + i} of '${this.form.name}'`,
      )
    }
  }

  #end(): void {
    this.#isDone = true
    const { name } = this.form
    if (this.#count === 0) {
      throw new DataError(`${this.op}: expected examples in '${name}', got none`)
    }
    if (this.expected === undefined || this.#count === this.expected) return
    throw new DataError(
      `${this.op}: expected ${this.expected} examples in '${name}', got ${this.#count}; it ended early, or its data have changed`,
    )
  }

  #where(): string {
    return ` in block ${this.#number} (from row ${this.#count} on) of '${this.form.name}'`
  }
}

function iteratorOf(op: string, blocks: unknown, name: string) {
  const iterable = (blocks ?? {}) as Partial<AsyncIterable<Block> & Iterable<Block>>
  const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.()
  if (iterator) return iterator
  throw new ArgumentError(
    `${op}: expected blocks() of '${name}' to give an iterable of blocks, got ${excerpt(blocks)}`,
  )
}
