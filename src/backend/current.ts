/**
 * Which backend new tensors are made on: `NEUROBLAS_BACKEND` (native or js) where it is set, else
 * the native one, else, after one warning, pure JavaScript.
 */
import { ArgumentError, BackendError, spelled } from '../base/errors.js'
import type { Backend, MemoryUse } from './backend.js'
import { JsBackend } from './js/backend.js'
import { checkThreads, loadAddon } from './native/addon.js'
import { NativeBackend } from './native/backend.js'
import { recorded } from './record.js'

/**
 * `native` is the C++ addon; `js` has the same kernels in pure JavaScript.
 *
 * @useDeclaredType
 */
export type BackendName = Backend['name']

const made: Partial<Record<BackendName, Backend>> = {}
let current: Backend | undefined

function make(name: BackendName): Backend {
  made[name] ??= name === 'native' ? new NativeBackend() : new JsBackend()
  return made[name]
}

function choose(): Backend {
  const asked = process.env.NEUROBLAS_BACKEND
  if (asked === 'native' || asked === 'js') return make(asked)
  if (asked) {
    throw new ArgumentError(`NEUROBLAS_BACKEND: expected native or js, got ${asked}`)
  }
  try {
    return make('native')
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    process.emitWarning(`${error.message}. Going on in pure JavaScript, which is far slower.`, {
      type: 'NeuroblasWarning',
    })
    return make('js')
  }
}

/** The backend that new tensors are made on. */
export function currentBackend(): Backend {
  current ??= choose()
  return recorded(current)
}

/**
 * Makes new tensors on this backend from now on; those that exist stay where they are, and ops on
 * tensors of two backends are refused.
 * @throws BackendError when the native addon cannot be loaded, ArgumentError for another name
 */
export function setBackend(name: BackendName): void {
  if (name !== 'native' && name !== 'js') {
    throw new ArgumentError(`setBackend: expected 'native' or 'js', got ${spelled(name)}`)
  }
  current = make(name)
}

/** The name of the backend that new tensors are made on. */
export function getBackend(): BackendName {
  return currentBackend().name
}

/** Runs fn, which must be synchronous, with another backend as the current one. */
export function withBackend<T>(backend: Backend, fn: () => T): T {
  const before = current
  current = backend
  try {
    return fn()
  } finally {
    current = before
  }
}

/**
 * Bytes and buffers of the current backend in this thread.
 * @example console.log(memory().live) // bytes of the tensors in use
 */
export function memory(): MemoryUse {
  return currentBackend().memory()
}

/**
 * Gives memory that was freed, and is kept for tensors to come, back to the system: after a training
 * in a process that goes on with something else, say. The JavaScript backend leaves it to the garbage
 * collector.
 * @returns how many bytes
 * @example trimMemory()
 */
export function trimMemory(): number {
  return currentBackend().trim()
}

/**
 * Sets how many threads compute captured functions, `fit`, `evaluate` and large single ops of this thread of
 * JavaScript; each of `worker_threads` has a number of its own. Runs whose steps are too small to be shared
 * take one each, and as many go side by side. Results do not depend on it. By default it is the number of
 * processors that the process may use, or `NEUROBLAS_NUM_THREADS`. No more threads than there are
 * processors compute one step at once; the work is cut into as many chunks all the same. Does nothing on the
 * JavaScript backend.
 * @param threads a whole number from 1 to 256
 * @throws ArgumentError when it is out of range
 */
export function setNumThreads(threads: number): void {
  checkThreads('setNumThreads', threads)
  if (currentBackend().name === 'native') loadAddon().setThreads(threads)
}

/** Threads that compute for this thread of JavaScript; 1 on the JavaScript backend. */
export function getNumThreads(): number {
  return currentBackend().name === 'native' ? loadAddon().threads() : 1
}
