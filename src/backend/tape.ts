/**
 * A recorded sequence of kernel calls, as plain data: what the planner reads, what can be printed
 * and tested. Buffers are positions in one list; steps name them in place of handles.
 */
import type { DType } from './dtype.js'
import { type Handle, type KernelName, kernels } from './kernels.js'

export interface TapeBuffer {
  readonly dtype: DType
  readonly length: number
  /** The buffer's handle where it lives on outside the program, else undefined: made and freed inside. */
  shared?: Handle
  /** Where it is part of another buffer, from this element on; that one comes before and is no view. */
  readonly view?: { readonly of: number; readonly offset: number }
}

/** One kernel call; buffers are positions in the tape's list. */
export interface TapeStep {
  readonly kernel: KernelName
  readonly args: readonly number[]
}

export interface Tape {
  readonly buffers: TapeBuffer[]
  /** Of every iteration. */
  readonly steps: TapeStep[]
  /** Once, before the first iteration and after the last; their buffers keep what they hold in between. */
  readonly before?: readonly TapeStep[]
  readonly after?: readonly TapeStep[]
}

/** How a kernel uses each of its arguments. */
export type Use = 'read' | 'write' | 'update' | 'number'

const useOf: Record<string, Use> = {
  in: 'read',
  out: 'write',
  inout: 'update',
  scratch: 'write',
  size: 'number',
  float: 'number',
}

/** Per kernel, the use of each argument. */
export const uses = Object.fromEntries(
  Object.entries(kernels).map(([name, rows]) => [
    name,
    rows.map((row) => useOf[row.split(':')[1]]),
  ]),
) as Record<KernelName, Use[]>

/** The steps as text, one per line, with names for the arguments. */
export function formatStep({ kernel, args }: TapeStep, name: (buffer: number) => string): string {
  const parts = args.map((value, i) => {
    const label = kernels[kernel][i].split(':')[0]
    return `${label}=${uses[kernel][i] === 'number' ? value : name(value)}`
  })
  return `${kernel}(${parts.join(', ')})`
}
