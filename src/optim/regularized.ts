/** Which parameters of a group are regularized, and by what. */
import { isParameter } from '../nn/module.js'
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

export function regularizersOf({ regularizer = [] }: Regularized): readonly Regularizer[] {
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
