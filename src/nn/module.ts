/**
 * What a network is made of: modules, which hold parameters, buffers and other modules as properties.
 */
import { noteRead, noteSet } from '../backend/record.js'
import { checkFlag, checkFunction, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { type HookHandle, Hooks } from './hooks.js'
import { refuseTrained } from './lock.js'
import { found, ModuleState } from './moduleState.js'
import {
  examplesOf,
  layerTable,
  ownSizeOf,
  parameterTable,
  type SummaryOptions,
} from './summary.js'
import { MODULE, ownPartsOf, partsOf, isModule as standsFor } from './walk.js'

export type { HookHandle } from './hooks.js'
export { inEval } from './inEval.js'
export { isModuleBuffer, isParameter, ModuleBuffer, Parameter } from './parameter.js'
export type { IncompatibleKeys, ParameterValues } from './stateDict.js'
export type { SummaryInput, SummaryOptions } from './summary.js'

/** A module of any inputs and outputs. */
// biome-ignore lint/suspicious/noExplicitAny: that is what it stands for
export type AnyModule = Module<any, any>

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
export abstract class Module<
  Inputs extends readonly unknown[] = [x: Tensor],
  Outputs = Tensor,
> extends ModuleState {
  #training = true
  #trainable = true
  #hooks: Hooks | undefined

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

  /**
   * Whether training changes it; true at first. A module that is not trainable keeps its parameters, which get
   * no gradients, and a batch norm in it also its running moments: it normalizes by them, as in `eval` and as
   * in Keras. Dropout goes on. (Where only `requiresGrad` of the parameters is switched off, a batch norm
   * keeps following its batches, as in PyTorch.)
   */
  get trainable(): boolean {
    noteRead(this, 'trainable', this.#trainable)
    return this.#trainable
  }

  /**
   * Of this module, all modules inside it and all their parameters; it takes effect with the next step, also
   * of captured functions. Throws ArgumentError for what is no boolean.
   */
  set trainable(trainable: boolean) {
    checkFlag('Module', 'trainable', trainable)
    for (const module of this.namedModules().values()) module.markTrainable(trainable)
    for (const parameter of this.parameters()) parameter.requiresGrad = trainable
  }

  /**
   * Of this module alone, not of its parameters.
   * @internal
   */
  markTrainable(trainable: boolean): void {
    if (trainable === this.#trainable) return
    noteSet(this, 'trainable', this.#trainable)
    this.#trainable = trainable
  }

  /** The same as `trainable = false`. */
  freeze(): this {
    this.trainable = false
    return this
  }

  /** The same as `trainable = true`. */
  unfreeze(): this {
    this.trainable = true
    return this
  }

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

  /**
   * Has a function called after each forward pass, with the module, the array of its inputs, and its outputs;
   * what it returns, where that is not undefined, takes the place of the outputs. A captured function, such as
   * the steps of `fit`, calls it when it is recorded: what it computes is then computed in every run, and
   * reading values is refused.
   * @returns `remove` takes it away
   * @throws ArgumentError for what is no function, CaptureError in a captured function
   * @example
   * const hook = model.layers[1].registerForwardHook((_, __, y) => console.log(y.shape))
   * model.forward(x)
   * hook.remove()
   */
  registerForwardHook(
    // biome-ignore lint/suspicious/noConfusingVoidType: one that only looks need not return anything
    hook: (module: this, inputs: Inputs, outputs: Outputs) => Outputs | undefined | void,
  ): HookHandle {
    checkFunction('registerForwardHook', 'a function of module, inputs and outputs', hook)
    this.#hooks ??= new Hooks(this as AnyModule)
    return this.#hooks.addAfter(hook)
  }

  /**
   * The same before each forward pass, with the module and the array of its inputs; an array that it returns
   * takes their place.
   * @throws ArgumentError for what is no function, and from `forward` when it returns anything else than an
   *   array or undefined; CaptureError in a captured function
   */
  registerForwardPreHook(
    // biome-ignore lint/suspicious/noConfusingVoidType: one that only looks need not return anything
    hook: (module: this, inputs: Inputs) => Inputs | undefined | void,
  ): HookHandle {
    checkFunction('registerForwardPreHook', 'a function of module and inputs', hook)
    this.#hooks ??= new Hooks(this as AnyModule)
    return this.#hooks.addBefore(hook)
  }

  /** Every module inside this one with its path, and this one itself under ''. */
  namedModules(): Map<string, AnyModule> {
    return new Map<string, AnyModule>([['', this], ...found(partsOf(this), isModule)])
  }

  /** The modules of this one that are in no other of them, with their paths. */
  namedChildren(): Map<string, AnyModule> {
    return found(ownPartsOf(this), isModule)
  }

  /** The same without their paths. */
  children(): AnyModule[] {
    return [...this.namedChildren().values()]
  }

  /**
   * Calls a function with every module inside this one, those inside first, and at last with this one.
   * @throws ArgumentError for what is no function
   * @example model.apply((module) => module instanceof Linear && module.weight.assign(init.heNormal(module.weight.shape)))
   */
  apply(fn: (module: AnyModule) => void): this {
    checkFunction('apply', 'a function of a module', fn)
    const seen = new Set<AnyModule>()
    const visit = (module: AnyModule) => {
      if (seen.has(module)) return
      seen.add(module)
      module.children().forEach(visit)
      fn(module)
    }
    visit(this)
    return this
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

  /**
   * Multiplications, each with an addition, of a forward pass that gave these outputs, not of the modules
   * inside: one for each of its own weights and biases, and each example.
   * @internal
   */
  multiplyAdds(outputs: unknown): number {
    return examplesOf(outputs) * ownSizeOf(this)
  }

  /**
   * The parameters and their sizes, as a table. With `input`, the layers: shapes of their outputs, numbers of
   * parameters, and multiply-adds of a forward pass, counted as torchinfo does: each weight and bias once for
   * each example, or place of an image that it is applied to. The model is asked once, about zeros, in
   * `eval`, and left as it was.
   * @param options.input shape of the inputs, the batch included, or the inputs themselves, such as indices;
   *   an array of these for several inputs
   * @throws ArgumentError for what is neither, and what `forward` throws; BusyError as `stateDict`
   * @example console.log(model.summary({ input: [1, 28, 28, 1] }))
   */
  summary(options: SummaryOptions = {}): string {
    const { input } = optionsOf('summary', options, { input: true })
    if (input === undefined) return parameterTable(this)
    refuseTrained('summary', this)
    return layerTable(this as AnyModule, input)
  }
}

/** Whether it is a module, also one of another copy of the library. */
export function isModule(value: unknown): value is Module {
  return standsFor(value)
}

/** @throws ArgumentError for what is no module */
export function checkModule(op: string, value: unknown): void {
  if (isModule(value)) return
  throw new ArgumentError(`${op}: expected a module such as mlp([4, 8, 3]), got ${excerpt(value)}`)
}
