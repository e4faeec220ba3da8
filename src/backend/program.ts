/** What a backend makes of a recorded step: where its buffers lie, and how it is run. */

import type { DType } from './dtype.js'
import type { Handle } from './kernels.js'
import type { TapeStep } from './tape.js'

export interface Place {
  readonly dtype: DType
  readonly length: number
  /** Byte offset in the arena, or undefined for a shared buffer. */
  readonly offset?: number
  readonly shared?: Handle
}

export interface Plan {
  readonly arenaBytes: number
  readonly places: readonly Place[]
  readonly steps: readonly TapeStep[]
  /** Once, before the first iteration and after the last. */
  readonly before: readonly TapeStep[]
  readonly after: readonly TapeStep[]
}

/** Row `iteration` of a table goes into a cell before each iteration, or out of it after each iteration. */
export interface Transfer {
  readonly direction: 'feed' | 'collect'
  /** [iterations, width] */
  readonly table: Handle
  readonly cell: Handle
  readonly width: number
}

/** A compiled plan. While it runs, the buffers that it uses cannot be used otherwise. */
export interface Program {
  /** Runs on this thread and its helpers; returns the iterations done. Throws KernelError. */
  runSync(iterations: number, transfers: readonly Transfer[]): number
  /** Runs beside JavaScript. */
  run(iterations: number, transfers: readonly Transfer[]): Promise<number>
  /** Stops a run after the iteration that is being computed. */
  cancel(): void
  /** Iterations done of the run under way, or else of the last one; 0 where that was refused. */
  progress(): number
  dispose(): void
}
