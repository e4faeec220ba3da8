/**
 * The native backend: loads the addon, proves that it has exactly the kernels of the table, and
 * passes numbers. What the addon throws becomes one of the library's own errors here.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { ArgumentError, BackendError, KernelError, OutOfMemoryError } from '../../base/errors.js'
import type { Backend, MemoryUse } from '../backend.js'
import type { DType, TypedArray } from '../dtype.js'
import { type Handle, type KernelArgs, type KernelName, kernels, signature } from '../kernels.js'
import type { Plan, Program, Transfer } from '../program.js'

/** What the addon exports; see native/addon.cc. */
export interface Addon {
  mailbox: Float64Array
  kernels: { name: string; signature: string }[]
  run(kernel: number): void
  alloc(length: number, dtype: number): number
  release(handle: number): void
  write(handle: number, src: TypedArray, offset?: number): void
  read(handle: number, dst: TypedArray, offset?: number): void
  memory(): MemoryUse
  compile(
    arenaBytes: number,
    places: Float64Array,
    steps: Float64Array,
    before: Float64Array,
    after: Float64Array,
  ): number
  runProgram(id: number, passes: number, transfers: Float64Array): number
  startProgram(
    id: number,
    passes: number,
    transfers: Float64Array,
    done: (error: string | null, passes: number) => void,
  ): void
  cancelProgram(id: number): void
  progressOf(id: number): number
  disposeProgram(id: number): void
  threads(): number
  setThreads(count: number): void
  info(): {
    openblas: string
    core: string
    openblasThreads: number
    simd: string
    fastTiles: boolean
  }
  timeGemms(products: Float64Array, repeats: number): number
  // biome-ignore lint/suspicious/noExplicitAny: typed in blas.ts, its only user
  blas: any
}

const dtypeCodes: Record<DType, number> = { float32: 0, int32: 1, uint8: 2 }

let loaded: Addon | undefined

/**
 * The addon, loaded once. `NEUROBLAS_ADDON` names another build of it (the C++ developer's).
 * Throws BackendError with the reason and what to do.
 */
export function loadAddon(): Addon {
  if (loaded) return loaded
  const require = createRequire(import.meta.url)
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  try {
    const path = process.env.NEUROBLAS_ADDON
    loaded = (path ? require(path) : require('node-gyp-build')(root)) as Addon
  } catch (error) {
    throw new BackendError(
      `native addon: cannot be loaded (${(error as Error).message.split('\n')[0]}). ` +
        'It needs the system OpenBLAS (Debian/Ubuntu: apt install libopenblas-dev, Fedora: dnf ' +
        'install openblas-devel, macOS: brew install openblas) and its build script allowed: ' +
        'npm install-scripts approve neuroblas && npm rebuild neuroblas',
      { cause: error },
    )
  }
  const threads = process.env.NEUROBLAS_NUM_THREADS
  if (threads !== undefined && threads !== '') {
    loaded.setThreads(checkThreads('NEUROBLAS_NUM_THREADS', Number(threads), threads))
  }
  return loaded
}

/**
 * Refuses a number of threads that the addon does not know.
 * @param given what the number was read from, for the message
 */
export function checkThreads(name: string, threads: number, given: unknown = threads): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= 256) return threads
  throw new ArgumentError(`${name}: expected an integer from 1 to 256, got ${given}`)
}

/** Position of each kernel in the addon's list. Throws BackendError where it is not this table. */
function matchKernels(addon: Addon): Record<KernelName, number> {
  const indices: Record<string, number> = {}
  for (const [index, row] of addon.kernels.entries()) indices[row.name] = index
  const names = Object.keys(kernels) as KernelName[]
  const differing = names.filter(
    (name) => addon.kernels[indices[name]]?.signature !== signature(name),
  )
  const unknown = addon.kernels.filter((row) => !(row.name in kernels)).map((row) => row.name)
  if (differing.length + unknown.length > 0) {
    throw new BackendError(
      `native addon: it is out of date, run \`npm run build\` (kernels that differ: ${[...differing, ...unknown].join(', ')})`,
    )
  }
  return indices
}

function translate(error: unknown): Error {
  const { code, message } = error as { code?: string; message: string }
  if (code === 'MEMORY') return new OutOfMemoryError(message, { cause: error })
  return new KernelError(message, { cause: error })
}

export class NativeBackend implements Backend {
  readonly name = 'native'
  readonly precision = 'float32'
  readonly prefersPanels: boolean
  readonly #addon: Addon
  readonly #mailbox: Float64Array
  readonly #indices: Record<KernelName, number>

  constructor() {
    this.#addon = loadAddon()
    this.#mailbox = this.#addon.mailbox
    this.#indices = matchKernels(this.#addon)
    this.prefersPanels = this.#addon.info().fastTiles
  }

  alloc(length: number, dtype: DType): Handle {
    try {
      return this.#addon.alloc(length, dtypeCodes[dtype]) as Handle
    } catch (error) {
      throw translate(error)
    }
  }

  release(handle: Handle): void {
    try {
      this.#addon.release(handle)
    } catch (error) {
      throw translate(error)
    }
  }

  write(handle: Handle, src: TypedArray, offset = 0): void {
    try {
      this.#addon.write(handle, src, offset)
    } catch (error) {
      throw translate(error)
    }
  }

  read(handle: Handle, dst: TypedArray, offset = 0): void {
    try {
      this.#addon.read(handle, dst, offset)
    } catch (error) {
      throw translate(error)
    }
  }

  run<K extends KernelName>(kernel: K, ...args: KernelArgs<K>): void {
    const mailbox = this.#mailbox
    const values: readonly number[] = args
    for (let i = 0; i < values.length; i++) mailbox[i] = values[i]
    try {
      this.#addon.run(this.#indices[kernel])
    } catch (error) {
      throw translate(error)
    }
  }

  memory(): MemoryUse {
    return this.#addon.memory()
  }

  compile(plan: Plan): Program {
    const places = plan.places.flatMap(({ dtype, length, offset, shared }) =>
      shared === undefined
        ? [0, offset!, length, dtypeCodes[dtype]]
        : [1, shared, length, dtypeCodes[dtype]],
    )
    const [steps, before, after] = [plan.steps, plan.before, plan.after].map((list) =>
      Float64Array.from(list.flatMap(({ kernel, args }) => [this.#indices[kernel], ...args])),
    )
    try {
      const id = this.#addon.compile(
        plan.arenaBytes,
        Float64Array.from(places),
        ...[steps, before, after],
      )
      return new NativeProgram(this.#addon, id)
    } catch (error) {
      throw translate(error)
    }
  }
}

/** A program in the addon, by its number; see native/napi/capture.h. */
class NativeProgram implements Program {
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
