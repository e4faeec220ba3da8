/** Checks the names of files of weights. */
import { ArgumentError } from '../../index.js'
import { spelled } from '../../internal.js'

/**
 * Refuses a path that says it is in a format of Keras or TensorFlow: weights are safetensors here.
 * @throws ArgumentError
 */
export function checkWeightsPath(op: string, path: string): void {
  if (typeof path === 'string' && !/\.(h5|hdf5|keras|ckpt)$/i.test(path)) return
  throw new ArgumentError(
    `${op}: expected the path of a .safetensors file, as in model.safetensors, got ${spelled(path)}`,
  )
}
