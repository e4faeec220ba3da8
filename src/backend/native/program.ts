/** A compiled plan that lives in the addon. */
import { KernelError } from '../../base/errors.js'
import type { Part, Program, Transfer, Turn } from '../program.js'
import { type Addon, translate } from './addon.js'

/**
 * What awaited runs may compute on this thread in one turn of the event loop, in floating-point
 * operations: some 0.1 ms, where the way to another thread and back takes more than a tenth of that.
 */
const AT_ONCE = 5e5

/** What is left of it in this turn. */
let left = AT_ONCE
/** The next one, once something was taken. */
let nextTurn: Promise<void> | undefined
/** Runs on other threads. */
let running = 0

function toNextTurn(): Promise<void> {
  nextTurn ??= new Promise((resolve) => {
    setImmediate(() => {
      left = AT_ONCE
      nextTurn = undefined
      resolve()
    })
  })
  return nextTurn
}

/** A program in the addon, by its number; see native/napi/capture.h. */
export class NativeProgram implements Program {
  readonly #addon: Addon
  readonly #id: number
  readonly #work: number
  #running = false
  /** Iterations of the last run. */
  #done = 0

  constructor(addon: Addon, id: number, work: number) {
    this.#addon = addon
    this.#id = id
    this.#work = work
  }

  runSync(iterations: number, transfers: readonly Transfer[]): number {
    return this.#runHere(iterations, transfers, false)
  }

  runAlone(): void {
    this.#runHere(1, [], true)
  }

  async runOnce(transfers: readonly Transfer[]): Promise<void> {
    // Not on another thread where a turn's share is used up: that would have done it no sooner.
    while (running === 0 && this.#work > left && this.#work <= AT_ONCE) await toNextTurn()
    if (running > 0 || this.#work > left) {
      await this.run(1, transfers)
      return
    }
    left -= this.#work
    toNextTurn()
    this.#runHere(1, transfers, true)
  }

  #runHere(iterations: number, transfers: readonly Transfer[], isShort: boolean): number {
    // Of a synchronous run that fails nobody asks how far it came.
    this.#done = 0
    const encoded = Float64Array.from(transfers.flatMap(encode))
    try {
      this.#done = this.#addon.runProgram(this.#id, iterations, encoded, isShort)
      return this.#done
    } catch (error) {
      throw translate(error)
    }
  }

  async run(iterations: number, transfers: readonly Transfer[]): Promise<number> {
    const part = { program: this, transfers }
    await NativeProgram.runInTurns(this.#addon, [part], [{ part: 0, iterations }])
    return this.#done
  }

  /** As `Backend` has it. */
  static runInTurns(addon: Addon, parts: readonly Part[], turns: readonly Turn[]): Promise<void> {
    const programs = parts.map(({ program }) => program as NativeProgram)
    return new Promise((resolve, reject) => {
      for (const program of programs) program.#done = 0
      try {
        const ofParts = parts.flatMap(({ transfers }, i) => [
          programs[i].#id,
          transfers.length,
          ...transfers.flatMap(encode),
        ])
        const ofTurns = turns.flatMap(({ part, iterations }) => [part, iterations])
        addon.startPrograms(
          Float64Array.from(ofParts),
          Float64Array.from(ofTurns),
          (error, done) => {
            running--
            for (const [i, program] of programs.entries()) {
              program.#running = false
              program.#done = done[i]
            }
            if (error === null) resolve()
            else reject(new KernelError(error))
          },
        )
        running++
        for (const program of programs) program.#running = true
      } catch (error) {
        reject(translate(error))
      }
    })
  }

  cancel(): void {
    this.#addon.cancelProgram(this.#id)
  }

  progress(): number {
    return this.#running ? this.#addon.progressOf(this.#id) : this.#done
  }

  dispose(): void {
    this.#addon.disposeProgram(this.#id)
  }
}

function encode({ direction, table, cell, width }: Transfer): number[] {
  return [direction === 'feed' ? 0 : 1, table, cell, width]
}
