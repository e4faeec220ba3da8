/**
 * The backend that needs no addon: typed arrays and plain loops, float32 as the native one or
 * float64 for gradient checks. It refuses the same handles, dtypes, sizes and indices; it does not
 * check extents (see kernel.ts).
 */

import { KernelError } from '../../base/errors.js'
import type { Backend, MemoryUse } from '../backend.js'
import type { DType, Precision, TypedArray } from '../dtype.js'
import type { Handle, KernelArgs, KernelName } from '../kernels.js'
import { kernels } from '../kernels.js'
import type { Plan, Program } from '../program.js'
import { Buffers, dtypeOf } from './buffers.js'
import type { Kind } from './kernel.js'
import { jsKernels } from './kernels.js'
import { JsProgram } from './program.js'

/** How the arguments of one kernel are decoded. */
interface Decoding {
  names: string[]
  kinds: Kind[]
  run: (...args: never[]) => void
}

const dtypeOfKind: Partial<Record<Kind, DType>> = {
  in: 'float32',
  out: 'float32',
  inout: 'float32',
  scratch: 'float32',
  ints: 'int32',
  intsOut: 'int32',
  intsInout: 'int32',
  bytes: 'uint8',
}

const plans = new Map<string, Decoding>(
  Object.entries(kernels).map(([kernel, row]) => [
    kernel,
    {
      names: row.map((parameter) => parameter.split(':')[0]),
      kinds: row.map((parameter) => parameter.split(':')[1] as Kind),
      run: jsKernels[kernel as KernelName],
    },
  ]),
)

export class JsBackend implements Backend {
  readonly name = 'js'
  private readonly buffers: Buffers

  /** They are there for comparison with the native ones. */
  readonly prefersPanels = false

  constructor(readonly precision: Precision = 'float32') {
    this.buffers = new Buffers(precision)
  }

  alloc(length: number, dtype: DType): Handle {
    return this.buffers.allocate(length, dtype)
  }

  release(handle: Handle): void {
    if (!this.buffers.release(handle)) {
      throw new KernelError('release: the handle is not a buffer in use')
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
    plan.run(...(args as never[]))
  }

  memory(): MemoryUse {
    return { ...this.buffers.memory }
  }

  compile(plan: Plan): Program {
    return new JsProgram(this, plan, this.buffers)
  }

  /** Replaces handles by arrays and rounds floats, in place. */
  private decode(kernel: string, plan: Decoding, args: unknown[]): void {
    const { kinds, names } = plan
    let anyPosition = -1
    for (let i = 0; i < kinds.length; i++) {
      const kind = kinds[i]
      const value = args[i] as number
      if (kind === 'size') {
        if (!(Number.isSafeInteger(value) && value >= 0)) {
          throw new KernelError(
            `${kernel}: ${names[i]} must be an integer from 0 to 2^53 - 1, got ${value}`,
          )
        }
      } else if (kind === 'float') {
        if (this.precision === 'float32') args[i] = Math.fround(value)
      } else {
        const array = this.buffers.find(value as Handle)
        if (array === undefined) {
          throw new KernelError(`${kernel}: ${names[i]} is not a buffer in use`)
        }
        if (this.buffers.isBusy(value as Handle)) throw busy(kernel, names[i])
        const expected = dtypeOfKind[kind]
        if (expected !== undefined && dtypeOf(array) !== expected) {
          throw new KernelError(`${kernel}: ${names[i]} is ${dtypeOf(array)}, expected ${expected}`)
        }
        if (expected === undefined) {
          if (anyPosition >= 0 && dtypeOf(args[anyPosition] as TypedArray) !== dtypeOf(array)) {
            throw new KernelError(
              `${kernel}: ${names[anyPosition]} and ${names[i]} have different dtypes`,
            )
          }
          anyPosition = i
        }
        args[i] = array
      }
    }
  }

  /** The buffer, when the elements of `data` fit it from `offset` on. */
  private transfer(
    operation: string,
    handle: Handle,
    data: TypedArray,
    offset: number,
  ): TypedArray {
    const array = this.buffers.find(handle)
    if (array === undefined) {
      throw new KernelError(`${operation}: the handle is not a buffer in use`)
    }
    if (this.buffers.isBusy(handle)) throw busy(operation, 'the buffer')
    const converts = array instanceof Float64Array && data instanceof Float32Array
    if (!converts && data?.constructor !== array.constructor) {
      throw new KernelError(`${operation}: the typed array does not hold ${dtypeOf(array)}`)
    }
    if (!(Number.isInteger(offset) && offset >= 0 && offset + data.length <= array.length)) {
      throw new KernelError(`${operation}: elements past the end of a buffer of ${array.length}`)
    }
    return array
  }
}

function busy(operation: string, name: string): KernelError {
  return new KernelError(`${operation}: ${name} is in use by a running program; await run() first`)
}
