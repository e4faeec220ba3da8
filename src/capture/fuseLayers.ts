/** Products fused with the bias and the activation of their layer, and with the gradients of both. */
import { isRowForEach } from '../backend/broadcast.js'
import { areStable, madeOnlyFor, replaceSteps, usersOf } from '../backend/rewrite.js'
import { argumentsOf, call, calls, type Tape, type TapeStep } from '../backend/tape.js'

const withActivation = { relu: 'linearRelu', sigmoid: 'linearSigmoid', tanh: 'linearTanh' } as const
const withProduct = {
  biasReluGrad: 'gemmReluGrad',
  biasSigmoidGrad: 'gemmSigmoidGrad',
  biasTanhGrad: 'gemmTanhGrad',
} as const

/** x·w + bias and its activation, and likewise of convolutions. The bits stay the same. */
export function fuseLayers(tape: Tape): Tape {
  return [addsBias, activates, addsBiasToPixels, activatesPixels].reduce(pairs, tape)
}

/** The way back from a layer through the activation before it. The bits stay the same. */
export function fuseLayerGradients(tape: Tape): Tape {
  return pairs(tape, goesBack)
}

/** Puts one step in the place of two, where `fused` finds it and nothing forbids it. */
export function pairs(
  tape: Tape,
  fused: (step: TapeStep, made: (buffer: number) => TapeStep | undefined) => Fused | undefined,
): Tape {
  const users = usersOf(tape)
  const replaced = new Map<number, TapeStep | undefined>()
  for (const [at, step] of tape.steps.entries()) {
    let from: number | undefined
    const found = fused(step, (buffer) => {
      from = madeOnlyFor(tape, users[buffer], buffer, at)
      return from === undefined || replaced.has(from) ? undefined : tape.steps[from]
    })
    if (found === undefined || from === undefined) continue
    const { operands, results } = found
    const isApart = results.every((result) => !operands.includes(result))
    if (!isApart || !areStable(users, operands, from, at)) continue
    replaced.set(from, undefined)
    replaced.set(at, found.step)
  }
  return replaceSteps(tape, replaced)
}

export interface Fused {
  step: TapeStep
  /** What the first of the two reads, and what the one step writes. */
  operands: readonly number[]
  results: readonly number[]
}

/** x·w, then a bias added to each row. */
function addsBias(
  step: TapeStep,
  made: (buffer: number) => TapeStep | undefined,
): Fused | undefined {
  if (!calls(step, 'add')) return undefined
  const { a: sum, b: bias, y, n0, n1, n2, aMask, bMask } = argumentsOf(step)
  const product = made(sum)
  if (!calls(product, 'gemm') || bias === sum) return undefined
  const { a: x, b: w, c, transA, transB, m, n, k, alpha, beta, panels } = argumentsOf(product)
  const isPlain = transA === 0 && transB === 0 && alpha === 1 && beta === 0 && c === sum
  const isBias = isRowForEach({ n0, aMask, bMask }) && n1 === m && n2 === n
  if (!isPlain || !isBias) return undefined
  const linear = call('linear', { x, w, bias, y, m, n, k, panels })
  return { step: linear, operands: [x, w, bias], results: [y] }
}

/** A convolution, then a bias added to each of its pixels. */
function addsBiasToPixels(
  step: TapeStep,
  made: (buffer: number) => TapeStep | undefined,
): Fused | undefined {
  if (!calls(step, 'add')) return undefined
  const { a: sum, b: bias, y, n0, n1, n2, aMask, bMask } = argumentsOf(step)
  const convolution = made(sum)
  if (!calls(convolution, 'conv') || bias === sum) return undefined
  const args = argumentsOf(convolution)
  const size = args.batch * args.outHeight * args.outWidth * args.filters
  const isBias = isRowForEach({ n0, aMask, bMask }) && n2 === args.filters && n1 * n2 === size
  if (args.y !== sum || !isBias) return undefined
  const fused = call('convBias', { ...args, bias, y })
  return { step: fused, operands: [args.x, args.w, bias], results: [y] }
}

/** A convolution with a bias, then its relu. */
function activatesPixels(
  step: TapeStep,
  made: (buffer: number) => TapeStep | undefined,
): Fused | undefined {
  if (!calls(step, 'relu')) return undefined
  const { x: sum, y, n } = argumentsOf(step)
  const convolution = made(sum)
  if (!calls(convolution, 'convBias')) return undefined
  const args = argumentsOf(convolution)
  const size = args.batch * args.outHeight * args.outWidth * args.filters
  if (args.y !== sum || n !== size) return undefined
  const fused = call('convBiasRelu', { ...args, y })
  return { step: fused, operands: [args.x, args.w, args.bias], results: [y] }
}

/** A layer, then its activation. */
function activates(
  step: TapeStep,
  made: (buffer: number) => TapeStep | undefined,
): Fused | undefined {
  if (!calls(step, 'relu', 'sigmoid', 'tanh')) return undefined
  const { x: sum, y, n: size } = argumentsOf(step)
  const layer = made(sum)
  if (!calls(layer, 'linear')) return undefined
  const args = argumentsOf(layer)
  if (args.y !== sum || args.m * args.n !== size) return undefined
  return {
    step: call(withActivation[step.kernel], { ...args, y }),
    operands: [args.x, args.w, args.bias],
    results: [y],
  }
}

/** dy·wᵀ, then the gradient through the activation before, with that of the bias. */
function goesBack(
  step: TapeStep,
  made: (buffer: number) => TapeStep | undefined,
): Fused | undefined {
  if (!calls(step, 'biasReluGrad', 'biasSigmoidGrad', 'biasTanhGrad')) return undefined
  const { dy: passed, rows, cols, ...kept } = argumentsOf(step)
  const product = made(passed)
  if (!calls(product, 'gemm')) return undefined
  const { a: dy, b: w, c, transA, transB, m, n, k, alpha, beta, panels } = argumentsOf(product)
  const isPlain = transA === 0 && transB === 1 && alpha === 1 && beta === 0 && c === passed
  if (!isPlain || m !== rows || n !== cols || kept.y === passed) return undefined
  return {
    step: call(withProduct[step.kernel], { ...kept, dy, w, m, n, k, panels }),
    operands: [dy, w, kept.y],
    results: [kept.dx, kept.dbias],
  }
}
