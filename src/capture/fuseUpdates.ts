/** Weight gradients fused with the optimizer's update of the weights. */
import { hasBetween, isInside, replaceSteps, usersOf } from '../backend/rewrite.js'
import { argumentsOf, call, calls, type Tape, type TapeStep } from '../backend/tape.js'

/** The product that is a gradient: dw [m, n] = op(a)·op(b). */
type Product = Record<'a' | 'b' | 'transA' | 'transB' | 'm' | 'n' | 'k' | 'panels', number>

/** An optimizer's update of w by dw, both of n elements. */
interface Update {
  readonly w: number
  readonly dw: number
  readonly n: number
  /** What the optimizer keeps for w. */
  readonly states: readonly number[]
  /** The update with the product in it. */
  fused(product: Product): TapeStep
}

function updateOf(step: TapeStep): Update | undefined {
  if (calls(step, 'sgd')) {
    const { w, dw, settings, n } = argumentsOf(step)
    return {
      w,
      dw,
      n,
      states: [],
      fused: (product) => call('gemmSgd', { ...product, w, settings }),
    }
  }
  if (calls(step, 'sgdMomentum')) {
    const { dw, n, ...kept } = argumentsOf(step)
    const fused = (product: Product) => call('gemmSgdMomentum', { ...product, ...kept })
    return { w: kept.w, dw, n, states: [kept.velocity], fused }
  }
  if (calls(step, 'adam')) {
    const { dw, n, ...kept } = argumentsOf(step)
    const fused = (product: Product) => call('gemmAdam', { ...product, ...kept })
    return { w: kept.w, dw, n, states: [kept.mean, kept.square], fused }
  }
  return undefined
}

/**
 * dW = op(a)·op(b), then one update of W with it, becomes one kernel that never stores the gradient.
 * It happens where the update was, so that everything else still sees the W that it saw; a and b must
 * not have changed by then.
 */
export function fuseGradientsWithUpdates(tape: Tape): Tape {
  const users = usersOf(tape)
  const replaced = new Map<number, TapeStep | undefined>()
  for (const [at, step] of tape.steps.entries()) {
    const update = updateOf(step)
    if (update === undefined) continue
    const { w, dw, states } = update
    const { writers, readers } = users[dw]
    const from = writers[0]
    const gradient = tape.steps[from]
    // gemm reads c only for beta ≠ 0, but counts as a reader of it.
    const isOnlyForThis =
      isInside(tape.buffers[dw]) &&
      writers.length === 1 &&
      readers.every((reader) => reader === at || reader === from)
    if (!calls(gradient, 'gemm') || !isOnlyForThis) continue
    const { c, alpha, beta, ...product } = argumentsOf(gradient)
    const { a, b, m, n } = product
    const isStable = [a, b].every(
      (operand) =>
        operand !== w && !states.includes(operand) && !hasBetween(users[operand].writers, from, at),
    )
    const isPlain = alpha === 1 && beta === 0 && product.panels === 0 && m * n === update.n
    if (c !== dw || !isPlain || !isStable) continue
    replaced.set(from, undefined)
    replaced.set(at, update.fused(product))
  }
  return replaceSteps(tape, replaced)
}
