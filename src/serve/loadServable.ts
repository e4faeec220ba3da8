/** Any model in a file that this library wrote with what it takes to build it again, to be served. */
import { loadMlp } from '../io/mlp.js'
import { readModelHeader } from '../io/modelFile.js'
import { loadPredictor } from '../io/regressor.js'
import { isModule } from '../nn/module.js'
import type { Shape } from '../tensor/shape.js'
import { type Servable, type Served, servedOf } from './modelInterface.js'

/**
 * Reads a model, which is freed when it is served no more.
 * @throws DataError when the file is malformed or does not say what it holds; as `servedOf`
 */
export function loadServed(op: string, path: string, inputShape?: Shape): Served {
  const servable = loadServable(path)
  try {
    return { ...servedOf(op, servable, inputShape), isOwn: true }
  } catch (error) {
    const model = isModule(servable) ? servable : servable.model
    model.dispose()
    throw error
  }
}

/**
 * A classifier or a regressor; of `saveMlp`, the bare network.
 */
function loadServable(path: string): Servable {
  const { classes, encoding } = readModelHeader(path).metadata
  const isBare = classes === undefined && encoding === undefined
  return isBare ? loadMlp(path).model : loadPredictor(path)
}
