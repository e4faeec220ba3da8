/** Checks of the layers and callbacks that a model is given. */
import { ArgumentError } from '../../index.js'
import { excerpt, isBranded, refuseUnknown } from '../../internal.js'
import type { CallbackLike } from './callback.js'
import type { Layer } from './layer.js'

/** Whether it is a layer, also one of another copy of the library. */
export function isLayer(value: unknown): value is Layer {
  return isBranded(value, Symbol.for('neuroblas.keras.Layer'))
}

const METHODS: Record<keyof CallbackLike, true> = {
  setModel: true,
  onTrainBegin: true,
  onTrainEnd: true,
  onEpochBegin: true,
  onEpochEnd: true,
  onTrainBatchEnd: true,
}

/**
 * A copy of a list of callbacks.
 * @throws ArgumentError for what is none, and for methods that look as if they were called but are not
 */
export function callbacksOf(list: readonly CallbackLike[]): CallbackLike[] {
  if (!Array.isArray(list)) {
    throw new ArgumentError(`fit: expected a list of callbacks, got ${excerpt(list)}`)
  }
  return [...list].map((callback) => {
    if (typeof callback !== 'object' || callback === null) {
      throw new ArgumentError(`fit: expected callbacks as objects, got ${excerpt(callback)}`)
    }
    for (const name of methodsOf(callback)) {
      if (!/^(on|set)(_|[A-Z])/.test(name)) continue
      refuseUnknown('fit: callback', { [name]: true }, Object.keys(METHODS))
    }
    return callback
  })
}

/** Names of an object's methods, and of those that it inherits from classes. */
function* methodsOf(object: object): Iterable<string> {
  for (let at = object; at !== null; at = Object.getPrototypeOf(at)) {
    const fields = Object.entries(Object.getOwnPropertyDescriptors(at))
    for (const [name, { value }] of fields) if (typeof value === 'function') yield name
  }
}
