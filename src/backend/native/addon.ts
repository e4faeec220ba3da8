/**
 * The addon: loads it, proves that it has exactly the kernels of the table, and makes the library's
 * own errors of what it throws.
 */
import { join } from 'node:path'
import { availableMemory, outOfMemory } from '../../base/availableMemory.js'
import {
  ArgumentError,
  BackendError,
  BusyError,
  KernelError,
  MissingPackageError,
  OutOfMemoryError,
  spelled,
} from '../../base/errors.js'
import { ownFile, packageFolder, requireFrom } from '../../base/packageFolder.js'
import type { MemoryUse } from '../backend.js'
import { dtypes, type TypedArray } from '../dtype.js'
import { type KernelName, kernels, signature } from '../kernels.js'

/** What the addon computes with; see native/napi/info.h. Of OpenBLAS all but `openblasProblem`, or that alone. */
export interface AddonInfo {
  /**
   * Who computes products of tensors: the engine of our own; or, where its instructions are missing or
   * `NEUROBLAS_GEMM=openblas` says so, OpenBLAS, and plain loops where that is missing, too.
   */
  gemm: 'own' | 'openblas' | 'loops'
  /** Version and build of the system's OpenBLAS. */
  openblas?: string
  /** The processor whose kernels it chose. */
  core?: string
  /** What threads of its own are made by, if it has them: none, pthreads or OpenMP. */
  openblasThreading?: string
  openblasThreads?: number
  /** Why there is no OpenBLAS. */
  openblasProblem?: string
  /** Level of the vector instructions in use. */
  simd: string
  /** Whether the processor has AVX-512, in use or not. */
  avx512: boolean
}

/** What the addon exports; see native/napi/. */
export interface Addon {
  mailbox: Float64Array
  /** As `gemm` of `info()`, but without a look whether there is OpenBLAS. */
  engine: 'own' | 'openblas'
  dtypes: { name: string; bytes: number }[]
  /** `dtypes`: what each parameter of the row (F, T, S) may stand for. */
  kernels: { name: string; signature: string; dtypes: Record<string, string[]> }[]
  run(kernel: number): void
  alloc(length: number, dtype: number): number
  view(handle: number, offset: number, length: number): number
  release(handle: number): void
  own(handle: number, owner: object): void
  disown(handle: number): void
  write(handle: number, src: TypedArray, offset?: number): void
  read(handle: number, dst: TypedArray, offset?: number): void
  memory(): MemoryUse
  trim(): number
  /** Bytes that the process took and has not touched yet. */
  untouched(): number
  /** Bytes outside its heap that V8 knows of: `process.memoryUsage().external` leaves ours out. */
  external(): number
  /** @param available how many bytes the process may still take, by the system's account */
  setAvailableMemory(available: () => number): void
  compile(
    arenaBytes: number,
    places: Float64Array,
    steps: Float64Array,
    weights: Float64Array,
    owner?: object,
  ): number
  runProgram(id: number, iterations: number, transfers: Float64Array, isShort: boolean): number
  /** Parts and turns as native/napi/capture.h has them. */
  startPrograms(
    parts: Float64Array,
    turns: Float64Array,
    done: (error: string | null, iterations: number[]) => void,
  ): void
  cancelProgram(id: number): void
  progressOf(id: number): number
  disposeProgram(id: number): void
  threads(): number
  setThreads(count: number): void
  info(): AddonInfo
  timeGemms(products: Float64Array, repeats: number): number
  timeFlops(flops: number): number
  // biome-ignore lint/suspicious/noExplicitAny: typed in blas.ts, its only user
  blas: any
}

let loaded: Addon | undefined

/**
 * The addon, loaded once. `NEUROBLAS_ADDON` names another build of it (the C++ developer's).
 * Throws BackendError with the reason and what to do, ArgumentError for what the environment asks for in
 * vain.
 */
export function loadAddon(): Addon {
  if (loaded) return loaded
  try {
    // A copy: the exports are so many that V8 keeps them in a dictionary, which is slower to look up.
    loaded = { ...findAddon() }
  } catch (error) {
    throw new BackendError(whyNotLoaded(error as Error), { cause: error })
  }
  loaded.setAvailableMemory(() => availableMemory().available)
  checkOpenblas(loaded)
  const threads = process.env.NEUROBLAS_NUM_THREADS
  if (threads !== undefined && threads !== '') {
    loaded.setThreads(checkThreads('NEUROBLAS_NUM_THREADS', Number(threads), threads))
  }
  return loaded
}

/** Refuses to go on without OpenBLAS where that was asked for. */
function checkOpenblas(addon: Addon): void {
  if (process.env.NEUROBLAS_GEMM !== 'openblas') return
  const { openblasProblem } = addon.info()
  if (openblasProblem === undefined) return
  throw new ArgumentError(
    `NEUROBLAS_GEMM: expected a machine with OpenBLAS for openblas, got none (${openblasProblem}); install ` +
      'it (Debian/Ubuntu: apt install libopenblas0, Fedora: dnf install openblas, macOS: brew install ' +
      'openblas) or leave NEUROBLAS_GEMM unset',
  )
}

function findAddon(): Addon {
  const path = process.env.NEUROBLAS_ADDON
  if (path) return requireFrom(ownFile())(path)
  const folder = packageFolder()
  // Seen from the package: it may be another one's dependency, out of the bundle's sight.
  const find = requireFrom(join(folder, 'package.json'))('node-gyp-build')
  return find(folder)
}

function whyNotLoaded(error: Error): string {
  const reason = `native addon: cannot be loaded (${error.message.split('\n')[0]})`
  if (error instanceof MissingPackageError) return reason
  return (
    `${reason}. The package brings it for Linux on x64 and arm64 with glibc 2.28 or newer; elsewhere it is ` +
    'built when the package is installed, by a C++ compiler, make and python3, where its build script is ' +
    'allowed: npm install-scripts approve neuroblas && npm rebuild neuroblas'
  )
}

/**
 * Refuses a number of threads that the addon does not know.
 * @param given what the number was read from, for the message
 */
export function checkThreads(name: string, threads: number, given: unknown = threads): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= 256) return threads
  throw new ArgumentError(`${name}: expected an integer from 1 to 256, got ${spelled(given)}`)
}

/**
 * Position of each kernel in the addon's list. Throws BackendError where the addon's dtypes or kernels
 * are not those of the tables here.
 */
export function matchTables(addon: Addon): Record<KernelName, number> {
  const codes = Object.fromEntries(addon.dtypes.map(({ name }, code) => [name, code]))
  const differingDTypes = Object.values(dtypes)
    .filter(({ name, code, bytes }) => codes[name] !== code || addon.dtypes[code].bytes !== bytes)
    .map(({ name }) => name)
  const unknownDTypes = Object.keys(codes).filter((name) => !Object.hasOwn(dtypes, name))
  const indices: Record<string, number> = {}
  for (const [index, row] of addon.kernels.entries()) indices[row.name] = index
  const names = Object.keys(kernels) as KernelName[]
  const differing = names.filter(
    (name) => addon.kernels[indices[name]]?.signature !== signature(name),
  )
  const unknown = addon.kernels.filter((row) => !(row.name in kernels)).map((row) => row.name)
  const all = [...differingDTypes, ...unknownDTypes, ...differing, ...unknown]
  if (all.length > 0) {
    throw new BackendError(
      `native addon: it is out of date, run \`npm run build\` (what differs: ${all.join(', ')})`,
    )
  }
  return indices
}

/** The library's own error for one of the addon's. */
export function translate(error: unknown): Error {
  const { code, message } = error as { code?: string; message: string }
  if (code === 'MEMORY') return new OutOfMemoryError(message, { cause: error })
  if (code === 'BUSY') return new BusyError(message, { cause: error })
  return new KernelError(message, { cause: error })
}

/** The same for a call that asked for memory, with how much there is. */
export function translateAllocation(
  op: string,
  what: string,
  bytes: number,
  error: unknown,
): Error {
  if ((error as { code?: string }).code !== 'MEMORY') return translate(error)
  const room = availableMemory()
  // The system counts as available what it has promised and nobody has touched yet.
  const available = Math.max(0, room.available - loadAddon().untouched())
  // Else it was not that: a limit on addresses, say, or too many buffers.
  if (bytes <= available) return translate(error)
  return outOfMemory(op, what, bytes, { ...room, available }, { cause: error })
}
