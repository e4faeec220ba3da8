/** The native backend: passes numbers to the addon. */
import type { Backend, MemoryUse } from '../backend.js'
import { type DType, dtypes, type TypedArray } from '../dtype.js'
import type { Handle, KernelArgs, KernelName } from '../kernels.js'
import type { Part, Place, Plan, Program, Turn } from '../program.js'
import type { Tape } from '../tape.js'
import { workOf } from '../work.js'
import { type Addon, loadAddon, matchTables, translate, translateAllocation } from './addon.js'
import { keepWeightsInPanels } from './panels.js'
import { NativeProgram } from './program.js'

export class NativeBackend implements Backend {
  readonly name = 'native'
  readonly #addon: Addon
  readonly #mailbox: Float64Array
  readonly #indices: Record<KernelName, number>

  constructor() {
    this.#addon = loadAddon()
    this.#mailbox = this.#addon.mailbox
    this.#indices = matchTables(this.#addon)
  }

  alloc(length: number, dtype: DType): Handle {
    try {
      return this.#addon.alloc(length, dtypes[dtype].code) as Handle
    } catch (error) {
      const bytes = length * (dtypes[dtype]?.bytes ?? 0)
      throw translateAllocation('alloc', `${length} elements of ${dtype}`, bytes, error)
    }
  }

  view(handle: Handle, offset: number, length: number): Handle {
    try {
      return this.#addon.view(handle, offset, length) as Handle
    } catch (error) {
      throw translate(error)
    }
  }

  release(handle: Handle): void {
    try {
      this.#addon.release(handle)
    } catch (error) {
      throw translate(error)
    }
  }

  own(handle: Handle, owner: object): void {
    try {
      this.#addon.own(handle, owner)
    } catch (error) {
      throw translate(error)
    }
  }

  disown(handle: Handle): void {
    try {
      this.#addon.disown(handle)
    } catch (error) {
      throw translate(error)
    }
  }

  write(handle: Handle, src: TypedArray, offset = 0): void {
    try {
      this.#addon.write(handle, src, offset)
    } catch (error) {
      throw translate(error)
    }
  }

  read(handle: Handle, dst: TypedArray, offset = 0): void {
    try {
      this.#addon.read(handle, dst, offset)
    } catch (error) {
      throw translate(error)
    }
  }

  run<K extends KernelName>(kernel: K, ...args: KernelArgs<K>): void {
    const mailbox = this.#mailbox
    const values: readonly number[] = args
    for (let i = 0; i < values.length; i++) mailbox[i] = values[i]
    try {
      this.#addon.run(this.#indices[kernel])
    } catch (error) {
      throw translate(error)
    }
  }

  memory(): MemoryUse {
    return this.#addon.memory()
  }

  trim(): number {
    return this.#addon.trim()
  }

  rewrite(tape: Tape): Tape {
    return this.#addon.engine === 'own' ? keepWeightsInPanels(tape) : tape
  }

  compile(plan: Plan, owner?: object): Program {
    const places = plan.places.flatMap(encodePlace)
    const steps = plan.steps.flatMap(({ kernel, args }) => [this.#indices[kernel], ...args])
    const weights = plan.panels.flatMap(({ buffer, rows, cols }) => [buffer, rows, cols])
    try {
      const id = this.#addon.compile(
        plan.arenaBytes,
        Float64Array.from(places),
        Float64Array.from(steps),
        Float64Array.from(weights),
        owner,
      )
      return new NativeProgram(this.#addon, id, workOf(plan))
    } catch (error) {
      throw translateAllocation('capture', 'the intermediate results', plan.arenaBytes, error)
    }
  }

  runInTurns(parts: readonly Part[], turns: readonly Turn[]): Promise<void> {
    return NativeProgram.runInTurns(this.#addon, parts, turns)
  }
}

/** [kind, where, element offset, length, dtype]; see Program::Place in native/program.h. */
function encodePlace({ dtype, length, offset, shared, view }: Place): number[] {
  const { code } = dtypes[dtype]
  if (shared !== undefined) return [1, shared, 0, length, code]
  return view ? [2, view.of, view.offset, length, code] : [0, offset!, 0, length, code]
}
