/** The tensors that are in a module: found by their paths, saved, loaded and freed. */
import { checkFlag, optionsOf } from '../base/arguments.js'
import { isGenerator, type Generator as RandomGenerator } from '../tensor/random.js'
import { refuseTrained } from './lock.js'
import { isModuleBuffer, isParameter, type ModuleBuffer, type Parameter } from './parameter.js'
import { type IncompatibleKeys, loadInto, StateDict, type StateSource } from './stateDict.js'
import { allPathsOf, partsOf } from './walk.js'

/** What a `Module` does with the parameters, buffers and random generators below it. */
export abstract class ModuleState {
  /** Every parameter with its path, such as `layers.0.weight`, in the order of the properties. */
  namedParameters(): Map<string, Parameter> {
    return found(partsOf(this), isParameter)
  }

  /** Every parameter, each once. */
  parameters(): Parameter[] {
    return [...new Set(this.namedParameters().values())]
  }

  /** Every buffer with its path, such as `layers.1.runningMean`, in the order of the properties. */
  namedBuffers(): Map<string, ModuleBuffer> {
    return found(partsOf(this), isModuleBuffer)
  }

  /** Every buffer, each once. */
  buffers(): ModuleBuffer[] {
    return [...this.namedBuffers().values()]
  }

  /**
   * All that a state holds, parameters and buffers, by path and in the order of the properties.
   * @internal
   */
  namedState(): Map<string, Parameter | ModuleBuffer> {
    return found(partsOf(this), isState)
  }

  /**
   * The same under every path that leads there: one that two modules share comes twice.
   * @internal
   */
  allState(): Map<string, Parameter | ModuleBuffer> {
    return found(allPathsOf(this), isState)
  }

  /** Every random generator with its path: what a checkpoint keeps beside the parameters. */
  namedGenerators(): Map<string, RandomGenerator> {
    return found(partsOf(this), isGenerator)
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) {
      parameter.grad?.dispose()
      parameter.grad = null
    }
  }

  /**
   * Copies of the values of all parameters and buffers, by path: what `loadStateDict` takes. `JSON.stringify` writes it, and
   * `loadStateDict` takes what `JSON.parse` reads.
   * @throws BusyError while the model is being trained, but for the training's callbacks
   */
  stateDict(): StateDict {
    refuseTrained('stateDict', this)
    const state = new StateDict()
    for (const [path, tensor] of this.namedState()) {
      state.set(path, { shape: tensor.shape, data: tensor.data() })
    }
    return state
  }

  /**
   * Overwrites all parameters and buffers. Nothing is changed when something does not fit.
   * @param options.strict whether both must have the same names; true by default. False overwrites those that
   *   both have.
   * @returns the names that only one of them has: none, unless `strict` is false
   * @throws ArgumentError when a path is missing or unexpected, values are no numbers or it is no state,
   *   ShapeError when a shape differs or does not fit its values, BusyError as `stateDict`, and while somebody
   *   awaits what uses a parameter
   * @example const { missing } = model.loadStateDict(state, { strict: false })
   */
  loadStateDict(source: StateSource, options: { strict?: boolean } = {}): IncompatibleKeys {
    const { strict = true } = optionsOf('loadStateDict', options, { strict: true })
    checkFlag('loadStateDict', 'strict', strict)
    return loadInto(this.namedState(), source, strict)
  }

  /** Frees all parameters and their gradients, buffers, and what generators hold. */
  dispose(): void {
    this.zeroGrad()
    for (const tensor of this.namedState().values()) tensor.dispose()
    for (const generator of this.namedGenerators().values()) generator.dispose()
  }

  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Those parts that are of one kind. */
export function found<T>(
  parts: Iterable<readonly [path: string, part: unknown]>,
  isOne: (part: unknown) => part is T,
): Map<string, T> {
  return new Map([...parts].filter((entry): entry is [string, T] => isOne(entry[1])))
}

const isState = (part: unknown): part is Parameter | ModuleBuffer =>
  isParameter(part) || isModuleBuffer(part)
