/** Losses by their classes, as Keras has them. */
import {
  type Loss as EngineLoss,
  sigmoidFocalLoss,
  softmaxCrossEntropyLoss,
  softmaxFocalLoss,
  type TargetKind,
} from '../../index.js'
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
    /**
     * What is computed, from logits; by default what the name stands for.
     * @internal
     */
    readonly engine?: EngineLoss<TargetKind>,
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

/** Settings of `CategoricalCrossentropy`. */
export interface CategoricalCrossentropyOptions extends LossOptions {
  /** Share of each target that is spread over all classes alike, from 0 (the default) to 1. */
  labelSmoothing?: number
}

/** Softmax cross-entropy for probabilities [batch, classes]. */
export class CategoricalCrossentropy extends Loss {
  /**
   * Takes probabilities unless it is told otherwise.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: CategoricalCrossentropyOptions = {}) {
    const name = 'categoricalCrossentropy'
    const known = { fromLogits: true, labelSmoothing: true } as const
    const { fromLogits, labelSmoothing } = optionsOf(name, options, known)
    super(name, { fromLogits }, softmaxCrossEntropyLoss({ labelSmoothing }))
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

/** Settings of focal losses. */
export interface FocalOptions extends LossOptions {
  /** The weight of class 1, or of all classes; 0.25 by default. */
  alpha?: number
  /** How much less what is classified well counts, >= 0; 2 by default. */
  gamma?: number
}

/** Focal loss of sigmoid outputs for targets from 0 to 1, in their shape. */
export class BinaryFocalCrossentropy extends Loss {
  /**
   * Takes probabilities unless it is told otherwise.
   * @param options.applyClassBalancing whether alpha counts; false by default
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: FocalOptions & { applyClassBalancing?: boolean } = {}) {
    const name = 'binaryFocalCrossentropy'
    const known = { fromLogits: true, alpha: true, gamma: true, applyClassBalancing: true } as const
    const given = optionsOf(name, options, known)
    const { fromLogits, alpha = 0.25, gamma, applyClassBalancing = false } = given
    checkFlag(name, 'applyClassBalancing', applyClassBalancing)
    const balanced = sigmoidFocalLoss({ alpha, gamma })
    super(name, { fromLogits }, applyClassBalancing ? balanced : sigmoidFocalLoss({ gamma }))
  }
}

/** Focal loss of softmax outputs for probabilities [batch, classes]. */
export class CategoricalFocalCrossentropy extends Loss {
  /**
   * Takes probabilities unless it is told otherwise.
   * @throws ArgumentError for options that do not exist or are out of range
   */
  constructor(options: FocalOptions = {}) {
    const name = 'categoricalFocalCrossentropy'
    const known = { fromLogits: true, alpha: true, gamma: true } as const
    const { fromLogits, alpha = 0.25, gamma } = optionsOf(name, options, known)
    super(name, { fromLogits }, softmaxFocalLoss({ alpha, gamma }))
  }
}
