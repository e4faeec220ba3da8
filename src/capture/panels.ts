/**
 * Weights that a training step multiplies with and updates, kept in panels from its first iteration to its
 * last: products with a batch of examples want them so, and would copy them every time.
 */

import type { Tape, TapeBuffer, TapeStep } from '../backend/tape.js'
import { usersOf } from './rewrite.js'

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

/** The tape with such weights in panels. */
export function keepWeightsInPanels(tape: Tape): Tape {
  const users = usersOf(tape)
  const buffers: TapeBuffer[] = [...tape.buffers]
  const steps = [...tape.steps]
  const before: TapeStep[] = []
  const after: TapeStep[] = []
  for (const [w, { shared }] of tape.buffers.entries()) {
    const used = [...new Set([...users[w].readers, ...users[w].writers])]
    const [m, n] = used.map((at) => shapeUpdated(tape.steps[at], w)).find((shape) => shape) ?? []
    if (shared === undefined || m === undefined || n === undefined) continue
    const packed = buffers.length
    const instead = used.map((at) => inPanels(tape.steps[at], w, packed, m, n))
    if (!instead.every((step) => step !== undefined)) continue
    buffers.push({ dtype: 'float32', length: m * n })
    for (const [i, at] of used.entries()) steps[at] = instead[i]
    before.push({ kernel: 'packPanels', args: [w, packed, m, n] })
    after.push({ kernel: 'unpackPanels', args: [packed, w, m, n] })
  }
  return { buffers, steps, before, after }
}

/** The shape of the weights, where the step is their update and it pays. */
function shapeUpdated({ kernel, args }: TapeStep, w: number): [number, number] | undefined {
  if (kernel !== 'gemmSgd' || args[2] !== w) return undefined
  const [, , , , , , m, n, k] = args
  return pays(m, n, k) ? [m, n] : undefined
}

/** The step with the weights [m, n] in panels, or undefined where it has no such form. */
function inPanels(
  { kernel, args }: TapeStep,
  w: number,
  packed: number,
  m: number,
  n: number,
): TapeStep | undefined {
  if (kernel === 'gemmSgd') {
    const [a, b, updated, settings, transA, transB, rows, cols, k] = args
    const isIt = updated === w && a !== w && b !== w && settings !== w
    if (!isIt || transA !== 1 || transB !== 0 || rows !== m || cols !== n) return undefined
    return { kernel: 'gemmSgdPanels', args: [a, b, packed, settings, m, n, k] }
  }
  if (kernel !== 'gemm') return undefined
  const [a, b, c, transA, transB, rows, cols, k, alpha, beta] = args
  const isIt = b === w && a !== w && c !== w && transA === 0 && alpha === 1 && beta === 0
  const [inner, outer] = transB === 1 ? [cols, k] : [k, cols]
  if (!isIt || inner !== m || outer !== n) return undefined
  return { kernel: 'gemmPanels', args: [a, packed, c, transB, rows, cols, k] }
}
