/**
 * A plan replayed kernel by kernel: the oracle that native programs are compared with. Every buffer
 * has memory of its own; what the arena saves is not this backend's concern.
 */

import { BusyError, KernelError } from '../../base/errors.js'
import { yielder } from '../../base/eventLoop.js'
import type { Backend } from '../backend.js'
import type { Handle, KernelArgs, KernelName } from '../kernels.js'
import { hold, type Place, type Plan, type Program, sharedIn, type Transfer } from '../program.js'
import { type TapeStep, uses } from '../tape.js'
import type { Buffers, Holds } from './buffers.js'

interface Step {
  readonly kernel: KernelName
  readonly args: KernelArgs<KernelName>
}

export class JsProgram implements Program {
  readonly #backend: Backend
  /** Buffers and views that are freed with the program. */
  readonly #own: Handle[] = []
  readonly #pinned: Handle[] = []
  /** What the steps use of the outside, and whether they write it. */
  readonly #shared: Map<Handle, boolean>
  readonly #steps: Step[]
  readonly #before: Step[]
  readonly #after: Step[]
  #running = false
  #cancelled = false
  #begun = false
  #disposed = false
  #done = 0

  /** @param buffers where those that a run under way uses are held; not at all by default */
  constructor(
    backend: Backend,
    plan: Plan,
    readonly buffers?: Buffers,
  ) {
    this.#backend = backend
    const handles: Handle[] = []
    try {
      for (const place of plan.places) handles.push(this.#locate(place, handles))
    } catch (error) {
      this.#free()
      throw error
    }
    const resolve = (steps: readonly TapeStep[]) =>
      steps.map(({ kernel, args }) => ({
        kernel,
        args: args.map((value, i) =>
          uses[kernel][i] === 'number' ? value : handles[value],
        ) as unknown as KernelArgs<KernelName>,
      }))
    this.#steps = resolve(plan.steps)
    this.#before = resolve(plan.before)
    this.#after = resolve(plan.after)
    this.#shared = sharedIn(plan)
  }

  runSync(iterations: number, transfers: readonly Transfer[]): number {
    const held = this.#begin(transfers)
    try {
      for (let iteration = 0; iteration < iterations; iteration++) {
        for (const kernel of this.#kernelsOf(iteration, transfers)) this.#enter(kernel)
      }
      return this.#done
    } finally {
      this.#end(held)
    }
  }

  runOnce(transfers: readonly Transfer[]): Promise<number> {
    return this.run(1, transfers)
  }

  async run(iterations: number, transfers: readonly Transfer[]): Promise<number> {
    const held = this.#begin(transfers)
    const yieldIfDue = yielder()
    try {
      for (let iteration = 0; iteration < iterations && !this.#cancelled; iteration++) {
        for (const kernel of this.#kernelsOf(iteration, transfers)) {
          this.#enter(kernel)
          await yieldIfDue()
        }
      }
      return this.#done
    } finally {
      this.#end(held)
    }
  }

  cancel(): void {
    this.#cancelled = true
  }

  progress(): number {
    return this.#done
  }

  dispose(): void {
    this.#cancelled = true
    this.#disposed = true
    if (!this.#running) this.#free()
  }

  #free(): void {
    // Views before what they show.
    for (const handle of this.#own.splice(0).reverse()) this.#backend.release(handle)
    for (const handle of this.#pinned.splice(0)) this.buffers?.unpin(handle)
  }

  /** The buffer of a place; `earlier` are those of the places before it. */
  #locate({ shared, view, length, dtype }: Place, earlier: readonly Handle[]): Handle {
    if (shared !== undefined) {
      this.buffers?.pin(shared)
      this.#pinned.push(shared)
      return shared
    }
    const handle = view
      ? this.#backend.view(earlier[view.of], view.offset, length)
      : this.#backend.alloc(length, dtype)
    this.#own.push(handle)
    return handle
  }

  /** Refuses what cannot run now; the buffers that are held until its end. */
  #begin(transfers: readonly Transfer[]): Holds {
    if (this.#running) throw new BusyError('program: it is running already; await that first')
    if (this.#disposed) throw new KernelError('program: it was disposed of')
    this.#cancelled = false
    this.#begun = false
    this.#done = 0
    const held = new Map(this.#shared)
    for (const { direction, table, cell } of transfers) {
      for (const handle of this.buffers ? [table, cell] : []) {
        if (this.buffers?.find(handle)) continue
        throw new KernelError('program: a table or a cell is not a buffer in use')
      }
      hold(held, table, direction === 'collect')
      hold(held, cell, direction === 'feed')
    }
    if (this.buffers?.occupy(held) === false) {
      throw new BusyError(
        'program: expected tensors that are free, got one that an awaited run uses; await that first',
      )
    }
    this.#running = true
    return held
  }

  /** What was reached is kept, also where an iteration went wrong. */
  #end(held: Holds): void {
    for (const { kernel, args } of this.#begun ? this.#after : []) {
      this.#enter(() => this.#backend.run(kernel, ...args))
    }
    this.#running = false
    this.buffers?.vacate(held)
    if (this.#disposed) this.#free()
  }

  /** Computes with the buffers that are held. */
  #enter(kernel: () => void): void {
    if (this.buffers) this.buffers.entered = true
    try {
      kernel()
    } finally {
      if (this.buffers) this.buffers.entered = false
    }
  }

  *#kernelsOf(iteration: number, transfers: readonly Transfer[]): Iterable<() => void> {
    const backend = this.#backend
    if (iteration === 0) {
      for (const { kernel, args } of this.#before) yield () => backend.run(kernel, ...args)
      this.#begun = true
    }
    for (const { direction, table, cell, width } of transfers) {
      if (direction === 'feed') {
        yield () => backend.run('copy2d', table, cell, 1, width, iteration * width, width, 0, width)
      }
    }
    for (const { kernel, args } of this.#steps) yield () => backend.run(kernel, ...args)
    for (const { direction, table, cell, width } of transfers) {
      if (direction === 'collect') {
        yield () => backend.run('copy2d', cell, table, 1, width, 0, width, iteration * width, width)
      }
    }
    this.#done = iteration + 1
  }
}
