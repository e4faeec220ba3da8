/**
 * The examples of a data set on the current backend: copied there once, bytes as bytes. Not a loader:
 * nothing here knows of batches or their order.
 */

import { currentBackend } from '../backend/current.js'
import { type DType, dtypes, type TypedArray } from '../backend/dtype.js'
import { requireMemory } from '../base/availableMemory.js'
import { isBranded } from '../base/brand.js'
import { ShapeError } from '../base/errors.js'
import { yielder } from '../base/eventLoop.js'
import { kindOfTypedArray } from '../base/typedArrays.js'
import type { TargetKind, Targets } from '../nn/losses.js'
import { gatherBytes, selectRows } from '../ops/indexing.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { Storage, within } from '../tensor/storage.js'
import { Tensor } from '../tensor/tensor.js'
import { checkDataset, type Dataset } from './dataset.js'

/** Examples with their targets. */
export interface Batch<K extends TargetKind = TargetKind> {
  /** [batch, ...inputShape] */
  inputs: Tensor
  /** Labels [batch], or values [batch, ...targetShape]. */
  targets: Targets<K>
}

// What is copied at a time: with the pages that are touched first, well below a millisecond.
const PIECE_BYTES = 2 ** 18
const PIECE_ROWS = 2048

/** What to do with examples that memory does not hold. */
const IN_BLOCKS = 'take fewer of them, or give them in blocks, as a BlockSource'

const BRAND = Symbol.for('neuroblas.Examples')

/**
 * The examples of a data set on the current backend, copied once. `DataLoader` makes batches of
 * them; they are useful by themselves where several loaders share one copy.
 */
export class Examples<K extends TargetKind = TargetKind> {
  /** Number of examples. */
  size: number
  readonly #inputs: Tensor | Tensor<'uint8'>
  readonly #targets: Targets
  readonly #scale: number

  /** What they were copied from. */
  data: Dataset<K>

  private constructor(
    given: Dataset<K>,
    /** Which of its rows, in which order; all of them for undefined. */
    readonly rows: Int32Array | undefined,
  ) {
    this.data = checkDataset('DataLoader', given)
    const { inputs, inputShape, targets, targetShape, scale } = this.data
    this.size = rows?.length ?? this.data.size
    this.#scale = scale
    const isBytes = kindOfTypedArray(inputs) === 'Uint8Array'
    const isLabels = kindOfTypedArray(targets) === 'Int32Array'
    const [ofInputs, ofTargets] = [inputShape, targetShape].map((shape) => [this.size, ...shape])
    const bytes = (isBytes ? 1 : 4) * sizeOf(ofInputs) + 4 * sizeOf(ofTargets)
    requireMemory('DataLoader', `${this.size} examples of '${given.name}'`, bytes, IN_BLOCKS)
    this.#inputs = isBytes ? allocate('uint8', ofInputs) : allocate('float32', ofInputs)
    this.#targets = isLabels ? allocate('int32', ofTargets) : allocate('float32', ofTargets)
  }

  /**
   * What `isExamples` asks for.
   * @internal
   */
  get [BRAND](): boolean {
    return #inputs in this
  }

  /**
   * Copies the whole data set at once.
   * @throws ArgumentError for what is no data set, ShapeError when its sizes do not fit its values
   */
  static of<K extends TargetKind>(data: Dataset<K>): Examples<K> {
    const examples = new Examples(data, undefined)
    for (const _ of examples.#copy()) {
    }
    return examples
  }

  /**
   * Copies the data set, or these rows of it, piece by piece, so that the event loop goes on
   * meanwhile.
   * @throws ArgumentError, ShapeError as `of`
   */
  static async load<K extends TargetKind>(
    data: Dataset<K>,
    rows?: Int32Array,
  ): Promise<Examples<K>> {
    const examples = new Examples(data, rows)
    const yieldIfDue = yielder()
    for (const _ of examples.#copy()) await yieldIfDue()
    return examples
  }

  /**
   * Room for as many examples as a data set has, to be filled by `refill`.
   * @internal
   */
  static roomFor<K extends TargetKind>(data: Dataset<K>): Examples<K> {
    return new Examples(data, undefined)
  }

  /**
   * Copies other examples of the same kind, at most as many as there is room for, in their place: what was
   * captured with them finds the new ones.
   * @internal
   */
  async refill(data: Dataset<K>): Promise<void> {
    this.data = data
    this.size = data.size
    const yieldIfDue = yielder()
    for (const _ of this.#copy()) await yieldIfDue()
  }

  /** The batch of the examples at these positions. */
  gather(positions: Tensor<'int32'>): Batch<K> {
    const inputs =
      this.#inputs.dtype === 'uint8'
        ? gatherBytes(this.#inputs as Tensor<'uint8'>, positions, { scale: this.#scale })
        : (selectRows(this.#inputs, positions) as Tensor)
    return { inputs, targets: selectRows(this.#targets, positions) as Targets<K> }
  }

  /** Frees the copy. */
  dispose(): void {
    this.#inputs.dispose()
    this.#targets.dispose()
  }

  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Copies everything, piece by piece; frees everything where that fails. */
  *#copy(): Iterable<void> {
    try {
      yield* copyRows('inputs', this.data.inputs, this.#inputs, this)
      yield* copyRows('targets', this.data.targets, this.#targets, this)
    } catch (error) {
      this.dispose()
      throw error
    }
  }
}

/** Whether they are the examples of a data set, on the backend. */
export function isExamples(value: unknown): value is Examples {
  return isBranded(value, BRAND)
}

function allocate<D extends DType>(dtype: D, shape: Shape): Tensor<D> {
  const storage = within(null, () => new Storage(currentBackend(), dtype, sizeOf(shape)))
  return new Tensor<D>(storage, shape)
}

function* copyRows(
  what: string,
  values: Dataset['inputs'] | Dataset['targets'],
  to: Tensor<DType>,
  { data, rows, size }: Examples,
): Iterable<void> {
  const width = sizeOf(to.shape.slice(1))
  const checkLength = () => {
    if (values.length === data.size * width) return
    throw new ShapeError(
      `DataLoader: expected ${data.size * width} values in ${what} for ${data.size} examples, got ${values.length}`,
    )
  }
  const fitting = Math.floor(PIECE_BYTES / (width * values.BYTES_PER_ELEMENT))
  const perPiece = Math.min(Math.max(fitting, 1), PIECE_ROWS, size)
  // Not `values` itself: it may be a Buffer, and its rows lie elsewhere.
  const piece: TypedArray = new dtypes[to.dtype].array(perPiece * width)
  for (let row = 0; row < size; row += perPiece) {
    // Meanwhile their buffer may have been transferred elsewhere.
    checkLength()
    const count = Math.min(perPiece, size - row)
    if (rows === undefined) piece.set(values.subarray(row * width, (row + count) * width))
    for (let i = 0; rows !== undefined && i < count; i++) {
      const from = rows[row + i]
      piece.set(values.subarray(from * width, (from + 1) * width), i * width)
    }
    to.storage.backend.write(to.handle, piece.subarray(0, count * width), row * width)
    yield
  }
}
