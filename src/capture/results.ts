/**
 * The tensors in what a captured function returns, and the same arrays and objects around other
 * tensors.
 */
import { types } from 'node:util'
import { CaptureError, excerpt } from '../base/errors.js'
import { MAX_RANK } from '../tensor/shape.js'
import { type AnyTensor, isTensor } from '../tensor/tensor.js'

/** What a captured function may return: a tensor, or tensors in arrays and objects, or nothing. */
export type Results =
  | AnyTensor
  | readonly Results[]
  | { readonly [name: string]: Results }
  | undefined
  // biome-ignore lint/suspicious/noConfusingVoidType: of a function that returns nothing
  | void

/** The tensors in what fn returned, in order. */
export function tensorsIn(results: Results, depth = 0): AnyTensor[] {
  if (isTensor(results)) return [results]
  if (results === undefined) return []
  if (
    typeof results !== 'object' ||
    results === null ||
    types.isMap(results) ||
    types.isSet(results)
  ) {
    const found = types.isMap(results) || types.isSet(results) ? excerpt(results) : typeof results
    throw new CaptureError(
      `capture: expected tensors, or arrays and objects of tensors, as results, got ${found}`,
    )
  }
  if (depth === MAX_RANK) {
    throw new CaptureError(`capture: expected results nested at most ${MAX_RANK} deep, got more`)
  }
  return Object.values(results as object).flatMap((item) => tensorsIn(item, depth + 1))
}

/** The same structure around other tensors. */
export function replaceTensors(results: Results, tensors: readonly AnyTensor[]): Results {
  let next = 0
  const replace = (item: Results): Results => {
    if (isTensor(item)) return tensors[next++]
    if (item === undefined) return undefined
    if (Array.isArray(item)) return item.map(replace)
    return Object.fromEntries(
      Object.entries(item as object).map(([key, value]) => [key, replace(value)]),
    )
  }
  return replace(results)
}
