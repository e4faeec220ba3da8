/** Any model in a file that this library wrote with what it takes to build it again. */
import { loadMlp } from '../io/mlp.js'
import { readModelHeader } from '../io/modelFile.js'
import { loadPredictor } from '../io/regressor.js'
import type { Servable } from './modelInterface.js'

/**
 * A classifier or a regressor; of `saveMlp`, the bare network.
 * @throws DataError when the file is malformed or does not say what it holds
 */
export function loadServable(path: string): Servable {
  const { classes, encoding } = readModelHeader(path).metadata
  const isBare = classes === undefined && encoding === undefined
  return isBare ? loadMlp(path).model : loadPredictor(path)
}
