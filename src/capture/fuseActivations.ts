/** A bias fused with the activation after it, and the gradients of both. */
import type { KernelName } from '../backend/kernels.js'
import type { Tape, TapeBuffer, TapeStep } from '../backend/tape.js'
import { hasBetween, isInside, replaceSteps, type Users, usersOf } from './rewrite.js'

/** What each kernel becomes together with the bias's. */
const withBias: Partial<Record<KernelName, KernelName>> = {
  relu: 'biasRelu',
  sigmoid: 'biasSigmoid',
  tanh: 'biasTanh',
}
const withBiasGradient: Partial<Record<KernelName, KernelName>> = {
  reluGrad: 'biasReluGrad',
  sigmoidGrad: 'biasSigmoidGrad',
  tanhGrad: 'biasTanhGrad',
}

/** Both directions. The bits stay the same. */
export function fuseActivations(tape: Tape): Tape {
  return fuseBiasGradients(fuseBiases(tape))
}

/**
 * x + bias, then y = g of it, becomes one kernel where g was: nobody else may need the sum, and its
 * operands must not have changed by then.
 */
function fuseBiases(tape: Tape): Tape {
  const users = usersOf(tape)
  const replaced = new Map<number, TapeStep | undefined>()
  for (const [at, step] of tape.steps.entries()) {
    const kernel = withBias[step.kernel]
    if (kernel === undefined) continue
    const [sum, y, size] = step.args
    const { readers, writers } = users[sum]
    const from = writers.findLast((writer) => writer < at) ?? -1
    const addition = tape.steps[from]
    const isOnlyForThis =
      isInside(tape.buffers[sum]) &&
      [...readers, ...writers].every((user) => user <= from || user === at)
    if (addition?.kernel !== 'add' || addition.args[2] !== sum) continue
    if (!isOnlyForThis || y === sum) continue
    const [x, bias, , n0, rows, cols, xMask, biasMask] = addition.args
    const isStable = [x, bias].every((operand) => !hasBetween(users[operand].writers, from, at))
    const isBias = n0 === 1 && rows * cols === size && xMask === 7 && (biasMask & 6) === 4
    if (!isBias || !isStable || y === bias || bias === sum) continue
    replaced.set(from, undefined)
    replaced.set(at, { kernel, args: [x, bias, y, rows, cols] })
  }
  return replaceSteps(tape, replaced)
}

/** dx = dy·g', then the sums of its columns, becomes one kernel where dx was computed. */
function fuseBiasGradients(tape: Tape): Tape {
  const users = usersOf(tape)
  const replaced = new Map<number, TapeStep | undefined>()
  const added: TapeBuffer[] = []
  for (const [at, step] of tape.steps.entries()) {
    const kernel = withBiasGradient[step.kernel]
    if (kernel === undefined) continue
    const [y, dy, dx, size] = step.args
    const summed = users[dx].readers.find(
      (reader) => tape.steps[reader].args[0] === dx && isColumnSum(tape, users, at, reader, size),
    )
    if (summed === undefined) continue
    const [, dbias, , rows, cols] = tape.steps[summed].args
    if (dbias === y || dbias === dy) continue
    const scratch = tape.buffers.length + added.length
    added.push({ dtype: 'float32', length: Math.ceil(rows / 16) * cols })
    replaced.set(at, { kernel, args: [y, dy, dx, dbias, scratch, rows, cols] })
    replaced.set(summed, undefined)
  }
  return replaceSteps(tape, replaced, added)
}

/** Whether the step adds up the columns of what the step `at` wrote, and could do so at once. */
function isColumnSum(
  { steps }: Tape,
  users: readonly Users[],
  at: number,
  reader: number,
  size: number,
): boolean {
  const { kernel, args } = steps[reader]
  if (kernel !== 'sum' || reader < at) return false
  const [dx, dbias, outer, rows, cols, scale] = args
  const { readers, writers } = users[dbias]
  // A single column is summed in another order.
  return (
    outer === 1 &&
    rows * cols === size &&
    cols > 1 &&
    scale === 1 &&
    !hasBetween(users[dx].writers, at, reader) &&
    !hasBetween([...readers, ...writers], at, reader)
  )
}
