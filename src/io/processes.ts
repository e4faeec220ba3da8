/** Which processes that can be seen from here are alive: whose locks and temporary files still count. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * Where a process's number means something: the machine, and on Linux the space of numbers, of which
 * each container has its own, be their names of the machine the same.
 */
export const HERE = `${hostname()} ${numberSpace()}`.trimEnd()

function numberSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

/** What Linux says of a process; undefined where there is no such process, and on other systems. */
function statusOf(pid: number): { state: string; began: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is a name in parentheses, which may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0], began: fields[19] }
  } catch {
    return undefined
  }
}

/**
 * When a process began, in the system's own count: it tells two processes apart that had the same
 * number one after the other. Undefined where the system does not say.
 */
export function beginOf(pid: number): string | undefined {
  return statusOf(pid)?.began
}

/** Whether a process that can be seen from here still runs; one that has ended and waits for its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return statusOf(pid)?.state !== 'Z'
}
