/**
 * A plan replayed kernel by kernel: the oracle that native programs are compared with. Every buffer
 * has memory of its own; what the arena saves is not this backend's concern.
 */

import { KernelError } from '../../base/errors.js'
import { yielder } from '../../base/eventLoop.js'
import type { Backend } from '../backend.js'
import type { DType } from '../dtype.js'
import type { Handle, KernelArgs, KernelName } from '../kernels.js'
import type { Plan, Program, Transfer } from '../program.js'
import { type TapeStep, uses } from '../tape.js'
import type { Buffers } from './buffers.js'

interface Step {
  readonly kernel: KernelName
  readonly args: KernelArgs<KernelName>
}

export class JsProgram implements Program {
  readonly #backend: Backend
  readonly #own: Handle[] = []
  readonly #shared: readonly Handle[]
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
    this.#shared = plan.places.flatMap(({ shared }) => shared ?? [])
    const handles = plan.places.map(
      ({ shared, length, dtype }) => shared ?? this.#alloc(length, dtype),
    )
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
    for (const handle of this.#own.splice(0)) this.#backend.release(handle)
  }

  #alloc(length: number, dtype: DType): Handle {
    const handle = this.#backend.alloc(length, dtype)
    this.#own.push(handle)
    return handle
  }

  /** Refuses what cannot run now; the buffers that are held until its end. */
  #begin(transfers: readonly Transfer[]): Handle[] {
    if (this.#running) throw new KernelError('program: it is running already; await run() first')
    if (this.#disposed) throw new KernelError('program: it was disposed of')
    this.#cancelled = false
    this.#begun = false
    this.#done = 0
    const held = [...this.#shared, ...transfers.map(({ table }) => table)]
    if (held.some((handle) => this.buffers?.isBusy(handle))) {
      throw new KernelError(
        'program: one of its buffers is in use by a running program; await that first',
      )
    }
    this.buffers?.hold(held)
    this.#running = true
    return held
  }

  /** What was reached is kept, also where an iteration went wrong. */
  #end(held: readonly Handle[]): void {
    for (const { kernel, args } of this.#begun ? this.#after : []) {
      this.#enter(() => this.#backend.run(kernel, ...args))
    }
    this.#running = false
    this.buffers?.letGo(held)
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
