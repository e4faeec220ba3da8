/** The processor that one-threaded contestants share, so that each is measured on the same core. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

let found: number | null | undefined

/** Its number: the last one that this process may use; null where the system has no way to stay there. */
export function sharedProcessor(): number | null {
  found ??= findProcessor()
  return found
}

function findProcessor(): number | null {
  if (process.platform !== 'linux' || spawnSync('taskset', ['--version']).error) return null
  const [, last] = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:.*?(\d+)$/m)!
  return Number(last)
}

/** The command, run on that processor alone. */
export function onSharedProcessor(command: readonly string[]): readonly string[] {
  const processor = sharedProcessor()
  return processor === null ? command : ['taskset', '--cpu-list', `${processor}`, ...command]
}
