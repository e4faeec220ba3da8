/** A compiled plan that lives in the addon. */
import { KernelError } from '../../base/errors.js'
import type { Program, Transfer } from '../program.js'
import { type Addon, translate } from './addon.js'

/** A program in the addon, by its number; see native/napi/capture.h. */
export class NativeProgram implements Program {
  readonly #addon: Addon
  readonly #id: number
  #running = false
  /** Passes of the last run. */
  #done = 0

  constructor(addon: Addon, id: number) {
    this.#addon = addon
    this.#id = id
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

  run(passes: number, transfers: readonly Transfer[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#done = 0
      try {
        this.#addon.startProgram(this.#id, passes, encode(transfers), (error, done) => {
          this.#running = false
          this.#done = done
          if (error === null) resolve(done)
          else reject(new KernelError(error))
        })
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
