/**
 * Plans and programs: where the buffers of a recorded step lie in memory, and how the step is run.
 */

import type { DType } from './dtype.js'
import type { Handle } from './kernels.js'
import { type Panels, type TapeStep, uses } from './tape.js'

/** Where a buffer of a program lives: one of `offset`, `shared` and `view`. */
export interface Place {
  readonly dtype: DType
  readonly length: number
  /** In the arena, from this byte on. */
  readonly offset?: number
  /** In a buffer that lives on outside, with that one's length and dtype. */
  readonly shared?: Handle
  /** In another place, which comes before it in the list, from this element on. */
  readonly view?: { readonly of: number; readonly offset: number }
}

export interface Plan {
  readonly arenaBytes: number
  readonly places: readonly Place[]
  readonly steps: readonly TapeStep[]
  /** Places that the steps want in panels. */
  readonly panels: readonly Panels[]
}

/** Row `iteration` of a table goes into a cell before each iteration, or out of it after each iteration. */
export interface Transfer {
  readonly direction: 'feed' | 'collect'
  /** [iterations, width] */
  readonly table: Handle
  readonly cell: Handle
  readonly width: number
}

/** A program in a run with others: its tables have a row for each iteration of all its turns. */
export interface Part {
  readonly program: Program
  readonly transfers: readonly Transfer[]
}

/** A part of a run, by its position, and for how many iterations it goes on. */
export interface Turn {
  readonly part: number
  readonly iterations: number
}

/**
 * A compiled plan. While it runs, the buffers that it writes cannot be used otherwise, and those that it
 * only reads can be read.
 */
export interface Program {
  /** Runs on this thread and its helpers; returns the iterations done. Throws KernelError. */
  runSync(iterations: number, transfers: readonly Transfer[]): number
  /** One iteration on this thread alone, which waits for nobody else's threads: for what is short. */
  runAlone(): void
  /**
   * One iteration beside JavaScript; if it is short and nothing else runs, at once on this thread instead, as
   * far as that does not hold up the event loop.
   */
  runOnce(transfers: readonly Transfer[]): Promise<unknown>
  /** Runs beside JavaScript. */
  run(iterations: number, transfers: readonly Transfer[]): Promise<number>
  /** Stops the run that it is part of after the iteration that is being computed. */
  cancel(): void
  /** Its iterations done in the run under way, or else in the last one; 0 where that was refused. */
  progress(): number
  dispose(): void
}

/** What the steps of a plan use of the outside, and whether they write it; views count as their roots. */
export function sharedIn({ places, steps }: Plan): Map<Handle, boolean> {
  const rootOf = (place: Place): Place => (place.view ? rootOf(places[place.view.of]) : place)
  const held = new Map<Handle, boolean>()
  for (const { kernel, args } of steps) {
    for (const [i, value] of args.entries()) {
      const use = uses[kernel][i]
      if (use === 'number') continue
      const { shared } = rootOf(places[value])
      if (shared !== undefined) hold(held, shared, use !== 'read')
    }
  }
  return held
}

/** Adds a use to those of a buffer. */
export function hold(held: Map<Handle, boolean>, handle: Handle, writes: boolean): void {
  held.set(handle, writes || held.get(handle) === true)
}
