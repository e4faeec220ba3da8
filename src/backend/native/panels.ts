/**
 * Weights that a training step multiplies with and updates, kept in panels: products with a batch of
 * examples want them so, and would copy them every time. They stay there until somebody else uses them
 * (native/gemm/panels.h).
 */
import { usersOf } from '../rewrite.js'
import { argumentsOf, calls, type Panels, type Tape, type TapeStep, uses } from '../tape.js'

/**
 * Whether the products of a step with a weight matrix [m, n] and a batch of k examples gain by it: a
 * batch of a few examples reads the weights where they lie.
 */
function pays(m: number, n: number, k: number): boolean {
  return k >= 32 && n >= 64 && m * n * k > 1e6
}

/** The tape with such weights in panels. */
export function keepWeightsInPanels(tape: Tape): Tape {
  const users = usersOf(tape)
  const steps = [...tape.steps]
  const panels: Panels[] = []
  for (const [w, { shared }] of tape.buffers.entries()) {
    const used = [...new Set([...users[w].readers, ...users[w].writers])]
    const weights = used.map((at) => updatedIn(tape.steps[at], w)).find((found) => found)
    if (shared === undefined || weights === undefined) continue
    // A step that uses the rows otherwise, or a view of them, has no form in panels.
    const instead = used.map((at) => inPanels(tape.steps[at], weights))
    if (!instead.every((step) => step !== undefined)) continue
    for (const [i, at] of used.entries()) steps[at] = instead[i]
    panels.push(weights)
  }
  return { ...tape, steps, panels }
}

/** The weights, where the step is their update and panels pay. */
function updatedIn(step: TapeStep, buffer: number): Panels | undefined {
  if (!calls(step, 'gemmSgd', 'gemmSgdMomentum', 'gemmAdam')) return undefined
  const { w, m, n, k } = argumentsOf(step)
  return w === buffer && pays(m, n, k) ? { buffer, rows: m, cols: n } : undefined
}

/** The step with the weights in panels, or undefined where it has no such form. */
function inPanels(step: TapeStep, { buffer, rows, cols }: Panels): TapeStep | undefined {
  const seen = weightsOf(step)
  const isUsedOnce =
    step.args.filter((arg, i) => arg === buffer && uses[step.kernel][i] !== 'number').length === 1
  const isIt = isUsedOnce && seen?.buffer === buffer && seen.rows === rows && seen.cols === cols
  // The last argument of all of these is `panels`.
  return isIt ? { kernel: step.kernel, args: step.args.with(-1, 1) } : undefined
}

/** The weights of a step that has a form in panels, and how it sees them. */
function weightsOf(step: TapeStep): Panels | undefined {
  if (calls(step, 'gemmSgd', 'gemmSgdMomentum', 'gemmAdam')) {
    const { w, m, n } = argumentsOf(step)
    return { buffer: w, rows: m, cols: n }
  }
  if (calls(step, 'gemm')) {
    const { b, transB, m: _, n, k, beta } = argumentsOf(step)
    if (beta !== 0) return undefined
    return transB === 1 ? { buffer: b, rows: n, cols: k } : { buffer: b, rows: k, cols: n }
  }
  if (calls(step, 'linear', 'linearRelu', 'linearSigmoid', 'linearTanh')) {
    const { w, n, k } = argumentsOf(step)
    return { buffer: w, rows: k, cols: n }
  }
  if (calls(step, 'gemmReluGrad', 'gemmSigmoidGrad', 'gemmTanhGrad')) {
    const { w, n, k } = argumentsOf(step)
    return { buffer: w, rows: n, cols: k }
  }
  return undefined
}
