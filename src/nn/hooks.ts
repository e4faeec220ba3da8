/** Functions that are called before and after the forward pass of a module. */
import { noteRestructured } from '../backend/reads.js'
import { isRecording } from '../backend/record.js'
import { ArgumentError, CaptureError, excerpt } from '../base/errors.js'

/** What `registerForwardHook` and `registerForwardPreHook` return: `remove` takes the hook away. */
export interface HookHandle {
  /** Takes the hook away; a second call does nothing. */
  remove(): void
  /** What `using` calls: `remove`. */
  [Symbol.dispose](): void
}

// biome-ignore lint/suspicious/noExplicitAny: stands for the inputs and outputs of any module
type Value = any
type PreHook = (module: Value, inputs: Value) => Value
type Hook = (module: Value, inputs: Value, outputs: Value) => Value

interface Forwarding {
  forward(...inputs: Value[]): Value
}

/**
 * The hooks of one module. While there are any, a property of the module itself stands before the method
 * `forward`, so that whoever calls it calls them, and calls cost nothing where there are none.
 */
export class Hooks {
  readonly #module: Forwarding
  /** Keyed by what is removed: the same function may be there twice. */
  readonly #before = new Map<HookHandle, PreHook>()
  readonly #after = new Map<HookHandle, Hook>()
  /** Takes `forward` back to what it was. */
  #uninstall = () => {}

  constructor(module: Forwarding) {
    this.#module = module
  }

  addBefore(hook: PreHook): HookHandle {
    return this.#add('registerForwardPreHook', this.#before, hook)
  }

  addAfter(hook: Hook): HookHandle {
    return this.#add('registerForwardHook', this.#after, hook)
  }

  #add<H>(op: string, hooks: Map<HookHandle, H>, hook: H): HookHandle {
    refuseInCapture(op)
    const remove = () => {
      if (!hooks.has(handle)) return
      refuseInCapture('remove')
      hooks.delete(handle)
      if (this.#count === 0) this.#uninstall()
      noteRestructured()
    }
    const handle: HookHandle = { remove, [Symbol.dispose]: remove }
    if (this.#count === 0) this.#install()
    hooks.set(handle, hook)
    noteRestructured()
    return handle
  }

  get #count(): number {
    return this.#before.size + this.#after.size
  }

  #install(): void {
    const module = this.#module
    const { forward } = module
    const own = Object.getOwnPropertyDescriptor(module, 'forward')
    Object.defineProperty(module, 'forward', {
      value: (...inputs: Value[]) => this.#run(forward, inputs),
      configurable: true,
      writable: true,
    })
    this.#uninstall = () => {
      if (own === undefined) Reflect.deleteProperty(module, 'forward')
      else Object.defineProperty(module, 'forward', own)
    }
  }

  #run(forward: Forwarding['forward'], given: Value[]): Value {
    const module = this.#module
    let inputs = given
    // As they are at the beginning: one that registers another does not call it in this pass.
    const [before, after] = [[...this.#before.values()], [...this.#after.values()]]
    for (const hook of before) {
      const changed = hook(module, inputs)
      if (changed !== undefined) inputs = inputsFrom(changed)
    }
    let outputs = forward.apply(module, inputs)
    for (const hook of after) outputs = hook(module, inputs, outputs) ?? outputs
    return outputs
  }
}

function inputsFrom(changed: unknown): Value[] {
  if (Array.isArray(changed)) return changed
  throw new ArgumentError(
    `registerForwardPreHook: expected a hook that returns an array of the inputs, or nothing, got ${excerpt(changed)}`,
  )
}

function refuseInCapture(op: string): void {
  if (!isRecording()) return
  throw new CaptureError(`capture: ${op}() inside would not be repeated; call it outside`)
}
