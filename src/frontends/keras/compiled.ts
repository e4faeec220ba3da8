/** What a model is compiled with, checked. */

import { ArgumentError } from '../../index.js'
import { excerpt, optionsOf } from '../../internal.js'
import type { Loss as LossObject } from './lossClasses.js'
import { batchMetricsOf, checkLossName, type LossName, type MetricName } from './objective.js'
import { type Optimizer, get as optimizerOf } from './optimizers.js'
import type { CompileOptions } from './options.js'

/** What `compile` was given. */
export interface Compiled {
  optimizer: Optimizer
  loss: LossName | LossObject
  metrics: readonly MetricName[]
}

/**
 * The options of `compile`, with the optimizer that a name stands for.
 * @throws ArgumentError for options that do not exist and unknown names
 */
export function compiledOf(given: CompileOptions): Compiled {
  const known = { optimizer: true, loss: true, metrics: true } as const
  const options = optionsOf('compile', given, known)
  const { loss, metrics = [] } = options
  checkLossName(loss)
  if (!Array.isArray(metrics)) {
    throw new ArgumentError(`compile: expected a list of metrics, got ${excerpt(metrics)}`)
  }
  batchMetricsOf(metrics)
  return { optimizer: optimizerOf(options.optimizer), loss, metrics }
}
