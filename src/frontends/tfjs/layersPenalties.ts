/** Regularizers of tf.layers, which the optimizers of this library take. */
import { l1, l2, type Regularizer, type Tensor } from '../../index.js'
import { type GivenLayer, refuse } from './layersGiven.js'

/** Which of a layer's weights an option regularizes: biases and norms are not, here. */
const WEIGHTS: Readonly<Record<string, number>> = {
  kernelRegularizer: 0,
  depthwiseRegularizer: 0,
  pointwiseRegularizer: 1,
  embeddingsRegularizer: 0,
}

/**
 * The regularizers of each weight that has some.
 * @throws ArgumentError for those of other weights, and for constraints
 */
export function penaltiesOf(
  layer: GivenLayer,
  weights: readonly Tensor[],
): Map<Tensor, readonly Regularizer[]> {
  const penalties = new Map<Tensor, readonly Regularizer[]>()
  for (const [option, value] of Object.entries(layer.config)) {
    if (value === null || value === undefined || !/(Regularizer|Constraint)$/.test(option)) continue
    if (!Object.hasOwn(WEIGHTS, option)) refuse(layer, option, 'null')
    const { className, config } = value as { className: string; config: Record<string, number> }
    if (className !== 'L1L2') refuse(layer, option, 'l1, l2 or l1l2')
    const given = [config.l1 && l1(config.l1), config.l2 && l2(config.l2)]
    penalties.set(
      weights[WEIGHTS[option]],
      given.filter((regularizer) => typeof regularizer === 'object'),
    )
  }
  return penalties
}
