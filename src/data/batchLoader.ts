/**
 * Where training and evaluation have their batches from: rows that can be gathered, and orders of them. All
 * examples are there at once (`DataLoader`), or one window of them after another (`BlockLoader`).
 */
import type { Generator } from '../tensor/random.js'
import type { Tensor } from '../tensor/tensor.js'
import type { ExampleForm } from './dataset.js'
import type { Batch } from './examples.js'

/** What makes batches. */
export interface BatchLoader {
  /** Examples per batch. */
  readonly batchSize: number
  /** What the examples are, and the targets of those that can be gathered now. */
  readonly data: ExampleForm
  /** Which of those targets belong to the examples, in their order; all of them for undefined. */
  readonly rows: Int32Array | undefined
  /** How many can be gathered now. */
  readonly size: number
  /** Examples of an epoch; undefined until they were counted. */
  readonly total: number | undefined
  /** Batches of an epoch; undefined until they were counted. */
  readonly length: number | undefined
  /** How many epochs can be begun together. */
  readonly epochsAtOnce: number
  /** Draws the orders; undefined where they are the data's own. */
  readonly generator: Generator | undefined
  /** The batch of the examples at these positions. */
  gather(positions: Tensor<'int32'>): Batch
  /**
   * Goes through epochs. What it gives, an order of positions for each of them, holds until more is asked for;
   * more follows where not all examples can be gathered at once.
   * @param first the number of the first epoch, from 1 on
   */
  passes(first: number, epochs: number): AsyncIterable<readonly Tensor<'int32'>[]>
  dispose(): void | Promise<void>
}
