/**
 * How much memory this process may still take before the system kills it: what the machine has left,
 * and what the limits of its control groups leave it.
 */
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { OutOfMemoryError } from './errors.js'
import { formatBytes } from './text.js'

/** What is left under the tightest of the limits. */
export interface AvailableMemory {
  /** Bytes that can still be taken. */
  available: number
  /** Bytes of the limit itself. */
  limit: number
  /** What has that limit: `the machine`, or the control group's path. */
  of: string
}

let root = ''

/** Has the system's files looked for in another folder: for tests, of containers and their limits. */
export function lookForSystemFilesIn(folder: string): void {
  root = folder
}

/** What is left now. Takes about a tenth of a millisecond. */
export function availableMemory(): AvailableMemory {
  const rooms = [machine(), ...controlGroups()]
  return rooms.reduce((least, room) => (room.available < least.available ? room : least))
}

/**
 * Refuses what needs more memory than there is, before the system kills the process for touching it.
 * @param what what needs it, for the message
 * @param advice what to do where there is too little
 * @throws OutOfMemoryError that names need, what is available, and of which limit
 */
export function requireMemory(op: string, what: string, bytes: number, advice?: string): void {
  // Asking takes longer than making what is small.
  if (bytes < 2 ** 24) return
  const room = availableMemory()
  if (bytes > room.available) throw outOfMemory(op, what, bytes, room, {}, advice)
}

/** The error for an allocation that was refused. */
export function outOfMemory(
  op: string,
  what: string,
  bytes: number,
  { available, limit, of }: AvailableMemory = availableMemory(),
  options?: ErrorOptions,
  advice = 'free tensors (dispose, scope) or take fewer at a time',
): OutOfMemoryError {
  return new OutOfMemoryError(
    `${op}: expected at most ${formatBytes(available)}, which is available of the ${formatBytes(limit)} of ${of}, got ${formatBytes(bytes)} for ${what}; ${advice}`,
    options,
  )
}

function machine(): AvailableMemory {
  // `MemAvailable:   23676508 kB`
  const kib = /^MemAvailable:\s*(\d+) kB/m.exec(read(`${root}/proc/meminfo`) ?? '')?.[1]
  const limit = totalmem()
  // On systems without the file nothing is known of other processes.
  const available = kib === undefined ? limit - process.memoryUsage.rss() : Number(kib) * 1024
  return { available: Math.max(0, available), limit, of: 'the machine' }
}

/** The names of the files of a version, and of what the kernel takes back before it kills. */
const VERSIONS = {
  1: {
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    // total_: with the groups inside.
    reclaimable: ['total_active_file', 'total_inactive_file'],
  },
  2: {
    limit: 'memory.max',
    usage: 'memory.current',
    reclaimable: ['active_file', 'inactive_file', 'slab_reclaimable'],
  },
}

function controlGroups(): AvailableMemory[] {
  const mounts = `${root}/sys/fs/cgroup`
  // Lines of hierarchy:controllers:path; version 2 names no controllers.
  const lines = (read(`${root}/proc/self/cgroup`) ?? '').split('\n')
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) return []
    if (controllers === '') return levels(path).flatMap((level) => groupAt(mounts, level, 2))
    if (!controllers.split(',').includes('memory')) return []
    return levels(path).flatMap((level) => groupAt(`${mounts}/memory`, level, 1))
  })
}

/**
 * A path and all that it is inside of, '' for the mount itself: a limit of any of them holds. In a
 * container the path may be the host's, which is not to be found; the mount is the container's group
 * then.
 */
function levels(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '')
  return [...names.map((_, i) => `/${names.slice(0, names.length - i).join('/')}`), '']
}

/** What one group has left; nothing where it has no limit. */
function groupAt(mount: string, path: string, version: 1 | 2): AvailableMemory[] {
  const names = VERSIONS[version]
  const number = (file: string) => Number.parseInt(read(`${mount}${path}/${file}`) ?? '', 10)
  const [limit, usage] = [number(names.limit), number(names.usage)]
  // Without a limit version 2 has the word max, version 1 a number beyond all memory.
  if (!(limit < 2 ** 60) || Number.isNaN(usage)) return []
  const stat = read(`${mount}${path}/memory.stat`) ?? ''
  const reclaimable = names.reclaimable.map((name) =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0),
  )
  const taken = usage - reclaimable.reduce((sum, bytes) => sum + bytes, 0)
  const available = Math.max(0, limit - Math.max(0, taken))
  return [{ available, limit, of: `the control group ${path || '/'}` }]
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The system has no such file: there is no such limit.
    return undefined
  }
}
