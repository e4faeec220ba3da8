/** Examples in plain typed arrays, and parts of them. */
import { requireMemory } from '../../base/availableMemory.js'
import type { BlockForm } from './blockSource.js'

/** Room for examples: inputs and targets, row by row. */
export interface Rows {
  readonly inputs: Float32Array | Uint8Array
  readonly targets: Int32Array | Float32Array
}

/** Bytes of one example. */
export function bytesOf({ dtype, width, targetWidth }: BlockForm): number {
  return (dtype === 'uint8' ? 1 : 4) * width + 4 * targetWidth
}

/** @throws OutOfMemoryError where there is no memory for so many */
export function allocateRows(op: string, form: BlockForm, count: number): Rows {
  const { name, dtype, isLabels, width, targetWidth } = form
  requireMemory(op, `${count} examples of '${name}' at a time`, count * bytesOf(form))
  return {
    inputs: new (dtype === 'uint8' ? Uint8Array : Float32Array)(count * width),
    targets: new (isLabels ? Int32Array : Float32Array)(count * targetWidth),
  }
}

/** So many of them from one on, over the same memory. */
export function rowsFrom(
  { width, targetWidth }: BlockForm,
  { inputs, targets }: Rows,
  begin: number,
  count: number,
): Rows {
  return {
    inputs: inputs.subarray(begin * width, (begin + count) * width),
    targets: targets.subarray(begin * targetWidth, (begin + count) * targetWidth),
  }
}

/** Copies all of them to the place of others, from one on. */
export function copyRows(
  { width, targetWidth }: BlockForm,
  from: Rows,
  to: Rows,
  at: number,
): void {
  to.inputs.set(from.inputs, at * width)
  to.targets.set(from.targets, at * targetWidth)
}

/** Their bytes, inputs first, over the same memory. */
export function viewsOf({ inputs, targets }: Rows): Uint8Array[] {
  return [inputs, targets].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  )
}
