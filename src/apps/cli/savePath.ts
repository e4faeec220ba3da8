/** Checks, before anything is trained, that a model can be saved at a path. */
import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ArgumentError } from '../../index.js'

/**
 * Before anything is trained: can the model be saved there?
 * @throws ArgumentError when it cannot
 */
export function checkWritable(path: string): void {
  const folder = dirname(path)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ArgumentError(`--save ${path}: expected an existing folder, got no folder ${folder}`)
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ArgumentError(`--save ${path}: expected the name of a file, got a folder`)
  }
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    throw new ArgumentError(`--save ${path}: expected the right to write in ${folder}, got none`)
  }
}
