/** Losses by their classes, as Keras has them. */
import { checkFlag, optionsOf } from '../../internal.js'

/** Settings of a loss. */
export interface LossOptions {
  /** Whether the last layer gives logits, without an activation; false by default. */
  fromLogits?: boolean
}

/** Base of the losses as objects: what a name alone does not say. */
export abstract class Loss {
  /** Whether the last layer gives logits, without an activation. */
  readonly fromLogits: boolean
  /**
   * A loss of a name.
   * @throws ArgumentError for options that do not exist
   */
  constructor(
    /** The name that `compile` knows it by. */
    readonly name: string,
    options: LossOptions = {},
  ) {
    const { fromLogits = false } = optionsOf(name, options, { fromLogits: true })
    checkFlag(name, 'fromLogits', fromLogits)
    this.fromLogits = fromLogits
  }
}

/** Softmax cross-entropy for class labels [batch]. */
export class SparseCategoricalCrossentropy extends Loss {
  /**
   * Takes probabilities unless it is told otherwise.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options?: LossOptions) {
    super('sparseCategoricalCrossentropy', options)
  }
}

/** Softmax cross-entropy for probabilities [batch, classes]. */
export class CategoricalCrossentropy extends Loss {
  /**
   * Takes probabilities unless it is told otherwise.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options?: LossOptions) {
    super('categoricalCrossentropy', options)
  }
}

/** Cross-entropy of sigmoid outputs for targets from 0 to 1, in their shape. */
export class BinaryCrossentropy extends Loss {
  /**
   * Takes probabilities unless it is told otherwise.
   * @throws ArgumentError for options that do not exist
   */
  constructor(options?: LossOptions) {
    super('binaryCrossentropy', options)
  }
}
