/** Losses by their classes, as Keras has them. */
import { refuseUnknown } from '../../internal.js'

export interface LossOptions {
  /** Whether the last layer gives logits, without an activation; false by default. */
  fromLogits?: boolean
}

/** Only what a name alone does not say. */
export abstract class Loss {
  readonly fromLogits: boolean
  constructor(
    readonly name: string,
    options: LossOptions = {},
  ) {
    refuseUnknown(name, options, ['fromLogits'])
    this.fromLogits = options.fromLogits ?? false
  }
}

export class SparseCategoricalCrossentropy extends Loss {
  constructor(options?: LossOptions) {
    super('sparseCategoricalCrossentropy', options)
  }
}

export class CategoricalCrossentropy extends Loss {
  constructor(options?: LossOptions) {
    super('categoricalCrossentropy', options)
  }
}

export class BinaryCrossentropy extends Loss {
  constructor(options?: LossOptions) {
    super('binaryCrossentropy', options)
  }
}
