/**
 * Checks gradients against central differences, in float64 on the pure-JS backend, where both agree
 * to many digits unless a rule is wrong. Not meant for points where a function has a kink.
 */

import { withBackend } from '../backend/current.js'
import { type DType, isFloat } from '../backend/dtype.js'
import { JsBackend } from '../backend/js/backend.js'
import { checkFunction, isWithin, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { tensor } from '../tensor/create.js'
import { withDefaultFloat } from '../tensor/defaultFloat.js'
import { noGrad } from '../tensor/graph.js'
import type { Nested } from '../tensor/print.js'
import { Generator } from '../tensor/random.js'
import { scope } from '../tensor/scope.js'
import { type AnyTensor, isTensor, type Tensor } from '../tensor/tensor.js'

/** Settings of `gradCheck`; both are > 0. */
export interface GradCheckOptions {
  /** Step of the differences, relative to inputs above 1; 1e-5 by default. */
  eps?: number
  /** Largest relative error that is still ok; 1e-6 by default. */
  tolerance?: number
}

/** One element of the gradient, by both ways. */
export interface GradCheckElement {
  /** Which input. */
  input: number
  /** Its position in that input, row-major. */
  index: number
  /** The derivative that `backward` gives. */
  analytic: number
  /** The derivative by central differences. */
  numeric: number
}

/** What `gradCheck` found. */
export interface GradCheckResult {
  /** Whether no relative error is above the tolerance. */
  ok: boolean
  /** The largest relative error of any element; 0 when there is nothing to check. */
  maxRelativeError: number
  /** Where the relative error is largest; null when there is nothing to check. */
  worst: GradCheckElement | null
}

type Input = AnyTensor | Nested
type AsTensor<T> = T extends Tensor<infer D extends DType> ? Tensor<D> : Tensor

/** An element is measured against at least this share of the largest one. */
const NEGLIGIBLE = 1e-3
/** Rounding errors of the objective, in units of its last place. */
const ROUNDING = 4 * Number.EPSILON

/**
 * Compares the gradient of a function of tensors with central differences. A result that is not a
 * scalar is reduced by fixed random weights. The error of an element is relative to that element,
 * or to the smallest gradient that differences can tell from rounding, if that is larger.
 * @param fn computes a tensor from tensors in the order of the inputs, and from nothing that changes
 * @param inputs tensors (copied) or nested arrays; tensors of integers are passed on unchecked
 * @throws ArgumentError when fn gives no tensor or an option is not above 0, AutogradError when its result
 * depends on no input
 * @example gradCheck((x, w) => x.matmul(w).tanh(), [[[1, 2]], [[3], [4]]]).ok
 */
export function gradCheck<const Inputs extends readonly Input[]>(
  fn: (...inputs: { -readonly [I in keyof Inputs]: AsTensor<Inputs[I]> }) => Tensor,
  inputs: Inputs,
  options: GradCheckOptions = {},
): GradCheckResult {
  const given = optionsOf('gradCheck', options, { eps: true, tolerance: true })
  const { eps = 1e-5, tolerance = 1e-6 } = given
  checkFunction('gradCheck', 'a function of tensors', fn)
  if (!Array.isArray(inputs)) {
    throw new ArgumentError(`gradCheck: expected a list of inputs, got ${excerpt(inputs)}`)
  }
  if (
    !isWithin(eps, Number.MIN_VALUE, Infinity) ||
    !isWithin(tolerance, Number.MIN_VALUE, Infinity)
  ) {
    throw new ArgumentError(
      `gradCheck: expected eps and tolerance > 0, got ${excerpt(eps)} and ${excerpt(tolerance)}`,
    )
  }
  return inFloat64(() =>
    scope(() => {
      const copies = inputs.map(copy)
      const objective = reduced(() => fn(...(copies as Parameters<typeof fn>)))
      const y = objective()
      y.backward()
      const elements = copies.flatMap((x, input) =>
        x.requiresGrad ? differences(x, input, objective, eps) : [],
      )
      const resolved = (ROUNDING * Math.abs(y.item())) / (eps * tolerance)
      return compare(elements, tolerance, resolved)
    }),
  )
}

/** With float64 as the dtype of what fn makes, on the backend whose kernels have it. */
function inFloat64<T>(fn: () => T): T {
  return withBackend(new JsBackend(), () => withDefaultFloat('float64', fn))
}

/** A float input in float64, on the current backend, and any other as it is. */
function copy(input: Input): AnyTensor {
  if (!isTensor(input)) return asLeaf(tensor(input))
  if (isFloat(input.dtype)) return asLeaf(tensor(input.toArray(), input.shape))
  return tensor(input.toArray(), input.shape, input.dtype)
}

function asLeaf(x: AnyTensor): AnyTensor {
  x.requiresGrad = true
  return x
}

/** The function as one with a scalar result. */
function reduced(fn: () => unknown): () => Tensor {
  let weights: Tensor | undefined
  return () => {
    const y = fn()
    if (!isTensor(y)) {
      throw new ArgumentError(
        `gradCheck: expected a function that returns a tensor, got ${excerpt(y)}`,
      )
    }
    if (y.size === 1) return y.sum()
    // Away from 0, so that no element goes unnoticed, and different, so that no error cancels out.
    weights ??= new Generator(0).uniform(y.shape, 0.5, 1.5)
    return y.mul(weights).sum()
  }
}

/** In a check, floats are float64 whatever their static type says. */
const float64Of = (x: AnyTensor): Float64Array => x.data()

/** The gradient with respect to one input, element by element. */
function differences(
  x: Tensor,
  input: number,
  objective: () => Tensor,
  eps: number,
): GradCheckElement[] {
  const values = float64Of(x)
  const gradient = x.grad ? float64Of(x.grad) : new Float64Array(x.size)
  const evaluate = (index: number, value: number): number => {
    x.assign(values.with(index, value))
    return noGrad(() => scope(() => objective().item()))
  }
  const elements = Array.from(values, (value, index) => {
    const step = eps * Math.max(1, Math.abs(value))
    const [low, high] = [value - step, value + step]
    const numeric = (evaluate(index, high) - evaluate(index, low)) / (high - low)
    return { input, index, analytic: gradient[index], numeric }
  })
  x.assign(values)
  return elements
}

function compare(
  elements: readonly GradCheckElement[],
  tolerance: number,
  resolved: number,
): GradCheckResult {
  const sizeOf = ({ analytic, numeric }: GradCheckElement) =>
    Math.max(Math.abs(analytic), Math.abs(numeric))
  const largest = elements.reduce((size, element) => Math.max(size, sizeOf(element)), 0)
  const least = Math.max(NEGLIGIBLE * largest, resolved)
  let maxRelativeError = 0
  let worst: GradCheckElement | null = null
  for (const element of elements) {
    const difference = Math.abs(element.analytic - element.numeric)
    const relative = difference === 0 ? 0 : difference / Math.max(sizeOf(element), least)
    const error = Number.isNaN(relative) ? Infinity : relative
    if (worst === null || error > maxRelativeError) {
      maxRelativeError = error
      worst = element
    }
  }
  return { ok: maxRelativeError <= tolerance, maxRelativeError, worst }
}
