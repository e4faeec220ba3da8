/**
 * The backend that needs no addon: typed arrays and plain loops, in float32 as the native one and in
 * float64 for gradient checks. It refuses the same handles, dtypes, sizes and indices; it does not
 * check extents (see kernel.ts).
 */

import { BusyError, KernelError } from '../../base/errors.js'
import type { Backend, MemoryUse } from '../backend.js'
import { type DType, dtypes, type TypedArray } from '../dtype.js'
import type { Handle, KernelArgs, KernelName } from '../kernels.js'
import { kernels } from '../kernels.js'
import type { Part, Plan, Program, Turn } from '../program.js'
import type { Tape } from '../tape.js'
import { Buffers } from './buffers.js'
import { jsKernels } from './kernels.js'
import { JsProgram } from './program.js'

/** How one argument is decoded. */
interface Parameter {
  name: string
  use: string
  /** A dtype, or F, N, T or S; of a buffer only. */
  dtype: string
}

/** How the arguments of one kernel are decoded. */
interface Decoding {
  parameters: Parameter[]
  run: (...args: never[]) => void
}

const plans = new Map<string, Decoding>(
  Object.entries(kernels).map(([kernel, row]) => [
    kernel,
    {
      parameters: row.map((parameter) => {
        const [name, use, dtype = ''] = parameter.split(':')
        return { name, use, dtype }
      }),
      run: jsKernels[kernel as KernelName],
    },
  ]),
)

/** The dtypes that each dtype of a row admits. */
const takes: Record<string, (dtype: DType) => boolean> = {
  F: (dtype) => dtypes[dtype].isFloat,
  N: (dtype) => dtypes[dtype].isFloat || dtype === 'int32',
  T: () => true,
  S: () => true,
  int32: (dtype) => dtype === 'int32',
  uint8: (dtype) => dtype === 'uint8',
  float64: (dtype) => dtype === 'float64',
  bool: (dtype) => dtype === 'bool',
}

/** How messages call what is no dtype by itself. */
const wordings: Record<string, string> = {
  F: 'float32 or float64',
  N: 'float32, float64 or int32',
}

function checkSize(kernel: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return
  throw new KernelError(`${kernel}: ${name} must be an integer from 0 to 2^53 - 1, got ${value}`)
}

// Frees the programs of captured functions that nobody can call any more, once the job has ended.
const collected = new FinalizationRegistry<Program>((program) => program.dispose())

export class JsBackend implements Backend {
  readonly name = 'js'
  private readonly buffers = new Buffers()

  alloc(length: number, dtype: DType): Handle {
    return this.buffers.allocate(length, dtype)
  }

  view(handle: Handle, offset: number, length: number): Handle {
    return this.buffers.view(handle, offset, length)
  }

  release(handle: Handle): void {
    if (!this.buffers.release(handle)) {
      throw new KernelError('release: the handle is not a buffer in use')
    }
  }

  own(handle: Handle, owner: object): void {
    if (!this.buffers.own(handle, owner)) {
      throw new KernelError('own: the handle is not a buffer in use')
    }
  }

  disown(handle: Handle): void {
    if (!this.buffers.disown(handle)) {
      throw new KernelError('disown: the handle is not a buffer in use')
    }
  }

  write(handle: Handle, src: TypedArray, offset = 0): void {
    this.transfer('write', handle, src, offset).set(src, offset)
  }

  read(handle: Handle, dst: TypedArray, offset = 0): void {
    const array = this.transfer('read', handle, dst, offset)
    const whole = dst.length === array.length
    dst.set(whole ? array : array.subarray(offset, offset + dst.length))
  }

  run<K extends KernelName>(kernel: K, ...args: KernelArgs<K>): void {
    const plan = plans.get(kernel)
    if (plan === undefined) throw new KernelError(`run: no such kernel, got ${kernel}`)
    this.decode(kernel, plan, args as unknown as unknown[])
    if (writesNothing(plan, args as unknown as unknown[])) return
    plan.run(...(args as never[]))
  }

  memory(): MemoryUse {
    return { ...this.buffers.memory }
  }

  trim(): number {
    return this.buffers.trim()
  }

  /** Kernels over panels are there for comparison with the native ones only. */
  rewrite(tape: Tape): Tape {
    return tape
  }

  compile(plan: Plan, owner?: object): Program {
    if (plan.panels.length > 0) throw new KernelError('program: this backend has no panels')
    const program = new JsProgram(this, plan, this.buffers)
    if (owner) collected.register(owner, program)
    return program
  }

  runInTurns(parts: readonly Part[], turns: readonly Turn[]): Promise<void> {
    return JsProgram.runInTurns(parts, turns)
  }

  /** Replaces handles by arrays and rounds floats, in place. */
  private decode(kernel: string, { parameters }: Decoding, args: unknown[]): void {
    // What each dtype of the row stands for in this call, and the first argument that said so.
    const bound: Record<string, { name: string; dtype: DType }> = {}
    for (const [i, { name, use, dtype }] of parameters.entries()) {
      const value = args[i] as number
      if (use === 'size') checkSize(kernel, name, value)
      else if (use === 'float') {
        // As the addon gets it, where float32 is computed with.
        if (bound.F?.dtype === 'float32') args[i] = Math.fround(value)
      } else {
        const array = this.find(kernel, name, value as Handle, use !== 'in')
        const got = this.buffers.dtypeOf(array)
        if (!takes[dtype](got)) {
          const expected = wordings[dtype] ?? dtype
          throw new KernelError(`${kernel}: ${name} is ${got}, expected ${expected}`)
        }
        bound[dtype] ??= { name, dtype: got }
        if (bound[dtype].dtype !== got) {
          throw new KernelError(`${kernel}: ${bound[dtype].name} and ${name} have different dtypes`)
        }
        args[i] = array
      }
    }
  }

  private find(kernel: string, name: string, handle: Handle, writes: boolean): TypedArray {
    const array = this.buffers.find(handle)
    if (array === undefined) throw new KernelError(`${kernel}: ${name} is not a buffer in use`)
    if (this.buffers.isBusy(handle, writes)) throw busy(kernel)
    return array
  }

  /** The buffer, when the elements of `data` fit it from `offset` on. */
  private transfer(
    operation: 'read' | 'write',
    handle: Handle,
    data: TypedArray,
    offset: number,
  ): TypedArray {
    const array = this.buffers.find(handle)
    if (array === undefined) {
      throw new KernelError(`${operation}: the handle is not a buffer in use`)
    }
    if (this.buffers.isBusy(handle, operation === 'write')) throw busy(operation)
    const dtype = this.buffers.dtypeOf(array)
    if (!(data instanceof dtypes[dtype].array))
      throw new KernelError(`${operation}: the typed array does not hold ${dtype}`)
    if (!(Number.isInteger(offset) && offset >= 0 && offset + data.length <= array.length)) {
      throw new KernelError(`${operation}: elements past the end of a buffer of ${array.length}`)
    }
    return array
  }
}

/**
 * Whether all that a kernel writes has no elements: its loops may go over rows without end then. One that
 * reads indices goes over no more than these, and refuses wrong ones.
 */
function writesNothing({ parameters }: Decoding, args: readonly unknown[]): boolean {
  for (const [i, { use, dtype }] of parameters.entries()) {
    if (use === 'size' || use === 'float') continue
    const isChecked = use !== 'in' || dtype === 'int32'
    if (isChecked && (args[i] as TypedArray).length > 0) return false
  }
  return true
}

function busy(operation: string): BusyError {
  return new BusyError(
    `${operation}: expected tensors that are free, got one that an awaited run uses; await that first`,
  )
}
