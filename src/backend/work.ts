/**
 * How much a plan computes, from its shapes alone: enough to tell what is over in no time from what is not,
 * on any machine.
 */
import type { KernelName } from './kernels.js'
import type { Plan } from './program.js'
import { argumentsOf, type TapeStep } from './tape.js'

// The extents of kernels: each element is computed for itself, or m·n·k products are added up.
const EXTENTS = new Set(
  'n n0 n1 n2 m k rows cols outer length inner repeat count height width'.split(' '),
)
/** Of an element that is no product of matrices, about as long as so many of their operations. */
const PER_ELEMENT = 8
/** What it takes to begin a kernel, likewise. */
const PER_STEP = 1000

/** Floating-point operations of a run of one iteration. */
export function workOf({ steps }: Plan): number {
  return steps.reduce((total, step) => total + PER_STEP + operationsOf(step), 0)
}

function operationsOf(step: TapeStep): number {
  const args = Object.entries(argumentsOf<KernelName>(step))
  const elements = args
    .filter(([name]) => EXTENTS.has(name))
    .reduce((product, [, extent]) => product * extent, 1)
  return elements * (step.kernel.startsWith('gemm') ? 2 : PER_ELEMENT)
}
