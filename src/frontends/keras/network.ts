/** The library's own network behind a stack of Keras's layers. */
import {
  Sequential as EngineSequential,
  type Module,
  noGrad,
  type Parameter,
  type Regularizer,
  type Shape,
  scope,
  type Tensor,
  tensor,
} from '../../index.js'
import { inEval, refuseTrained, sizeOf } from '../../internal.js'
import type { Built, Layer } from './layer.js'

/** Parameters that are trained alike. */
export interface ParameterGroup {
  parameters: Parameter[]
  regularizer?: Regularizer
}

export interface Network {
  inputShape: Shape
  outputShape: Shape
  /** Of each layer; the same for one that comes twice. */
  parts: Built[]
  /** Everything but the last activation. */
  body: EngineSequential
  last: Module | undefined
}

/** Weights for inputs of a shape. */
export function buildNetwork(layers: readonly Layer[], inputShape: Shape): Network {
  let shape = inputShape
  const parts = layers.map((layer) => {
    const part = layer.partFor(shape)
    shape = part.outputShape
    return part
  })
  const modules = parts.flatMap((part) => part.modules)
  const activation = layers.at(-1)!.activation ?? 'linear'
  const last = activation === 'linear' ? undefined : modules.pop()
  const body = new EngineSequential(...modules)
  return { inputShape, outputShape: shape, parts, body, last }
}

/** Each layer's parameters with its regularizer, once. */
export function groupsOf({ parts }: Network): ParameterGroup[] {
  return [...new Set(parts)].flatMap(({ modules, regularizer }) => {
    const parameters = modules.flatMap((module) => module.parameters())
    return parameters.length > 0 ? [{ parameters, ...(regularizer && { regularizer }) }] : []
  })
}

/** What the regularizers add to the loss for weights that are trained: undefined where there are none. */
export function penaltyOf(groups: readonly ParameterGroup[]): Tensor | undefined {
  const penalties = groups.flatMap(({ parameters, regularizer }) =>
    regularizer
      ? parameters.filter((p) => p.regularized && p.requiresGrad).map((p) => regularizer.penalty(p))
      : [],
  )
  return penalties.length > 0 ? penalties.reduce((sum, penalty) => sum.add(penalty)) : undefined
}

/**
 * The outputs for some examples, row by row in `values`; leaves the network as it was.
 * @throws BusyError while it is being trained
 */
export function answer(
  { body, last, inputShape, outputShape }: Network,
  values: Float32Array,
  examples: number,
  batchSize: number,
): Tensor {
  refuseTrained('predict', body)
  const [width, outputs] = [sizeOf(inputShape), sizeOf(outputShape)]
  const results = new Float32Array(examples * outputs)
  const outputsOf = (from: number, to: number) =>
    scope(() => {
      const batch = tensor(values.subarray(from * width, to * width), [to - from, ...inputShape])
      const h = body.forward(batch)
      return (last?.forward(h) ?? h).data()
    })
  inEval(body, () => {
    for (let from = 0; from < examples; from += batchSize) {
      const y = noGrad(() => outputsOf(from, Math.min(from + batchSize, examples)))
      results.set(y, from * outputs)
    }
  })
  return tensor(results, [examples, ...outputShape])
}
