/** How a kernel of TensorFlow.js is computed here. */

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Handle } from '../../internal.js'
import type { NeuroblasBackend } from './backend.js'
import { NONE, type NumericType } from './entry.js'
import { type Shape, sizeOf } from './shape.js'

type Result = TensorInfo | TensorInfo[]

/** The result, or undefined, which leaves the call to the backend `cpu`. */
export type Rule<Inputs = never, Attributes = never> = (
  backend: NeuroblasBackend,
  inputs: Inputs,
  attributes: Attributes,
) => Result | undefined

/** By the kernel's name. */
export type Rules = Readonly<Record<string, Rule>>

/** A rule that is called by another one. */
export type Tensors<Names extends string> = Record<Names, TensorInfo>

/** A rule's entry in a table of rules. */
export function rule<Inputs, Attributes>(compute: Rule<Inputs, Attributes>): Rule {
  return compute as Rule
}

/** A new buffer that elements of this shape fit into. */
export function allocate(backend: NeuroblasBackend, shape: Shape, dtype: NumericType): Handle {
  return backend.device.alloc(sizeOf(shape), dtype)
}

/** The buffers of tensors that are all of one dtype, or undefined. */
export function handlesOf(
  backend: NeuroblasBackend,
  tensors: readonly TensorInfo[],
  dtype: NumericType,
): Handle[] | undefined {
  const handles: Handle[] = []
  for (const tensor of tensors) {
    const handle = tensor.dtype === dtype ? backend.handleOf(tensor) : NONE
    if (handle === NONE) return undefined
    handles.push(handle)
  }
  return handles
}

/** The buffer of a tensor of float32, else NONE. */
export function floatsOf(backend: NeuroblasBackend, x: TensorInfo): Handle {
  return x.dtype === 'float32' ? backend.handleOf(x) : NONE
}
