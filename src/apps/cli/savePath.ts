/** Checks, before anything is trained, that what it leaves behind can be written. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ArgumentError } from '../../index.js'
import { checkWritable, isSameFile } from '../../internal.js'
import { UsageError } from './options.js'

/**
 * Before anything is trained: can the file of each option be written, and is it none of the others?
 * @param outputs paths by option, such as `--save`; what is not written is undefined or false
 * @param source what is read: of the data, too, nothing may be overwritten
 * @throws ArgumentError when one cannot be written, UsageError when two are one
 */
export function checkOutputs(
  outputs: Readonly<Record<string, string | false | undefined>>,
  source?: string,
): void {
  const files = Object.entries(outputs).filter((entry): entry is [string, string] => !!entry[1])
  for (const [option, path] of files) checkOutput(option, path)
  const isFile = source && statSync(source, { throwIfNoEntry: false })?.isFile()
  const read: [string, string][] = isFile ? [['the data', source]] : []
  for (const [i, [option, path]] of files.entries()) {
    const other = [...read, ...files.slice(0, i)].find(([, taken]) => isSameFile(path, taken))
    if (other === undefined) continue
    throw new UsageError(`${option} ${path}: expected another file than ${other.join(' ')}, got it`)
  }
}

function checkOutput(option: string, path: string): void {
  try {
    checkWritable(path)
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error
    throw new ArgumentError(`${option} ${error.message}`, { cause: error })
  }
}

/**
 * The same for a folder that is made when it is written to: can it be made, and written to?
 * @throws ArgumentError when it cannot
 */
export function checkFolder(option: string, path: string): void {
  let existing = resolve(path)
  while (!existsSync(existing)) existing = dirname(existing)
  if (!statSync(existing).isDirectory()) {
    throw new ArgumentError(`${option} ${path}: expected a folder, got the file ${existing}`)
  }
  try {
    accessSync(existing, constants.W_OK)
  } catch {
    throw new ArgumentError(
      `${option} ${path}: expected the right to write in ${existing}, got none`,
    )
  }
}
