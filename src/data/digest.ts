/** A digest of all that a training reads of a data set: another one cannot be taken for it. */
import { createHash } from 'node:crypto'
import { yielder } from '../base/eventLoop.js'
import { kindOfTypedArray } from '../base/typedArrays.js'
import type { Dataset } from './dataset.js'

// What is read at a time: below a millisecond.
const PIECE_BYTES = 2 ** 18

/** SHA-256 over shapes, types, classes and values, in hexadecimal; the event loop goes on meanwhile. */
export async function digestOf(data: Dataset): Promise<string> {
  const { size, inputs, inputShape, scale, targets, targetShape, classes } = data
  const kinds = [inputs, targets].map(kindOfTypedArray)
  return digestOfValues({ size, inputShape, scale, targetShape, classes, kinds }, [inputs, targets])
}

/** The same over what the header says and the values of some arrays. */
export async function digestOfValues(
  header: unknown,
  arrays: readonly ArrayBufferView[],
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(header))
  const yieldIfDue = yielder()
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (let at = 0; at < byteLength; at += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, byteLength - at)
      hash.update(new Uint8Array(buffer, byteOffset + at, length))
      await yieldIfDue()
    }
  }
  return hash.digest('hex')
}
