/** The files in which Linux says how much memory there is, as systems and containers have them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes files, by their paths from the system's root, below a folder; gives that back. */
export function writeSystemFiles(folder: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    const file = `${folder}${path}`
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return folder
}

/** A container of 1 GiB (control groups, version 2) on a machine that has 20 GiB left. */
export const smallContainer = {
  '/proc/meminfo': 'MemTotal: 24105000 kB\nMemFree: 100 kB\nMemAvailable: 20971520 kB\n',
  '/proc/self/cgroup': '0::/docker/0123\n',
  '/sys/fs/cgroup/memory.max': `${2 ** 30}\n`,
  '/sys/fs/cgroup/memory.current': `${300 * 2 ** 20}\n`,
  // The kernel gives the page cache up before it kills.
  '/sys/fs/cgroup/memory.stat': `anon ${100 * 2 ** 20}\nactive_file ${150 * 2 ** 20}\ninactive_file ${40 * 2 ** 20}\nslab_reclaimable ${10 * 2 ** 20}\n`,
}
