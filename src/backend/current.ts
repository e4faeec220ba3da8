/**
 * Which backend new tensors are made on: `NEUROBLAS_BACKEND` (native or js) where it is set, else
 * the native one, else, after one warning, pure JavaScript.
 */
import { ArgumentError, BackendError } from '../base/errors.js'
import type { Backend, MemoryUse } from './backend.js'
import { JsBackend } from './js/backend.js'
import { checkThreads, loadAddon } from './native/addon.js'
import { NativeBackend } from './native/backend.js'
import { recorded } from './record.js'

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
 * Makes new tensors on this backend from now on; those that exist stay where they are.
 * Throws BackendError when the native addon cannot be loaded.
 */
export function setBackend(name: BackendName): void {
  if (name !== 'native' && name !== 'js') {
    throw new ArgumentError(`setBackend: expected 'native' or 'js', got ${String(name)}`)
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

/** Bytes and buffers of the current backend in this thread. */
export function memory(): MemoryUse {
  return currentBackend().memory()
}

/**
 * Threads that compute captured functions and `fit`, in the whole process; results do not depend on
 * it. By default the processors that the process may use, or NEUROBLAS_NUM_THREADS. No more than
 * there are processors run at once; the work is cut into as many pieces all the same.
 */
export function setNumThreads(threads: number): void {
  checkThreads('setNumThreads', threads)
  if (currentBackend().name === 'native') loadAddon().setThreads(threads)
}

/** Threads that compute; 1 on the JavaScript backend. */
export function getNumThreads(): number {
  return currentBackend().name === 'native' ? loadAddon().threads() : 1
}
