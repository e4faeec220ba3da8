/**
 * A recorded sequence of kernel calls, as plain data: what the planner reads, what can be printed
 * and tested. Buffers are positions in one list; steps name them in place of handles.
 */
import type { DType } from './dtype.js'
import { type Handle, type KernelName, kernels, type NamedArgs } from './kernels.js'

export interface TapeBuffer {
  readonly dtype: DType
  readonly length: number
  /** The buffer's handle where it lives on outside the program, else undefined: made and freed inside. */
  shared?: Handle
  /** Where it is part of another buffer, from this element on; that one comes before and is no view. */
  readonly view?: { readonly of: number; readonly offset: number }
}

/** One kernel call; buffers are positions in the tape's list. */
export interface TapeStep<K extends KernelName = KernelName> {
  readonly kernel: K
  readonly args: readonly number[]
}

export interface Tape {
  readonly buffers: TapeBuffer[]
  /** Of every iteration. */
  readonly steps: TapeStep[]
  /** Weights that the steps want in panels, all of shared buffers. */
  readonly panels?: readonly Panels[]
}

/** A buffer that holds weights [rows, cols] in panels: `PANEL` columns after another. */
export interface Panels {
  readonly buffer: number
  readonly rows: number
  readonly cols: number
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

const names = Object.fromEntries(
  Object.entries(kernels).map(([kernel, rows]) => [kernel, rows.map((row) => row.split(':')[0])]),
) as Record<KernelName, string[]>

/** Whether a step is a call of one of these kernels. */
export function calls<K extends KernelName>(
  step: TapeStep | undefined,
  ...wanted: readonly K[]
): step is TapeStep<K> {
  return step !== undefined && (wanted as readonly KernelName[]).includes(step.kernel)
}

/** The arguments of a step by their names in the kernel table. */
export function argumentsOf<K extends KernelName>({ kernel, args }: TapeStep<K>): NamedArgs<K> {
  return Object.fromEntries(names[kernel].map((name, i) => [name, args[i]])) as NamedArgs<K>
}

/** A step by the names of its arguments; those of other kernels among them are left out. */
export function call<K extends KernelName>(kernel: K, args: NamedArgs<K>): TapeStep<K> {
  const values: Record<string, number> = args
  return { kernel, args: names[kernel].map((name) => values[name]) }
}

/** The steps as text, one per line, with names for the arguments. */
export function formatStep({ kernel, args }: TapeStep, name: (buffer: number) => string): string {
  const parts = args.map((value, i) => {
    return `${names[kernel][i]}=${uses[kernel][i] === 'number' ? value : name(value)}`
  })
  return `${kernel}(${parts.join(', ')})`
}
