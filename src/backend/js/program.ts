/**
 * A plan replayed kernel by kernel: the oracle that native programs are compared with. Every buffer
 * has memory of its own; what the arena saves is not this backend's concern.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Plan } from '../../capture/plan.js'
import { uses } from '../../capture/tape.js'
import { KernelError } from '../../errors.js'
import type { Backend, DType, Program, Transfer } from '../backend.js'
import type { Handle, KernelArgs, KernelName } from '../kernels.js'

interface Step {
  readonly kernel: KernelName
  readonly args: KernelArgs<KernelName>
}

export class JsProgram implements Program {
  readonly #backend: Backend
  readonly #own: Handle[] = []
  readonly #steps: Step[]
  #running = false
  #cancelled = false
  #disposed = false
  #done = 0

  constructor(backend: Backend, plan: Plan) {
    this.#backend = backend
    const handles = plan.places.map(
      ({ shared, length, dtype }) => shared ?? this.#alloc(length, dtype),
    )
    this.#steps = plan.steps.map(({ kernel, args }) => ({
      kernel,
      args: args.map((value, i) =>
        uses[kernel][i] === 'number' ? value : handles[value],
      ) as unknown as KernelArgs<KernelName>,
    }))
  }

  runSync(passes: number, transfers: readonly Transfer[]): number {
    this.#begin()
    try {
      for (let pass = 0; pass < passes; pass++) this.#pass(pass, transfers)
      return passes
    } finally {
      this.#end()
    }
  }

  async run(passes: number, transfers: readonly Transfer[]): Promise<number> {
    this.#begin()
    try {
      for (let pass = 0; pass < passes && !this.#cancelled; pass++) {
        this.#pass(pass, transfers)
        await nextTurn()
      }
      return this.#done
    } finally {
      this.#end()
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

  #begin(): void {
    if (this.#running) throw new KernelError('program: it is running already; await run() first')
    if (this.#disposed) throw new KernelError('program: it was disposed of')
    this.#running = true
    this.#cancelled = false
    this.#done = 0
  }

  #end(): void {
    this.#running = false
    if (this.#disposed) this.#free()
  }

  #pass(pass: number, transfers: readonly Transfer[]): void {
    const backend = this.#backend
    const copy = ({ table, cell, width }: Transfer, toCell: boolean) =>
      toCell
        ? backend.run('copy2d', table, cell, 1, width, pass * width, width, 0, width)
        : backend.run('copy2d', cell, table, 1, width, 0, width, pass * width, width)
    for (const t of transfers) if (t.direction === 'feed') copy(t, true)
    for (const { kernel, args } of this.#steps) backend.run(kernel, ...args)
    for (const t of transfers) if (t.direction === 'collect') copy(t, false)
    this.#done = pass + 1
  }
}
