/**
 * Weights that a training step multiplies with and updates, kept in panels from its first iteration to
 * its last: products with a batch of examples want them so, and would copy them every time.
 */
import { usersOf } from '../rewrite.js'
import {
  argumentsOf,
  call,
  calls,
  type Tape,
  type TapeBuffer,
  type TapeStep,
  uses,
} from '../tape.js'

/**
 * Whether the products of a step with a weight matrix [m, n] and a batch of k examples gain by it: a
 * batch of a few examples reads the weights where they lie.
 */
function pays(m: number, n: number, k: number): boolean {
  return k >= 32 && n >= 64 && m * n * k > 1e6
}

/** Weights [m, n], by their positions in the tape as they are and in panels. */
interface Weights {
  readonly w: number
  readonly packed: number
  readonly m: number
  readonly n: number
}

/** The tape with such weights in panels. */
export function keepWeightsInPanels(tape: Tape): Tape {
  const users = usersOf(tape)
  const buffers: TapeBuffer[] = [...tape.buffers]
  const steps = [...tape.steps]
  const before: TapeStep[] = []
  const after: TapeStep[] = []
  for (const [w, { shared }] of tape.buffers.entries()) {
    const used = [...new Set([...users[w].readers, ...users[w].writers])]
    const shape = used.map((at) => shapeUpdated(tape.steps[at], w)).find((found) => found)
    if (shared === undefined || shape === undefined) continue
    const weights = { w, packed: buffers.length, ...shape }
    // A step that uses the rows otherwise, or a view of them, has no form in panels.
    const instead = used.map((at) => inPanels(tape.steps[at], weights))
    if (!instead.every((step) => step !== undefined)) continue
    const { packed, m: rows, n: cols } = weights
    buffers.push({ dtype: 'float32', length: rows * cols })
    for (const [i, at] of used.entries()) steps[at] = instead[i]
    before.push(call('packPanels', { x: w, y: packed, rows, cols }))
    after.push(call('unpackPanels', { x: packed, y: w, rows, cols }))
  }
  return { buffers, steps, before, after }
}

/** The shape of the weights, where the step is their update and it pays. */
function shapeUpdated(step: TapeStep, weights: number): { m: number; n: number } | undefined {
  if (!calls(step, 'gemmSgd', 'gemmSgdMomentum', 'gemmAdam')) return undefined
  const { w, m, n, k } = argumentsOf(step)
  return w === weights && pays(m, n, k) ? { m, n } : undefined
}

/** The step with the weights in panels, or undefined where it has no such form. */
function inPanels(step: TapeStep, weights: Weights): TapeStep | undefined {
  const place = placeOf(step)
  const isUsedOnce =
    step.args.filter((arg, i) => arg === weights.w && uses[step.kernel][i] !== 'number').length ===
    1
  const isIt =
    place !== undefined &&
    isUsedOnce &&
    place.w === weights.w &&
    place.rows === weights.m &&
    place.cols === weights.n
  if (!isIt) return undefined
  const at = step.args.findIndex((arg, i) => arg === weights.w && uses[step.kernel][i] !== 'number')
  // The last argument of all of these is `panels`.
  return { kernel: step.kernel, args: [...step.args.slice(0, -1).with(at, weights.packed), 1] }
}

/** The weights of a step that has a form in panels, and how it sees them. */
function placeOf(step: TapeStep): { w: number; rows: number; cols: number } | undefined {
  if (calls(step, 'gemmSgd', 'gemmSgdMomentum', 'gemmAdam')) {
    const { w, m, n } = argumentsOf(step)
    return { w, rows: m, cols: n }
  }
  if (calls(step, 'gemm')) {
    const { b, transB, m: _, n, k, beta } = argumentsOf(step)
    if (beta !== 0) return undefined
    return transB === 1 ? { w: b, rows: n, cols: k } : { w: b, rows: k, cols: n }
  }
  if (calls(step, 'linear', 'linearRelu', 'linearSigmoid', 'linearTanh')) {
    const { w, n, k } = argumentsOf(step)
    return { w, rows: k, cols: n }
  }
  if (calls(step, 'gemmReluGrad', 'gemmSigmoidGrad', 'gemmTanhGrad')) {
    const { w, n, k } = argumentsOf(step)
    return { w, rows: n, cols: k }
  }
  return undefined
}
