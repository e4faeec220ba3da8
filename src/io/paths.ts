/** Where a file is written when somebody names a path, and whether it can be. */
import { accessSync, constants, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { ArgumentError } from '../base/errors.js'

// As many as Linux follows.
const MAX_LINKS = 40

/**
 * The file that is written where `path` is: at the end of its links, whether it is there or not.
 * @throws ArgumentError when its folder does not exist, its name is too long, it is no regular file,
 *   or its links lead in a circle
 */
export function targetOf(path: string): string {
  let name = path
  for (let links = 0; links <= MAX_LINKS; links++) {
    const folder = dirname(name)
    if (!found(path, () => statSync(folder, { throwIfNoEntry: false }))?.isDirectory()) {
      throw new ArgumentError(
        `${path}: expected a file in an existing folder, got no folder ${folder}`,
      )
    }
    const target = join(realpathSync(folder), basename(name))
    const there = found(path, () => lstatSync(target, { throwIfNoEntry: false }))
    if (there?.isSymbolicLink()) {
      name = resolve(dirname(target), readlinkSync(target))
      continue
    }
    // Renaming would replace a device such as /dev/null, given the right to.
    if (there === undefined || there.isFile()) return target
    const kind = there.isDirectory() ? 'a folder' : 'something else'
    throw new ArgumentError(`${path}: expected a regular file or none, got ${kind}`)
  }
  throw new ArgumentError(`${path}: expected a file, got links that lead in a circle`)
}

/** What the system finds. */
function found<T>(path: string, look: () => T): T {
  try {
    return look()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENAMETOOLONG') {
      throw new ArgumentError(
        `${path}: expected a name that the file system can hold, got one of ${Buffer.byteLength(basename(path))} bytes`,
      )
    }
    if (code === 'ELOOP') {
      throw new ArgumentError(`${path}: expected a file, got links that lead in a circle`)
    }
    throw error
  }
}

/**
 * The same, for a file that is written only after long work: also that its folder can be written in.
 * @throws ArgumentError
 */
export function checkWritable(path: string): string {
  const target = targetOf(path)
  const folder = dirname(target)
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    throw new ArgumentError(`${path}: expected the right to write in ${folder}, got none`)
  }
  return target
}

/** Whether two paths lead to one file: the same name at the end of their links, or two of its names. */
export function isSameFile(a: string, b: string): boolean {
  const [target, other] = [targetOf(a), targetOf(b)]
  if (target === other) return true
  const [one, two] = [target, other].map((file) => statSync(file, { throwIfNoEntry: false }))
  return one !== undefined && two !== undefined && one.ino === two.ino && one.dev === two.dev
}

/** An error that says which file it is of: that of a full disk does not say it itself. */
export function withPath(error: unknown, path: string): unknown {
  const failure = error as NodeJS.ErrnoException
  if (failure.syscall !== undefined && failure.path === undefined) {
    failure.path = path
    failure.message += ` '${path}'`
  }
  return failure
}
