/** The tensors of a module: parameters, which training changes, and buffers, which it does not. */
import { isFloat } from '../backend/dtype.js'
import { checkFlag, optionsOf } from '../base/arguments.js'
import { isBranded } from '../base/brand.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { isTensor, Tensor } from '../tensor/tensor.js'

const PARAMETER = Symbol.for('neuroblas.Parameter')
const BUFFER = Symbol.for('neuroblas.ModuleBuffer')

/** A tensor that training changes. */
export class Parameter extends Tensor {
  /** Whether L1 and L2 apply to it: weights yes, biases no. */
  readonly regularized: boolean

  /**
   * What `isParameter` asks for.
   * @internal
   */
  get [PARAMETER](): boolean {
    return true
  }

  /**
   * Takes over a tensor's buffer; the tensor itself counts as disposed from then on.
   * @param options.regularized whether L1 and L2 apply to it; true by default
   * @throws ArgumentError for what is no tensor of floats, and for options that do not exist
   */
  constructor(values: Tensor, options: { regularized?: boolean } = {}) {
    const { regularized = true } = optionsOf('Parameter', options, { regularized: true })
    checkFlag('Parameter', 'regularized', regularized)
    if (!isTensor(values)) {
      throw new ArgumentError(`Parameter: expected a tensor, got ${excerpt(values)}`)
    }
    super(values.storage, values.shape)
    values.storage.references++
    values.dispose()
    this.regularized = regularized
    this.requiresGrad = true
  }
}

/**
 * A tensor of a module that is saved, loaded and freed with its parameters but not trained, such as the
 * running statistics of batch norm: what changes it is the module's `forward`.
 */
export class ModuleBuffer extends Tensor {
  /**
   * What `isModuleBuffer` asks for.
   * @internal
   */
  get [BUFFER](): boolean {
    return true
  }

  /**
   * Takes over a tensor's buffer; the tensor itself counts as disposed from then on.
   * @throws ArgumentError for what is no tensor of floats
   */
  constructor(values: Tensor) {
    if (!isTensor(values) || !isFloat(values.dtype)) {
      throw new ArgumentError(`ModuleBuffer: expected a float tensor, got ${excerpt(values)}`)
    }
    super(values.storage, values.shape)
    values.storage.references++
    values.dispose()
  }
}

/** Whether it is a parameter, also one of another copy of the library. */
export function isParameter(value: unknown): value is Parameter {
  return isTensor(value) && isBranded(value, PARAMETER)
}

/** Whether it is a buffer of a module, also one of another copy of the library. */
export function isModuleBuffer(value: unknown): value is ModuleBuffer {
  return isTensor(value) && isBranded(value, BUFFER)
}

/** What an object has the brand of, though it may be no such tensor but a Proxy of one. */
export function tensorKind(item: object): 'Parameter' | 'ModuleBuffer' | undefined {
  if (PARAMETER in item) return 'Parameter'
  return BUFFER in item ? 'ModuleBuffer' : undefined
}
