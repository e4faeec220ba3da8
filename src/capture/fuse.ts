/**
 * Rewrites of a tape that save passes over memory. Each looks for kernels in a certain relation and
 * puts one kernel in their place; what it computes is the same but for rounding.
 */
import { type Tape, type TapeStep, uses } from './tape.js'

/** The tape with all rewrites applied. */
export function fuse(tape: Tape): Tape {
  return fuseGradientWithStep(tape)
}

/** Which steps read or write each buffer. */
function usersOf(tape: Tape): { readers: number[]; writers: number[] }[] {
  const users = tape.buffers.map(() => ({ readers: [] as number[], writers: [] as number[] }))
  for (const [at, { kernel, args }] of tape.steps.entries()) {
    for (const [i, value] of args.entries()) {
      const use = uses[kernel][i]
      if (use === 'read' || use === 'update') users[value].readers.push(at)
      if (use === 'write' || use === 'update') users[value].writers.push(at)
    }
  }
  return users
}

/**
 * dW = op(a)·op(b), then one step of plain SGD on W with it, becomes one product that is added to W:
 * the gradient is never stored. It happens where the step was, so that everything else still sees
 * the W that it saw; a and b must not have changed by then.
 */
function fuseGradientWithStep(tape: Tape): Tape {
  const users = usersOf(tape)
  const replaced = new Map<number, TapeStep | undefined>()
  for (const [at, step] of tape.steps.entries()) {
    if (step.kernel !== 'sgd') continue
    const [w, dw, settings, size] = step.args
    const { writers, readers } = users[dw]
    const product = tape.steps[writers[0]]
    // gemm reads c only for beta ≠ 0, but counts as a reader of it.
    const isOnlyForThis =
      tape.buffers[dw].shared === undefined &&
      writers.length === 1 &&
      readers.every((reader) => reader === at || reader === writers[0])
    if (product?.kernel !== 'gemm' || !isOnlyForThis) continue
    const [a, b, , transA, transB, m, n, k, alpha, beta] = product.args
    const isStable = [a, b].every(
      (operand) =>
        operand !== w &&
        !users[operand].writers.some((writer) => writer > writers[0] && writer < at),
    )
    if (alpha !== 1 || beta !== 0 || m * n !== size || !isStable) continue
    replaced.set(writers[0], undefined)
    replaced.set(at, { kernel: 'gemmSgd', args: [a, b, w, settings, transA, transB, m, n, k] })
  }
  const steps = tape.steps.flatMap((step, at) => {
    const instead = replaced.has(at) ? replaced.get(at) : step
    return instead ? [instead] : []
  })
  return { buffers: tape.buffers, steps }
}
