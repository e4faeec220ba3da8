/** A bias fused with the activation after it, and the gradients of both. */
import { isRowForEach } from '../backend/broadcast.js'
import {
  areStable,
  hasBetween,
  madeOnlyFor,
  replaceSteps,
  type Users,
  usersOf,
} from '../backend/rewrite.js'
import {
  argumentsOf,
  call,
  calls,
  type Tape,
  type TapeBuffer,
  type TapeStep,
} from '../backend/tape.js'

/** What each kernel becomes together with the bias's. */
const withBias = { relu: 'biasRelu', sigmoid: 'biasSigmoid', tanh: 'biasTanh' } as const
const withBiasGradient = {
  reluGrad: 'biasReluGrad',
  sigmoidGrad: 'biasSigmoidGrad',
  tanhGrad: 'biasTanhGrad',
} as const

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
    if (!calls(step, 'relu', 'sigmoid', 'tanh')) continue
    const { x: sum, y, n } = argumentsOf(step)
    const from = madeOnlyFor(tape, users[sum], sum, at)
    if (from === undefined || y === sum) continue
    const addition = tape.steps[from]
    if (!calls(addition, 'add')) continue
    const { a: x, b: bias, y: added, n1: rows, n2: cols, ...broadcast } = argumentsOf(addition)
    const isStable = areStable(users, [x, bias], from, at)
    const isBias = isRowForEach(broadcast) && rows * cols === n
    if (added !== sum || !isBias || !isStable || y === bias || bias === sum) continue
    replaced.set(from, undefined)
    replaced.set(at, call(withBias[step.kernel], { x, bias, y, rows, cols }))
  }
  return replaceSteps(tape, replaced)
}

/** dx = dy·g', then the sums of its columns, becomes one kernel where dx was computed. */
function fuseBiasGradients(tape: Tape): Tape {
  const users = usersOf(tape)
  const replaced = new Map<number, TapeStep | undefined>()
  const added: TapeBuffer[] = []
  for (const [at, step] of tape.steps.entries()) {
    if (!calls(step, 'reluGrad', 'sigmoidGrad', 'tanhGrad')) continue
    const { y, dy, dx, n } = argumentsOf(step)
    const summed = users[dx].readers.find((reader) => isColumnSum(tape, users, at, reader, dx, n))
    const sum = summed === undefined ? undefined : tape.steps[summed]
    if (summed === undefined || !calls(sum, 'sum')) continue
    const { y: dbias, length: rows, inner: cols } = argumentsOf(sum)
    if (dbias === y || dbias === dy) continue
    const scratch = tape.buffers.length + added.length
    added.push({ dtype: tape.buffers[dx].dtype, length: Math.ceil(rows / 16) * cols })
    const args = { y, dy, dx, dbias, scratch, rows, cols }
    replaced.set(at, call(withBiasGradient[step.kernel], args))
    replaced.set(summed, undefined)
  }
  return replaceSteps(tape, replaced, added)
}

/** Whether a step adds up the columns of dx, which the step `at` wrote, and could do so at once. */
function isColumnSum(
  { steps }: Tape,
  users: readonly Users[],
  at: number,
  reader: number,
  dx: number,
  size: number,
): boolean {
  const step = steps[reader]
  if (!calls(step, 'sum') || reader < at) return false
  const { x, y: dbias, outer, length: rows, inner: cols, scale } = argumentsOf(step)
  const { readers, writers } = users[dbias]
  // A single column is summed in another order.
  return (
    x === dx &&
    outer === 1 &&
    rows * cols === size &&
    cols > 1 &&
    scale === 1 &&
    !hasBetween(users[dx].writers, at, reader) &&
    !hasBetween([...readers, ...writers], at, reader)
  )
}
