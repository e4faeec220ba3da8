/** Which parameters of a group are regularized, by what, and what that adds to the loss. */
import { isParameter } from '../nn/module.js'
import { noGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Regularizer } from './regularizers.js'

/** A group's settings, as far as they matter here. */
interface Regularized {
  regularizer?: Regularizer | readonly Regularizer[]
}

/** Biases are left alone; tensors that are no Parameter count as weights. */
export function isRegularized(parameter: Tensor): boolean {
  return !isParameter(parameter) || parameter.regularized
}

const NONE: readonly Regularizer[] = []

export function regularizersOf({ regularizer = NONE }: Regularized): readonly Regularizer[] {
  return Array.isArray(regularizer) ? regularizer : [regularizer as Regularizer]
}

/** Σ λ of the regularizers that the update itself takes care of. */
export function builtIn(group: Regularized, kind: 'l1' | 'l2'): number {
  return regularizersOf(group).reduce((sum, regularizer) => sum + (regularizer[kind] ?? 0), 0)
}

/** Whether the update does not know the regularizer, and needs its gradient. */
function isUnknown({ l1, l2 }: Regularizer): boolean {
  return l1 === undefined && l2 === undefined
}

/** The regularizers that the update does not know. */
export function unknownTo(group: Regularized): readonly Regularizer[] {
  return regularizersOf(group).filter(isUnknown)
}

/** Gradients of the regularizers that the update does not know; weights that are frozen get none. */
export function addGradients(group: Regularized & { parameters: readonly Tensor[] }): void {
  for (const regularizer of unknownTo(group)) {
    for (const weight of group.parameters.filter(isRegularized)) {
      const isFrozen = !weight.requiresGrad && weight.grad === null
      if (!isFrozen) regularizer.penalty(weight).backward()
    }
  }
}

/** Σ λ·Ω over the weights that are trained, not frozen. */
export function penaltyOf(
  groups: readonly (Regularized & { parameters: readonly Tensor[] })[],
): number {
  let sum = 0
  for (const group of groups) {
    for (const regularizer of regularizersOf(group)) {
      for (const weight of group.parameters.filter(isRegularized)) {
        if (!weight.requiresGrad) continue
        sum += noGrad(() => scope(() => regularizer.penalty(weight).item()))
      }
    }
  }
  return sum
}
