/**
 * A digest of a recorded step: the same for the same computation in every process, on every backend.
 * It is taken of the tape before that is rewritten, which goes by the machine.
 */
import { createHash } from 'node:crypto'
import { dtypes } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import type { RecordingBackend } from '../backend/record.js'

/** What buffers from outside are called, such as the paths of parameters. */
export type Names = ReadonlyMap<Handle, string>

/** As much of a recording as its digest is taken of. */
export type Recording = Pick<RecordingBackend, 'tape' | 'constants' | 'inner'>

/** SHA-256 over kernels, their numbers, sizes, names and constants, in hexadecimal. */
export function digestOf({ tape, constants, inner }: Recording, names: Names): string {
  const hash = createHash('sha256')
  // Handles differ from process to process; a buffer is known by its place in the list.
  for (const { dtype, length, shared, view } of tape.buffers) {
    const name = shared && (names.get(shared) ?? 'outside')
    hash.update(`${JSON.stringify([dtype, length, name, view])}\n`)
    if (shared === undefined || !constants.includes(shared)) continue
    const values = new dtypes[dtype].array(length)
    inner.read(shared, values)
    hash.update(values)
  }
  for (const { kernel, args } of tape.steps) hash.update(`${kernel}(${args})\n`)
  return hash.digest('hex')
}
