/** Ops of each element for itself. */
import type { DType, FloatDType } from '../../../../backend/dtype.js'
import type { Emitter, OpValue } from '../emitter.js'
import { elementwise, type Row, type Rows, same, type Write } from '../row.js'

const floatOf = ({ dtype }: OpValue) => dtype as FloatDType
const number = (g: Emitter, value: number, call: OpValue) => g.scalar(value, call.dtype)
const inputType = (call: OpValue): DType => call.from.inputs[0].dtype

/** Bytes and truth values as integers, for what ONNX has of these only. */
function asNumbers(g: Emitter, x: readonly string[], dtype: DType): readonly string[] {
  if (dtype !== 'uint8' && dtype !== 'bool') return x
  return x.map((name) => g.cast(name, 'int32'))
}

/** Comparisons give floats here. */
function comparison(op: string, isNegated = false): Row {
  return elementwise((g, x, _, call) => {
    const found = g.node(op, asNumbers(g, x, inputType(call)))
    return g.asFloat(isNegated ? g.node('Not', [found]) : found, floatOf(call))
  })
}

const truth = (op: string): Row =>
  elementwise((g, x, _, call) =>
    g.node(
      op,
      x.map((name, i) => (call.from.inputs[i].dtype === 'bool' ? name : g.asBool(name))),
    ),
  )

const remainder: Write = (g, [a, b], _, call) => {
  if (call.dtype === 'int32') return g.node('Mod', [a, b])
  const rest = g.node('Mod', [a, b], { fmod: 1 })
  const zero = number(g, 0, call)
  const isOther = g.node('Xor', [g.node('Less', [rest, zero]), g.node('Less', [b, zero])])
  const isLeft = g.node('Not', [g.node('Equal', [rest, zero])])
  const isTurned = g.node('And', [isOther, isLeft])
  return g.node('Where', [isTurned, g.node('Add', [rest, b]), rest])
}

const floorDivide: Write = (g, [a, b], attributes, call) => {
  const rest = remainder(g, [a, b], attributes, call)
  const quotient = g.node('Div', [g.node('Sub', [a, rest]), b])
  return call.dtype === 'int32' ? quotient : g.node('Round', [quotient])
}

/** log(1 + x) as x·log(u)/(u - 1) with u = 1 + x as it is rounded, which keeps the digits of a small x (Kahan). */
const log1p: Write = (g, [x], _, call) => {
  const one = number(g, 1, call)
  const u = g.node('Add', [x, one])
  const ratio = g.node('Div', [g.node('Log', [u]), g.node('Sub', [u, one])])
  const isWhole = g.node('Or', [g.node('Equal', [u, one]), isInfinite(g, u)])
  const result = g.node('Where', [g.node('Equal', [u, one]), x, g.node('Mul', [x, ratio])])
  return g.node('Where', [isWhole, g.node('Where', [isInfinite(g, u), u, x]), result])
}

/** e^x - 1 as (u - 1)·x/log(u) with u = e^x as it is rounded, but for u that is 0, 1 or infinite (Kahan). */
const expm1: Write = (g, [x], _, call) => {
  const one = number(g, 1, call)
  const u = g.node('Exp', [x])
  const less = g.node('Sub', [u, one])
  const accurate = g.node('Mul', [less, g.node('Div', [x, g.node('Log', [u])])])
  const isOne = g.node('Equal', [u, one])
  const isEdge = g.node('Or', [isInfinite(g, u), g.node('Equal', [u, number(g, 0, call)])])
  return g.node('Where', [isOne, x, g.node('Where', [isEdge, less, accurate])])
}

const isInfinite = (g: Emitter, x: string) => g.node('IsInf', [x])

const clip = (g: Emitter, x: string, low: number, high: number, call: OpValue) =>
  g.node('Clip', [
    x,
    low === -Infinity ? '' : number(g, low, call),
    high === Infinity ? '' : number(g, high, call),
  ])

const scaled = (g: Emitter, x: string, factor: number, call: OpValue) =>
  g.node('Mul', [x, number(g, factor, call)])

/** x·(1 + y)/2 */
const gated = (g: Emitter, x: string, y: string, call: OpValue) =>
  g.node('Mul', [scaled(g, x, 0.5, call), g.node('Add', [y, number(g, 1, call)])])

export const elementwiseRows: Rows = {
  add: same('Add'),
  sub: same('Sub'),
  mul: same('Mul'),
  div: same('Div'),
  truncDivide: same('Div'),
  pow: same('Pow'),
  maximum: same('Max'),
  minimum: same('Min'),
  remainder: elementwise(remainder),
  floorDivide: elementwise(floorDivide),
  equal: comparison('Equal'),
  notEqual: comparison('Equal', true),
  less: comparison('Less'),
  lessEqual: comparison('LessOrEqual'),
  greater: comparison('Greater'),
  greaterEqual: comparison('GreaterOrEqual'),
  logicalAnd: truth('And'),
  logicalOr: truth('Or'),
  logicalXor: truth('Xor'),
  logicalNot: truth('Not'),
  where: elementwise((g, [condition, a, b], _, call) =>
    g.node('Where', [inputType(call) === 'bool' ? condition : g.asBool(condition), a, b]),
  ),
  affine: elementwise((g, [x], { scale, shift }, call) => {
    const y = scale === 1 ? x : scaled(g, x, scale, call)
    return shift === 0 ? y : g.node('Add', [y, number(g, shift, call)])
  }),
  cast: elementwise((g, [x], { to }) => g.cast(x, to)),
  clip: elementwise((g, [x], { low, high }, call) => clip(g, x, low, high, call)),
  hardtanh: elementwise((g, [x], { min, max }, call) => clip(g, x, min, max, call)),

  neg: same('Neg'),
  abs: same('Abs'),
  sign: same('Sign'),
  exp: same('Exp'),
  log: same('Log'),
  sqrt: same('Sqrt'),
  square: elementwise((g, [x]) => g.node('Mul', [x, x])),
  reciprocal: same('Reciprocal'),
  sin: same('Sin'),
  cos: same('Cos'),
  log1p: elementwise(log1p),
  expm1: elementwise(expm1),
  erf: same('Erf'),
  floor: same('Floor'),
  ceil: same('Ceil'),
  round: same('Round'),
  trunc: elementwise((g, [x]) =>
    g.node('Mul', [g.node('Sign', [x]), g.node('Floor', [g.node('Abs', [x])])]),
  ),
  isNaN: elementwise((g, x, _, call) => g.asFloat(g.node('IsNaN', x), floatOf(call))),
  isFinite: elementwise((g, x, _, call) => {
    const isBelow = g.node('Less', [g.node('Abs', x), number(g, Infinity, call)])
    return g.asFloat(isBelow, floatOf(call))
  }),

  relu: same('Relu'),
  sigmoid: same('Sigmoid'),
  tanh: same('Tanh'),
  softplus: same('Softplus'),
  softsign: same('Softsign'),
  leakyRelu: elementwise((g, x, { slope }) => g.node('LeakyRelu', x, { alpha: slope })),
  elu: elementwise((g, x, { alpha }) => g.node('Elu', x, { alpha })),
  selu: same('Selu'),
  gelu: elementwise((g, [x], _, call) =>
    gated(g, x, g.node('Erf', [scaled(g, x, Math.SQRT1_2, call)]), call),
  ),
  geluTanh: elementwise((g, [x], _, call) => {
    const cube = g.node('Mul', [x, g.node('Mul', [x, x])])
    const inner = g.node('Add', [x, scaled(g, cube, 0.044715, call)])
    return gated(g, x, g.node('Tanh', [scaled(g, inner, Math.sqrt(2 / Math.PI), call)]), call)
  }),
  silu: elementwise((g, [x]) => g.node('Mul', [x, g.node('Sigmoid', [x])])),
  mish: elementwise((g, [x]) => g.node('Mul', [x, g.node('Tanh', [g.node('Softplus', [x])])])),
}
