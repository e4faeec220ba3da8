/** Small tapes by the names of their buffers, and what they leave behind. */
import { currentBackend } from '../../lib/backend/current.js'
import type { Handle, KernelName } from '../../lib/backend/kernels.js'
import type { Tape, TapeBuffer } from '../../lib/backend/tape.js'
import { plan } from '../../lib/capture/plan.js'

/** A kernel, and buffers by name between its numbers. */
export type Call = [KernelName, ...(string | number)[]]

/** Lengths of the buffers from outside, and of those that are made and freed inside. */
export interface TapeSizes {
  outside: Readonly<Record<string, number>>
  inside: Readonly<Record<string, number>>
}

/**
 * With the outside buffers on the current backend, the same at the start of every run; one of the
 * others may stay.
 */
export function recordCalls(
  { outside, inside }: TapeSizes,
  calls: readonly Call[],
  stays?: string,
): Tape {
  const backend = currentBackend()
  const buffers = Object.entries({ ...outside, ...inside }).map(([name, length]): TapeBuffer => {
    if (name in inside && name !== stays) return { dtype: 'float32', length }
    const shared = backend.alloc(length, 'float32')
    const values = Float32Array.from({ length }, (_, i) => ((i * 37 + length) % 23) / 11 - 1)
    if (name === 'settings') values.set([0.125, 0.5, 0, 0.25, 0.125, 0.0625])
    // Adam's mean of squares.
    if (name === 'squares') values.set(values.map(Math.abs))
    backend.write(shared, values)
    return { dtype: 'float32', length, shared }
  })
  const names = Object.keys({ ...outside, ...inside })
  const steps = calls.map(([kernel, ...args]) => ({
    kernel,
    args: args.map((arg) => (typeof arg === 'string' ? names.indexOf(arg) : arg)),
  }))
  return { buffers, steps }
}

export const kernelsOf = ({ steps }: Tape): KernelName[] => steps.map(({ kernel }) => kernel)

/** What all outside buffers hold after the tape, rewritten or not; they are released. */
export function resultsOf(tape: Tape, rewrite: (tape: Tape) => Tape = (same) => same): number[] {
  const backend = currentBackend()
  const program = backend.compile(plan(rewrite(tape)))
  program.runSync(1, [])
  program.dispose()
  return tape.buffers.flatMap(({ shared, length }) => {
    if (shared === undefined) return []
    const values = new Float32Array(length)
    backend.read(shared, values)
    backend.release(shared as Handle)
    return [...values]
  })
}
