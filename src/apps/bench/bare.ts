/**
 * Bare BLAS, a yardstick of the benchmark: only the products of a training step, in a C loop on
 * one thread.
 */
import { BackendError } from '../../index.js'
import { loadAddon } from '../../internal.js'
import type { TrainingCase } from './cases.js'
import type { TimedRun } from './measure.js'
import { productsOf } from './products.js'

/** Throws BackendError where there is no OpenBLAS. */
export function bareProducts(c: TrainingCase): TimedRun {
  const products = productsOf(c).flatMap(({ transA, transB, m, n, k, a, b, c }) => [
    +transA,
    +transB,
    m,
    n,
    k,
    a,
    b,
    c,
  ])
  const addon = loadAddon()
  const { openblasProblem } = addon.info()
  if (openblasProblem)
    throw new BackendError(`bench: bare BLAS needs OpenBLAS (${openblasProblem})`)
  return (repeats) => addon.timeGemms(Float64Array.from(products), repeats)
}
