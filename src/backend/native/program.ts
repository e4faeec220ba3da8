/** A compiled plan that lives in the addon. */
import { KernelError } from '../../base/errors.js'
import type { Program, Transfer } from '../program.js'
import { type Addon, translate } from './addon.js'

/**
 * What awaited runs may compute on this thread in one turn of the event loop, in floating-point
 * operations: some 0.1 ms, where the way to another thread and back takes a tenth of that.
 */
const AT_ONCE = 5e5

/** What is left of it in this turn. */
let left = AT_ONCE
/** Runs on other threads. */
let running = 0

/** Takes a part of it, unless other runs are under way or it is used up. */
function takeWork(work: number): boolean {
  if (running > 0 || work > left) return false
  // The first of a turn.
  if (left === AT_ONCE) setImmediate(renewWork)
  left -= work
  return true
}

function renewWork(): void {
  left = AT_ONCE
}

/** A program in the addon, by its number; see native/napi/capture.h. */
export class NativeProgram implements Program {
  readonly #addon: Addon
  readonly #id: number
  readonly #work: number
  #running = false
  /** Passes of the last run. */
  #done = 0

  constructor(addon: Addon, id: number, work: number) {
    this.#addon = addon
    this.#id = id
    this.#work = work
  }

  runSync(passes: number, transfers: readonly Transfer[]): number {
    // Of a synchronous run that fails nobody asks how far it came.
    this.#done = 0
    try {
      this.#done = this.#addon.runProgram(this.#id, passes, encode(transfers))
      return this.#done
    } catch (error) {
      throw translate(error)
    }
  }

  takeTurn(): boolean {
    return takeWork(this.#work)
  }

  run(passes: number, transfers: readonly Transfer[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#done = 0
      try {
        this.#addon.startProgram(this.#id, passes, encode(transfers), (error, done) => {
          running--
          this.#running = false
          this.#done = done
          if (error === null) resolve(done)
          else reject(new KernelError(error))
        })
        running++
        this.#running = true
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

function encode(transfers: readonly Transfer[]): Float64Array {
  return Float64Array.from(
    transfers.flatMap(({ direction, table, cell, width }) => [
      direction === 'feed' ? 0 : 1,
      table,
      cell,
      width,
    ]),
  )
}
