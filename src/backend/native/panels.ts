/**
 * Weights that a training step multiplies with and updates, kept in panels from its first iteration to
 * its last: products with a batch of examples want them so, and would copy them every time.
 */
import { usersOf } from '../rewrite.js'
import { argumentsOf, call, calls, type Tape, type TapeBuffer, type TapeStep } from '../tape.js'

/**
 * Whether all products of a step with a weight matrix [m, n] and a batch of k examples gain by it.
 * By measurement (one core with AVX-512 and 2 MiB of second-level cache), time with panels against
 * without, the three products of a layer together: 0.82 at 784 × 128 and a batch of 32, 0.92 to 0.95
 * at 128, 0.92 at 1000 × 500 and 64, 0.94 at 1024 × 1024 and 128. Batches of 1024 and matrices beyond
 * the second cache by far lose. Where it pays, products without panels go by the same tiles
 * (native/gemm/tiles.cc), so that the bits are the same.
 */
function pays(m: number, n: number, k: number): boolean {
  return k >= 32 && k <= 128 && n >= 64 && m * n * k > 1e6 && m * n <= 1_200_000
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
  if (!calls(step, 'gemmSgd')) return undefined
  const { w, m, n, k } = argumentsOf(step)
  return w === weights && pays(m, n, k) ? { m, n } : undefined
}

/** The step with the weights in panels, or undefined where it has no such form. */
function inPanels(step: TapeStep, { w, packed, m, n }: Weights): TapeStep | undefined {
  if (calls(step, 'gemmSgd')) {
    const args = argumentsOf(step)
    const isIt = args.w === w && ![args.a, args.b, args.settings].includes(w)
    const isGradient = args.transA === 1 && args.transB === 0 && args.m === m && args.n === n
    return isIt && isGradient ? call('gemmSgdPanels', { ...args, w: packed }) : undefined
  }
  if (!calls(step, 'gemm')) return undefined
  const args = argumentsOf(step)
  const isIt = args.b === w && args.a !== w && args.c !== w
  const isPlain = args.transA === 0 && args.alpha === 1 && args.beta === 0
  const [inner, outer] = args.transB === 1 ? [args.n, args.k] : [args.k, args.n]
  if (!isIt || !isPlain || inner !== m || outer !== n) return undefined
  return call('gemmPanels', { ...args, b: packed })
}
