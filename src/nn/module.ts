/**
 * What a network is made of: modules, which hold parameters, buffers and other modules as properties.
 */
import { types } from 'node:util'
import { isFloat } from '../backend/dtype.js'
import { noteRead, noteSet } from '../backend/record.js'
import { checkFlag, optionsOf } from '../base/arguments.js'
import { isBranded } from '../base/brand.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { checkAssignable } from '../tensor/assignable.js'
import { memoryOf, refuseWriting } from '../tensor/locks.js'
import { isGenerator, type Generator as RandomGenerator } from '../tensor/random.js'
import { format } from '../tensor/shape.js'
import { isTensor, Tensor } from '../tensor/tensor.js'
import { refuseTrained } from './lock.js'
import { StateDict, type StateSource, stateFrom } from './stateDict.js'

export type { ParameterValues } from './stateDict.js'

const PARAMETER = Symbol.for('neuroblas.Parameter')
const BUFFER = Symbol.for('neuroblas.ModuleBuffer')
const MODULE = Symbol.for('neuroblas.Module')

/** @inline */
// biome-ignore lint/suspicious/noExplicitAny: stands for a module of any inputs and outputs
export type AnyModule = Module<any, any>

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

/**
 * Base of all layers and networks; subclasses say what `forward` computes. What is trained, saved and
 * freed are the `Parameter`s in its properties, and those of the modules there, also inside arrays,
 * plain objects, maps and sets; not in `#private` fields, nor tensors that are no `Parameter`. What is
 * saved and freed with them, but not trained, are `ModuleBuffer`s.
 * @example
 * class Residual extends Module {
 *   readonly inner = new Linear(64, 64)
 *   forward(x: Tensor): Tensor {
 *     return x.add(this.inner.forward(x).relu())
 *   }
 * }
 * @example
 * class Gate extends Module<[x: Tensor, gate: Tensor], { y: Tensor; open: Tensor }> { … }
 */
export abstract class Module<Inputs extends readonly unknown[] = [x: Tensor], Outputs = Tensor> {
  /**
   * Whether the module is being trained; some layers behave differently then. `fit` switches it on
   * and off again at its end; `evaluate` leaves it as it was.
   */
  get training(): boolean {
    noteRead(this, 'training', this.#training)
    return this.#training
  }

  /** Of this module alone; `train` and `eval` switch those inside it, too. */
  set training(training: boolean) {
    if (training === this.#training) return
    noteSet(this, 'training', this.#training)
    this.#training = training
  }
  #training = true

  /**
   * What `isModule` asks for.
   * @internal
   */
  get [MODULE](): boolean {
    return true
  }

  /**
   * The outputs for a batch of inputs, which has the batch as its first axis: from one tensor to another
   * in what `fit`, `evaluate` and `Sequential` take; in a loop of your own as the type says.
   */
  abstract forward(...inputs: Inputs): Outputs

  /** Every parameter with its path, such as `layers.0.weight`, in the order of the properties. */
  namedParameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>()
    for (const [path, value] of walk(this, '')) {
      if (isParameter(value)) found.set(path, value)
    }
    return found
  }

  /** Every parameter, each once. */
  parameters(): Parameter[] {
    return [...new Set(this.namedParameters().values())]
  }

  /** Every buffer with its path, such as `layers.1.runningMean`, in the order of the properties. */
  namedBuffers(): Map<string, ModuleBuffer> {
    const found = new Map<string, ModuleBuffer>()
    for (const [path, value] of walk(this, '')) {
      if (isModuleBuffer(value)) found.set(path, value)
    }
    return found
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
    const found = new Map<string, Parameter | ModuleBuffer>()
    for (const [path, value] of walk(this, '')) {
      if (isParameter(value) || isModuleBuffer(value)) found.set(path, value)
    }
    return found
  }

  /** Every module inside this one with its path, and this one itself under ''. */
  namedModules(): Map<string, AnyModule> {
    const found = new Map<string, AnyModule>([['', this]])
    for (const [path, value] of walk(this, '')) if (isModule(value)) found.set(path, value)
    return found
  }

  /** Every random generator with its path: what a checkpoint keeps beside the parameters. */
  namedGenerators(): Map<string, RandomGenerator> {
    const found = new Map<string, RandomGenerator>()
    for (const [path, value] of walk(this, '')) {
      if (isGenerator(value)) found.set(path, value)
    }
    return found
  }

  /** Switches this module and those inside it to training. */
  train(training = true): this {
    for (const module of this.namedModules().values()) module.training = training
    return this
  }

  /** Switches this module and those inside it to inference. */
  eval(): this {
    return this.train(false)
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
   * @throws ArgumentError when a path is missing or unknown, values are no numbers or it is no state,
   *   ShapeError when a shape differs or does not fit its values, BusyError as `stateDict`, and while somebody
   *   awaits what uses a parameter
   */
  loadStateDict(source: StateSource): void {
    const own = this.namedState()
    refuseWriting('loadStateDict', () => memoryOf([...own.values()]))
    const state = stateFrom('loadStateDict', source)
    const unknown = [...state.keys()].filter((path) => !own.has(path))
    const missing = [...own.keys()].filter((path) => !state.has(path))
    if (unknown.length + missing.length > 0) {
      throw new ArgumentError(
        `loadStateDict: expected the parameters ${[...own.keys()].join(', ')}; missing: ${missing.join(', ') || 'none'}, unknown: ${unknown.join(', ') || 'none'}`,
      )
    }
    for (const [path, tensor] of own) {
      checkAssignable('loadStateDict', path, tensor, state.get(path)!)
    }
    for (const [path, tensor] of own) tensor.assign(state.get(path)!.data)
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

  /** Layers and the number of their parameters, as a table. */
  summary(): string {
    const rows = [...this.namedParameters()].map(([path, { shape, size }]) => [
      path,
      format(shape),
      size.toLocaleString('en'),
    ])
    const total = this.parameters().reduce((sum, { size }) => sum + size, 0)
    rows.push(['total', '', total.toLocaleString('en')])
    const widths = [0, 1, 2].map((column) =>
      rows.reduce((most, row) => Math.max(most, row[column].length), 0),
    )
    return rows
      .map(([path, shape, size]) =>
        [path.padEnd(widths[0]), shape.padEnd(widths[1]), size.padStart(widths[2])].join('  '),
      )
      .join('\n')
  }
}

type Part = Parameter | ModuleBuffer | AnyModule | RandomGenerator

/** Every part below a value, with its path; one that is held twice comes once. */
function* walk(
  value: object,
  prefix: string,
  seen = new Set<object>(),
): Generator<[path: string, value: Part]> {
  for (const [key, item] of entriesOf(value)) {
    if (isPart(key)) {
      throw new ArgumentError(
        `Module: expected parts of the model as values, got one as a key of ${prefix.slice(0, -1)}`,
      )
    }
    if (typeof item !== 'object' || item === null || seen.has(item)) continue
    const path = prefix + String(key)
    if (isPart(item)) {
      seen.add(item)
      yield [path, item]
    } else refuseProxy(path, item)
    if (isModule(item) || isContainer(item)) {
      seen.add(item)
      yield* walk(item, `${path}.`, seen)
    }
  }
}

function entriesOf(value: object): Iterable<readonly [key: unknown, item: unknown]> {
  if (types.isMap(value)) return value
  if (types.isSet(value)) return [...value].entries()
  // Parts that symbols name, such as fields that nobody else is to see, are parts, too.
  const symbols = Object.getOwnPropertySymbols(value).filter((name) => isEnumerable(value, name))
  const named = symbols.map((name) => [name.description, value[name as keyof object]] as const)
  return [...Object.entries(value), ...named]
}

function isEnumerable(value: object, name: symbol): boolean {
  return Object.prototype.propertyIsEnumerable.call(value, name)
}

function isPart(item: unknown): item is Part {
  return isParameter(item) || isModuleBuffer(item) || isModule(item) || isGenerator(item)
}

/** A tensor behind a Proxy, as stores that watch objects make them, cannot be trained. */
function refuseProxy(path: string, item: object): void {
  if (!types.isProxy(item) || !(PARAMETER in item || BUFFER in item)) return
  const kind = PARAMETER in item ? 'Parameter' : 'ModuleBuffer'
  throw new ArgumentError(
    `Module: expected a ${kind} at ${path}, got a Proxy of one; keep the model out of what wraps it`,
  )
}

/** Arrays, maps, sets, and objects without a class, of any realm. */
function isContainer(item: object): boolean {
  if (Array.isArray(item) || types.isMap(item) || types.isSet(item)) return true
  const prototype = Object.getPrototypeOf(item)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Whether it is a parameter, also one of another copy of the library. */
export function isParameter(value: unknown): value is Parameter {
  return isTensor(value) && isBranded(value, PARAMETER)
}

/** Whether it is a buffer of a module, also one of another copy of the library. */
export function isModuleBuffer(value: unknown): value is ModuleBuffer {
  return isTensor(value) && isBranded(value, BUFFER)
}

/** Whether it is a module, also one of another copy of the library. */
export function isModule(value: unknown): value is Module {
  return isBranded(value, MODULE)
}

/** @throws ArgumentError for what is no module */
export function checkModule(op: string, value: unknown): void {
  if (isModule(value)) return
  throw new ArgumentError(`${op}: expected a module such as mlp([4, 8, 3]), got ${excerpt(value)}`)
}

/** Does something with a model in `eval`, and leaves it as it was. */
export function inEval<T>(model: AnyModule, fn: () => T): T {
  const trained = [...model.namedModules().values()].filter(({ training }) => training)
  for (const module of trained) module.training = false
  try {
    return fn()
  } finally {
    for (const module of trained) module.training = true
  }
}
