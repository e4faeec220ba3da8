/** Activations. */
import { oneHot } from '../../../../ops/indexing.js'
import { type Shape, sizeOf } from '../../../../tensor/shape.js'
import type { AnyTensor } from '../../../../tensor/tensor.js'
import type { Call, Operator, Operators } from '../call.js'
import { compute, pointwise, type Value } from '../value.js'

/** Of each element; its settings are numbers, with what they are where they are not given. */
function activation(
  fn: (x: AnyTensor, ...settings: number[]) => AnyTensor,
  defaults: Readonly<Record<string, number>> = {},
): Operator {
  const entries = Object.entries(defaults)
  return {
    attributes: Object.keys(defaults),
    run: (call) => {
      const settings = entries.map(([name, fallback]) => call.node.number(name, fallback))
      return pointwise('float', [call.input(0)], (x) => fn(x, ...settings))
    },
  }
}

const hardSigmoid = (x: AnyTensor, alpha: number, beta: number) => x.mul(alpha).add(beta).clip(0, 1)

/** x where it is beyond a bound, brought nearer to 0, and 0 within. */
const shrink = (x: AnyTensor, lambd: number, bias: number): AnyTensor =>
  x
    .sub(bias)
    .mul(x.greater(lambd))
    .add(x.add(bias).mul(x.less(-lambd)))

/** ELU with other slopes than SELU's own. */
function selu(x: AnyTensor, alpha: number, gamma: number): AnyTensor {
  return x.elu(alpha).mul(gamma)
}

/** Slopes broadcast to the input, as those of no other operator that has weights do. */
const prelu = (call: Call): Value =>
  pointwise('float', [call.input(0), call.input(1)], (x, slope) =>
    x.relu().sub(x.neg().relu().mul(slope)),
  )

/**
 * Along an axis; before version 13 along all axes from this one on.
 * @param fn works along the last axis
 */
const along = (fn: (x: AnyTensor) => AnyTensor): Operator => ({
  attributes: ['axis'],
  run: (call) => {
    const x = call.input(0)
    const isOld = call.opset < 13
    const axis = call.axis(call.node.number('axis', isOld ? 1 : -1), Math.max(x.rank, 1))
    return x.map((y) => (isOld ? fromAxis(y, axis, fn) : onAxis(y, axis, fn)))
  },
})

function fromAxis(x: AnyTensor, axis: number, fn: (x: AnyTensor) => AnyTensor): AnyTensor {
  const rest: Shape = x.shape.slice(axis)
  return fn(x.reshape([sizeOf(x.shape.slice(0, axis)), sizeOf(rest)])).reshape(x.shape)
}

/** With the axis brought to the end and back. */
function onAxis(x: AnyTensor, axis: number, fn: (x: AnyTensor) => AnyTensor): AnyTensor {
  const last = x.shape.length - 1
  if (axis >= last) return fn(x)
  const order = x.shape.map((_, i) => (i === axis ? last : i === last ? axis : i))
  return fn(x.transpose(order)).transpose(order)
}

function hardmax(x: AnyTensor): AnyTensor {
  return oneHot(x.argmax(-1), x.shape.at(-1)!)
}

const gelu: Operator = {
  attributes: ['approximate'],
  run: (call) => {
    const approximate = call.node.text('approximate', 'none') as 'none' | 'tanh'
    return pointwise('float', [call.input(0)], (x) => x.gelu(approximate))
  },
}

/** As in the file, which is one to predict by: nothing is left out, also while the model is trained. */
function dropout(call: Call): readonly Value[] {
  const x = call.input(0)
  const all = () => compute([x], (a) => a.equal(a).cast('bool'))
  return call.node.outputs.length > 1 ? [x, x.with(all())] : [x]
}

export const activations: Operators = {
  Celu: activation((x, alpha) => x.div(alpha).elu().mul(alpha), { alpha: 1 }),
  Dropout: { attributes: ['ratio', 'seed'], outputs: 2, passes: true, run: dropout },
  Elu: activation((x, alpha) => x.elu(alpha), { alpha: 1 }),
  Gelu: gelu,
  HardSigmoid: activation(hardSigmoid, { alpha: 0.2, beta: 0.5 }),
  HardSwish: activation((x) => x.mul(hardSigmoid(x, 1 / 6, 0.5))),
  Hardmax: along(hardmax),
  LeakyRelu: activation((x, alpha) => x.leakyRelu(alpha), { alpha: 0.01 }),
  LogSoftmax: along((x) => x.logSoftmax()),
  Mish: activation((x) => x.mish()),
  PRelu: { weights: [1], run: prelu },
  Relu: activation((x) => x.relu()),
  Selu: activation(selu, { alpha: 1.6732631921768188, gamma: 1.0507010221481323 }),
  Shrink: activation(shrink, { lambd: 0.5, bias: 0 }),
  Sigmoid: activation((x) => x.sigmoid()),
  Softmax: along((x) => x.softmax()),
  Softplus: activation((x) => x.softplus()),
  Softsign: activation((x) => x.softsign()),
  Swish: activation((x, alpha) => x.mul(x.mul(alpha).sigmoid()), { alpha: 1 }),
  Tanh: activation((x) => x.tanh()),
  ThresholdedRelu: activation((x, alpha) => x.mul(x.greater(alpha)), { alpha: 1 }),
}
