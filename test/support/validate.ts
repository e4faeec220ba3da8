/**
 * A backend for tests and debugging: every kernel runs on two backends and what they wrote is
 * compared, element by element over whole buffers, so that a write past an extent shows too. The
 * results of the first one count; the second gets a copy, so that differences do not add up.
 */

import type { Backend, MemoryUse } from '../../lib/backend/backend.js'
import { type DType, dtypes, type TypedArray } from '../../lib/backend/dtype.js'
import { JsProgram } from '../../lib/backend/js/program.js'
import {
  type Handle,
  type KernelArgs,
  type KernelName,
  kernels,
} from '../../lib/backend/kernels.js'
import type { Part, Plan, Program, Turn } from '../../lib/backend/program.js'
import type { Tape } from '../../lib/backend/tape.js'
import { KernelError, NeuroblasError } from '../../lib/base/errors.js'
import { type Call, tolerances } from './tolerance.js'

/** Two backends do not agree. */
export class MismatchError extends NeuroblasError {}

/** The twin of a buffer on the reference backend. */
interface Twin {
  handle: Handle
  length: number
  dtype: DType
}

export class ValidatingBackend implements Backend {
  readonly name
  private readonly twins = new Map<Handle, Twin>()

  /** @param isWide whether the reference computes in float64 what the other computes in float32 */
  constructor(
    private readonly tested: Backend,
    private readonly reference: Backend,
    private readonly isWide = false,
  ) {
    this.name = tested.name
  }

  alloc(length: number, dtype: DType): Handle {
    const handle = this.tested.alloc(length, dtype)
    this.twins.set(handle, {
      handle: this.reference.alloc(length, this.twinDType(dtype)),
      length,
      dtype,
    })
    // What is in a new buffer is undefined, but must not differ.
    this.copyToTwin(handle)
    return handle
  }

  view(handle: Handle, offset: number, length: number): Handle {
    const { handle: twin, dtype } = this.twin(handle)
    const view = this.tested.view(handle, offset, length)
    this.twins.set(view, { handle: this.reference.view(twin, offset, length), length, dtype })
    return view
  }

  release(handle: Handle): void {
    this.tested.release(handle)
    this.reference.release(this.twin(handle).handle)
    this.twins.delete(handle)
  }

  /** What is not released stays: tests make little. */
  own(): void {}
  disown(): void {}

  write(handle: Handle, src: TypedArray, offset?: number): void {
    this.tested.write(handle, src, offset)
    this.copyToTwin(handle)
  }

  read(handle: Handle, dst: TypedArray, offset?: number): void {
    this.tested.read(handle, dst, offset)
  }

  run<K extends KernelName>(kernel: K, ...args: KernelArgs<K>): void {
    const parameters = kernels[kernel].map((row) => row.split(':') as [string, string])
    const numbers: readonly number[] = args
    const call = this.snapshot(kernel, parameters, numbers)
    this.tested.run(kernel, ...args)
    this.runReference(kernel, parameters, numbers)
    for (const [i, [name, kind]] of parameters.entries()) {
      if (!/out$/.test(kind)) continue
      this.compare(kernel, name, numbers[i] as Handle, call)
      this.copyToTwin(numbers[i] as Handle)
    }
  }

  rewrite(tape: Tape): Tape {
    return this.tested.rewrite(tape)
  }

  /** Replayed kernel by kernel, each of them compared. */
  compile(plan: Plan): Program {
    return new JsProgram(this, plan)
  }

  runInTurns(parts: readonly Part[], turns: readonly Turn[]): Promise<void> {
    return JsProgram.runInTurns(parts, turns)
  }

  memory(): MemoryUse {
    return this.tested.memory()
  }

  trim(): number {
    return this.tested.trim()
  }

  /** Inputs before they may be overwritten, for kernels whose tolerance asks for them. */
  private snapshot(kernel: KernelName, parameters: [string, string][], args: readonly number[]) {
    const numbers = new Map<string, number>()
    const arrays = new Map<string, TypedArray>()
    for (const [i, [name, kind]] of parameters.entries()) {
      if (kind === 'size' || kind === 'float') numbers.set(name, args[i])
      else if (tolerances[kernel]?.magnitude && this.twins.has(args[i] as Handle)) {
        arrays.set(name, this.contents(this.tested, args[i] as Handle))
      }
    }
    return {
      number: (name) => numbers.get(name) as number,
      values: (name) => arrays.get(name) as TypedArray,
    } satisfies Call
  }

  private runReference(
    kernel: KernelName,
    parameters: [string, string][],
    args: readonly number[],
  ): void {
    const twinArgs = args.map((value, i) => {
      const kind = parameters[i][1]
      return kind === 'size' || kind === 'float' ? value : this.twin(value as Handle).handle
    })
    try {
      this.reference.run(kernel, ...(twinArgs as unknown as KernelArgs<KernelName>))
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      throw new MismatchError(
        `${kernel}: ${this.tested.name} ran, ${this.reference.name} refused: ${error.message}`,
        { cause: error },
      )
    }
  }

  private compare(kernel: KernelName, output: string, handle: Handle, call: Call): void {
    const got = this.contents(this.tested, handle)
    const expected = this.contents(this.reference, handle)
    const narrow = got instanceof Float32Array
    const tolerance = narrow ? tolerances[kernel] : undefined
    const ulps = typeof tolerance?.ulps === 'function' ? tolerance.ulps(call) : tolerance?.ulps
    const magnitude = tolerance?.magnitude?.(call, output)
    // Denormals have no smaller step than 2^-149.
    const allow = (size: number) => (ulps ?? 0) * Math.max(2 ** -23 * size, 2 ** -149)
    for (let i = 0; i < got.length; i++) {
      const rounded = narrow ? Math.fround(expected[i]) : expected[i]
      if (Object.is(got[i], rounded)) continue
      const difference = Math.abs(got[i] - rounded)
      let allowed = allow(Math.abs(rounded))
      if (ulps !== undefined && difference <= allowed) continue
      // Never less than |expected|, and not always cheap.
      allowed = allow(magnitude?.(i, expected[i]) ?? Math.abs(rounded))
      if (ulps !== undefined && difference <= allowed) continue
      throw new MismatchError(
        `${kernel}: ${output}[${i}] is ${got[i]} on ${this.label(this.tested)}, ` +
          `expected ${rounded} ± ${allowed} as on ${this.label(this.reference)}`,
      )
    }
  }

  private label(backend: Backend): string {
    return backend === this.reference && this.isWide ? `${backend.name} in float64` : backend.name
  }

  /** What the reference has in place of a dtype. */
  private twinDType(dtype: DType): DType {
    return this.isWide && dtype === 'float32' ? 'float64' : dtype
  }

  private twin(handle: Handle): Twin {
    const twin = this.twins.get(handle)
    if (twin === undefined) throw new KernelError('the handle is not a buffer in use')
    return twin
  }

  /** All elements of the buffer or of its twin. */
  private contents(backend: Backend, handle: Handle): TypedArray {
    const { length, dtype, handle: twin } = this.twin(handle)
    const isTwin = backend === this.reference
    const array = new dtypes[isTwin ? this.twinDType(dtype) : dtype].array(length)
    backend.read(isTwin ? twin : handle, array)
    return array
  }

  private copyToTwin(handle: Handle): void {
    const { handle: twin, dtype } = this.twin(handle)
    const values = this.contents(this.tested, handle)
    const { array } = dtypes[this.twinDType(dtype)]
    this.reference.write(twin, values instanceof array ? values : array.from(values))
  }
}
