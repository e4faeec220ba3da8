/** Operators of each element: arithmetic, comparisons, logic, conversions. */
import { isFloat } from '../../../../backend/dtype.js'
import { DataError } from '../../../../base/errors.js'
import { where } from '../../../../ops/elementwise.js'
import { floatOf } from '../../../../tensor/allocate.js'
import type { AnyTensor } from '../../../../tensor/tensor.js'
import { dataType } from '../../schema.js'
import type { Call, Operator, Operators } from '../call.js'
import { kindOf, nameOfType } from '../constant.js'
import type { Node } from '../node.js'
import { binary, type Kind, pointwise, Value } from '../value.js'

/** x as floats, which it is on the backend of constants. */
export const floats = (x: AnyTensor): AnyTensor => (isFloat(x.dtype) ? x : x.cast(floatOf(x)))

/** Of one input. */
const unary = (fn: (x: AnyTensor) => AnyTensor, kind?: Kind): Operator => ({
  run: (call) => pointwise(kind ?? call.input(0).kind, [call.input(0)], fn),
})

type Pair = (x: AnyTensor, y: AnyTensor | number) => AnyTensor

/** Of two inputs, either of which may be a weight. */
const arithmetic = (fn: Pair): Operator => ({
  isArithmetic: true,
  weights: [0, 1],
  run: (call) => binary(call.input(0).kind, call.input(0), call.input(1), fn),
})

const comparison = (fn: Pair): Operator => ({
  run: (call) => {
    const [x, y] = [call.input(0), call.input(1)]
    if (x.kind === 'text' || y.kind === 'text') throw new DataError('expected numbers, got text')
    return binary('bool', x, y, fn)
  },
})

const logic = (fn: (x: AnyTensor, y: AnyTensor) => AnyTensor): Operator => ({
  run: (call) => pointwise('bool', [call.input(0), call.input(1)], fn),
})

/** Of any number of inputs, from the first to the last. */
const folded = (fn: Pair): Operator => ({
  run: ({ all: [first, ...others] }) =>
    others.reduce((x, y) => pointwise(x.kind, [x, y], fn), first),
})

/** Whole numbers are divided towards 0. */
function divide(call: Call): Value {
  const [x, y] = [call.input(0), call.input(1)]
  if (x.kind !== 'int') return binary(x.kind, x, y, (a, b) => a.div(b))
  return pointwise('int', [x, y], (a, b) => a.div(b, { roundingMode: 'trunc' }))
}

/** The rest has the sign of the divisor, or with `fmod` that of the dividend. */
function modulo(call: Call): Value {
  const [x, y] = [call.input(0), call.input(1)]
  if (!call.node.flag('fmod')) return pointwise(x.kind, [x, y], (a, b) => a.remainder(b))
  return pointwise(x.kind, [x, y], (a, b) => {
    const sign = a.sign()
    return a.abs().remainder(b.abs()).mul(sign)
  })
}

function mean(call: Call): Value {
  const sum = folded((x, y) => x.add(y)).run(call) as Value
  return pointwise('float', [sum], (x) => x.div(call.all.length))
}

function clip(call: Call): Value {
  const x = call.input(0)
  const low = call.limit('min', 1, -Infinity)
  const high = call.limit('max', 2, Infinity)
  // Where the bounds are in the wrong order, the upper one counts.
  return pointwise(x.kind, [x], (a) => floats(a).clip(Math.min(low, high), high))
}

/** Whole numbers of 8 and 16 bits would wrap around. */
const CASTS: readonly number[] = [
  dataType.float,
  dataType.double,
  dataType.float16,
  dataType.bfloat16,
  dataType.int32,
  dataType.int64,
  dataType.bool,
  dataType.string,
]

function refuseCast(node: Node): string | undefined {
  const to = node.has('to') ? node.number('to') : dataType.float
  return CASTS.includes(to) ? undefined : `to ${nameOfType(to)}`
}

function cast(x: Value, kind: Kind): Value {
  if (x.kind === kind) return x
  if (x.kind === 'text' || kind === 'text') return castText(x, kind)
  const isWhole = kind === 'int' && x.kind === 'float' && x.isHost
  return pointwise(kind, [x], (a) => (isWhole ? a.trunc() : a))
}

/** Only of constants and of the texts of a vocabulary: what a batch holds is never read. */
function castText(x: Value, kind: Kind): Value {
  if (x.kind === 'text') {
    const table = Value.of(kind, x.vocabulary!.map(Number), [x.vocabulary!.length])
    return lookUp(table, x)
  }
  throw new DataError(
    'expected text or numbers to stay what they are, got numbers to be cast to text',
  )
}

/** For each position its element of a list. */
export function lookUp(table: Value, positions: Value): Value {
  const isHost = table.isHost && positions.isHost
  const at = new Value('int', isHost ? positions.tensor : positions.device)
  if (isHost) return table.map((x) => x.take(at.tensor.cast('int32')))
  return new Value(table.kind, table.device.take(at.device), undefined, table.vocabulary)
}

function select(call: Call): Value {
  const [condition, x, y] = [call.input(0), call.input(1), call.input(2)]
  return pointwise(x.kind, [condition, x, y], (mask, a, b) => where(mask, a, b))
}

function infinite(call: Call): Value {
  const { node } = call
  const [up, down] = [node.flag('detect_positive', true), node.flag('detect_negative', true)]
  return pointwise('bool', [call.input(0)], (x) => {
    const above = x.equal(up ? Infinity : NaN)
    return above.add(x.equal(down ? -Infinity : NaN))
  })
}

const same: Operator = { passes: true, run: (call) => call.input(0) }

export const elementwise: Operators = {
  Abs: unary((x) => x.abs()),
  Add: arithmetic((x, y) => x.add(y)),
  And: logic((x, y) => x.logicalAnd(y)),
  Cast: {
    attributes: ['to', 'saturate', 'round_mode'],
    refuse: refuseCast,
    run: (call) => cast(call.input(0), kindOf(call.node.number('to'))!),
  },
  CastLike: {
    attributes: ['saturate', 'round_mode'],
    run: (call) => cast(call.input(0), call.input(1).kind),
  },
  Ceil: unary((x) => x.ceil()),
  Clip: { attributes: ['min', 'max'], run: clip },
  Cos: unary((x) => x.cos()),
  Div: { isArithmetic: true, weights: [0, 1], run: divide },
  Equal: comparison((x, y) => x.equal(y)),
  Erf: unary((x) => x.erf()),
  Exp: unary((x) => x.exp()),
  Floor: unary((x) => x.floor()),
  Greater: comparison((x, y) => x.greater(y)),
  GreaterOrEqual: comparison((x, y) => x.greaterEqual(y)),
  Identity: same,
  IsInf: { attributes: ['detect_negative', 'detect_positive'], run: infinite },
  IsNaN: unary((x) => x.isNaN(), 'bool'),
  Less: comparison((x, y) => x.less(y)),
  LessOrEqual: comparison((x, y) => x.lessEqual(y)),
  Log: unary((x) => x.log()),
  Max: folded((x, y) => x.maximum(y)),
  Mean: { run: mean },
  Min: folded((x, y) => x.minimum(y)),
  Mod: { attributes: ['fmod'], run: modulo },
  Mul: arithmetic((x, y) => x.mul(y)),
  Neg: unary((x) => x.neg()),
  Not: unary((x) => x.logicalNot(), 'bool'),
  Or: logic((x, y) => x.logicalOr(y)),
  Pow: {
    run: (call) =>
      binary(call.input(0).kind, call.input(0), call.input(1), (x, y) =>
        floats(x).pow(typeof y === 'number' ? y : floats(y)),
      ),
  },
  Reciprocal: unary((x) => x.reciprocal()),
  Round: unary((x) => x.round()),
  Sign: unary((x) => x.sign()),
  Sin: unary((x) => x.sin()),
  Sqrt: unary((x) => x.sqrt()),
  Sub: arithmetic((x, y) => x.sub(y)),
  Sum: folded((x, y) => x.add(y)),
  Tan: unary((x) => x.sin().div(x.cos())),
  Where: { run: select },
  Xor: logic((x, y) => x.logicalXor(y)),
}
