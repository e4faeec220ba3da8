/** Control groups with a limit of memory, as containers have them. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MemoryLimit {
  /** What goes before a command: that is in the group then. */
  readonly before: readonly string[]
  /** Once no process is in the group any more. */
  remove(): void
}

/** The folders of groups of either version, and the names of their limits. */
const PLACES = [
  { line: /^\d+:memory:(.*)$/m, mount: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
  { line: /^0::(.*)$/m, mount: '/sys/fs/cgroup', limit: 'memory.max' },
]

/** A group with this limit, or why there can be none. */
export function memoryLimit(bytes: number): MemoryLimit | string {
  if (process.platform !== 'linux') return 'there are no control groups'
  const own = readFileSync('/proc/self/cgroup', 'utf8')
  for (const { line, mount, limit } of PLACES) {
    const path = line.exec(own)?.[1]
    if (path === undefined) continue
    const group = join(mount, path, `neuroblas-test-${process.pid}`)
    try {
      mkdirSync(group)
    } catch {
      continue
    }
    if (existsSync(join(group, limit))) {
      writeFileSync(join(group, limit), `${bytes}`)
      const enter = 'echo $$ > "$0" && exec "$@"'
      return {
        before: ['sh', '-c', enter, join(group, 'cgroup.procs')],
        remove: () => rmdirSync(group),
      }
    }
    rmdirSync(group)
  }
  return 'no control group can be made here'
}
