/**
 * A plan replayed kernel by kernel: the oracle that native programs are compared with. Every buffer
 * has memory of its own; what the arena saves is not this backend's concern.
 */

import { BusyError, KernelError } from '../../base/errors.js'
import { yielder } from '../../base/eventLoop.js'
import type { Backend } from '../backend.js'
import type { Handle, KernelArgs, KernelName } from '../kernels.js'
import {
  hold,
  type Part,
  type Place,
  type Plan,
  type Program,
  sharedIn,
  type Transfer,
  type Turn,
} from '../program.js'
import { uses } from '../tape.js'
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
  #running = false
  #cancelled = false
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
    this.#steps = plan.steps.map(({ kernel, args }) => ({
      kernel,
      args: args.map((value, i) =>
        uses[kernel][i] === 'number' ? value : handles[value],
      ) as unknown as KernelArgs<KernelName>,
    }))
    this.#shared = sharedIn(plan)
  }

  runAlone(): void {
    this.runSync(1, [])
  }

  runSync(iterations: number, transfers: readonly Transfer[]): number {
    const parts = [{ program: this, transfers }]
    const held = this.#begin(parts)
    try {
      for (const kernel of this.#kernelsOf(parts, [{ part: 0, iterations }])) this.#enter(kernel)
      return this.#done
    } finally {
      this.#end(parts, held)
    }
  }

  async runOnce(transfers: readonly Transfer[]): Promise<void> {
    await this.run(1, transfers)
  }

  async run(iterations: number, transfers: readonly Transfer[]): Promise<number> {
    await JsProgram.runInTurns([{ program: this, transfers }], [{ part: 0, iterations }])
    return this.#done
  }

  /** As `Backend` has it. */
  static async runInTurns(given: readonly Part[], turns: readonly Turn[]): Promise<void> {
    const parts = given as readonly JsPart[]
    const [{ program }] = parts
    const held = program.#begin(parts)
    const yieldIfDue = yielder()
    try {
      for (const kernel of program.#kernelsOf(parts, turns)) {
        program.#enter(kernel)
        await yieldIfDue()
      }
    } finally {
      program.#end(parts, held)
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
  #begin(parts: readonly JsPart[]): Holds {
    const held = new Map<Handle, boolean>()
    for (const [i, { program, transfers }] of parts.entries()) {
      const isTwice = parts.slice(0, i).some((part) => part.program === program)
      if (program.#running || isTwice) {
        throw new BusyError('program: it is running already; await that first')
      }
      if (program.#disposed) throw new KernelError('program: it was disposed of')
      program.#cancelled = false
      program.#done = 0
      for (const [handle, writes] of program.#shared) hold(held, handle, writes)
      for (const { direction, table, cell } of transfers) {
        for (const handle of this.buffers ? [table, cell] : []) {
          if (this.buffers?.find(handle)) continue
          throw new KernelError('program: a table or a cell is not a buffer in use')
        }
        hold(held, table, direction === 'collect')
        hold(held, cell, direction === 'feed')
      }
    }
    if (this.buffers?.occupy(held) === false) {
      throw new BusyError(
        'program: expected tensors that are free, got one that an awaited run uses; await that first',
      )
    }
    for (const { program } of parts) program.#running = true
    return held
  }

  #end(parts: readonly JsPart[], held: Holds): void {
    for (const { program } of parts) program.#running = false
    this.buffers?.vacate(held)
    for (const { program } of parts) if (program.#disposed) program.#free()
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

  *#kernelsOf(parts: readonly JsPart[], turns: readonly Turn[]): Iterable<() => void> {
    for (const { part, iterations } of turns) {
      const { program, transfers } = parts[part]
      for (let iteration = 0; iteration < iterations; iteration++) {
        if (parts.some(({ program }) => program.#cancelled)) return
        yield* program.#copies('feed', transfers)
        yield* program.#kernels()
        yield* program.#copies('collect', transfers)
        program.#done++
      }
    }
  }

  *#kernels(): Iterable<() => void> {
    for (const { kernel, args } of this.#steps) yield () => this.#backend.run(kernel, ...args)
  }

  /** A row of each table into its cell, or out of it. */
  *#copies(which: Transfer['direction'], transfers: readonly Transfer[]): Iterable<() => void> {
    for (const { direction, table, cell, width } of transfers) {
      if (direction !== which) continue
      const row = this.#done * width
      const copy: KernelArgs<'copy2d'> =
        which === 'feed'
          ? [table, cell, 1, width, row, width, 0, width]
          : [cell, table, 1, width, 0, width, row, width]
      yield () => this.#backend.run('copy2d', ...copy)
    }
  }
}

/** A part of this backend. */
type JsPart = Part & { readonly program: JsProgram }
