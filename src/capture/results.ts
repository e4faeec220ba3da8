/**
 * The tensors in what a captured function returns, and the same arrays and objects around other
 * tensors.
 */
import { CaptureError } from '../base/errors.js'
import { type AnyTensor, Tensor } from '../tensor/tensor.js'

/** What a captured function may return: a tensor, or tensors in arrays and objects, or nothing. */
export type Results =
  | AnyTensor
  | readonly Results[]
  | { readonly [name: string]: Results }
  | undefined
  // biome-ignore lint/suspicious/noConfusingVoidType: of a function that returns nothing
  | void

/** The tensors in what fn returned, in order. */
export function tensorsIn(results: Results): AnyTensor[] {
  if (results instanceof Tensor) return [results]
  if (results === undefined) return []
  if (typeof results !== 'object' || results === null) {
    throw new CaptureError(
      `capture: expected tensors, or arrays and objects of tensors, as results, got ${typeof results}`,
    )
  }
  return Object.values(results as object).flatMap((item) => tensorsIn(item))
}

/** The same structure around other tensors. */
export function replaceTensors(results: Results, tensors: readonly AnyTensor[]): Results {
  let next = 0
  const replace = (item: Results): Results => {
    if (item instanceof Tensor) return tensors[next++]
    if (item === undefined) return undefined
    if (Array.isArray(item)) return item.map(replace)
    return Object.fromEntries(
      Object.entries(item as object).map(([key, value]) => [key, replace(value)]),
    )
  }
  return replace(results)
}
