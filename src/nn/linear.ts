/** The affine layer, x·weight + bias. */
import { noteRead } from '../backend/record.js'
import { checkFlag, checkFunction, optionsOf } from '../base/arguments.js'
import { excerpt, ShapeError } from '../base/errors.js'
import { linear, matmul } from '../ops/matmul.js'
import { requireTensor } from '../ops/require.js'
import { checkGenerator, type Generator } from '../tensor/random.js'
import { format, type Shape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { fans, glorotUniform, type Initializer, uniform, zeros } from './init.js'
import { Module, Parameter } from './module.js'
import { ownSizeOf, vectorsOf } from './summary.js'

/** Settings of a `Linear` layer. */
export interface LinearOptions {
  /** Whether there is a bias; true by default. */
  bias?: boolean
  /**
   * Initial weights; Glorot's uniform ones by default. Biases start at 0. With 'torch', both are uniform on
   * ±1/√fanIn, as PyTorch draws them (`kaiming_uniform_` with a = √5, and its own rule for biases).
   */
  init?: Initializer | 'torch'
  /** Where the initial weights are drawn from; the default generator by default. */
  generator?: Generator
}

const OPTIONS: Record<keyof LinearOptions, true> = { bias: true, init: true, generator: true }

/**
 * Weight and bias of a layer, before training.
 * @param shape of the weight
 * @param outputs how many elements the bias has
 * @throws ArgumentError for options that are out of range
 */
export function initialWeights(
  op: string,
  shape: Shape,
  outputs: number,
  { bias = true, init = glorotUniform, generator }: LinearOptions,
): { weight: Parameter; bias: Parameter | null } {
  checkFlag(op, 'bias', bias)
  if (generator !== undefined) checkGenerator(op, generator)
  if (init !== 'torch') {
    checkFunction(op, "init to be an initializer such as init.heNormal, or 'torch'", init)
  }
  const bound = 1 / Math.sqrt(fans(shape).fanIn)
  const torch = uniform(-bound, bound)
  const [ofWeight, ofBias] = init === 'torch' ? [torch, torch] : [init, zeros]
  return {
    weight: new Parameter(ofWeight(shape, generator)),
    bias: bias ? new Parameter(ofBias([outputs], generator), { regularized: false }) : null,
  }
}

/**
 * a = x·weight + bias for x [batch, fanIn], or [batch, time, fanIn] and the like: weight [fanIn, fanOut],
 * bias [fanOut].
 */
export class Linear extends Module {
  /** [fanIn, fanOut] */
  readonly weight: Parameter
  /** [fanOut], which regularizers leave alone; null where there is none. */
  readonly bias: Parameter | null

  /**
   * A layer with new weights.
   * @param fanIn inputs, a whole number from 1
   * @param fanOut outputs, a whole number from 1
   * @throws ShapeError when a size is out of range or `init` gives another shape, ArgumentError for
   *   options that do not exist
   */
  constructor(fanIn: number, fanOut: number, options: LinearOptions = {}) {
    super()
    for (const [name, value] of Object.entries({ fanIn, fanOut })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new ShapeError(`Linear: expected ${name} >= 1, got ${excerpt(value)}`)
      }
    }
    const given = optionsOf('Linear', options, OPTIONS)
    const { weight, bias } = initialWeights('Linear', [fanIn, fanOut], fanOut, given)
    this.weight = weight
    this.bias = bias
  }

  /**
   * All axes of x but the last are the batch.
   * @throws ShapeError when x is not [..., fanIn] of at least two axes
   */
  forward(x: Tensor): Tensor {
    requireTensor('Linear', x)
    const { weight, bias } = this
    noteRead(this, 'weight', weight)
    noteRead(this, 'bias', bias)
    const [fanIn] = weight.shape
    if (x.shape.length < 2 || x.shape.at(-1) !== fanIn) {
      const isExample = x.shape.length === 1 && x.size === fanIn
      const hint = isExample ? '; unsqueeze(0) makes a batch of one example' : ''
      const flat = x.shape.length > 2 && sizeOf(x.shape.slice(1)) === fanIn
      throw new ShapeError(
        `Linear: expected inputs [batch, ${fanIn}], got ${format(x.shape)}${flat ? '; flatten(1) makes rows of them' : hint}`,
      )
    }
    return bias ? linear(x, weight, bias) : matmul(x, weight)
  }

  /** @internal */
  override multiplyAdds(outputs: Tensor): number {
    return vectorsOf(outputs) * ownSizeOf(this)
  }
}
