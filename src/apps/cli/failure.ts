/**
 * Error messages and exit codes of the command: one line for an error that is no fault of the
 * program.
 */

import { CommanderError } from 'commander'
import { NeuroblasError } from '../../index.js'
import { UsageError } from './options.js'

export const EXIT_FAILED = 1
export const EXIT_USAGE = 2

const system: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'no right to open it',
  EISDIR: 'expected a file, got a folder',
  ENOTDIR: 'a part of the path is no folder',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'no space left in the quota of the disk',
  EFBIG: 'larger than a file may be here',
}

export function describeFailure(error: unknown): { line: string; exitCode: number } {
  const isUsage = error instanceof CommanderError || error instanceof UsageError
  const exitCode = isUsage ? EXIT_USAGE : EXIT_FAILED
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error))
  if (process.env.NEUROBLAS_DEBUG === '1') return { line: stack, exitCode }
  if (error instanceof CommanderError) {
    // Suggestions come on a second line.
    return { line: message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '), exitCode }
  }
  if (error instanceof NeuroblasError) return { line: message, exitCode }
  const { code, path, syscall } = error as NodeJS.ErrnoException
  if (code && syscall) {
    const line = path && Object.hasOwn(system, code) ? `${path}: ${system[code]}` : message
    return { line, exitCode }
  }
  return { line: `unexpected error, please report it: ${stack}`, exitCode }
}
