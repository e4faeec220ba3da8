/** Temporary files and folders, whose names say which process they are of: what a killed one left can be told. */
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HERE, isAlive } from './processes.js'

/** `HERE`, short and fit for the name of a file. */
const PLACE = createHash('sha256').update(HERE).digest('hex').slice(0, 8)
const TEMPORARY = /^\.neuroblas-(?<place>[0-9a-f]{8})-(?<pid>[1-9]\d*)-[0-9a-f]{12}\.tmp$/
/** When those of processes that cannot be seen from here are left over, in milliseconds. */
const OLD = 24 * 60 * 60 * 1000

/** A new name, which says whose file it is. It is short: a long one beside it may be all that fits. */
export function temporaryIn(folder: string): string {
  const random = randomBytes(6).toString('hex')
  return join(folder, `.neuroblas-${PLACE}-${process.pid}-${random}.tmp`)
}

/** Removes the temporary files and folders of processes that were killed. */
export function removeLeftOvers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const { place, pid } = TEMPORARY.exec(name)?.groups ?? {}
    if (place === undefined) continue
    const file = join(folder, name)
    const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    const isLeft = place === PLACE ? !isAlive(Number(pid)) : Date.now() - written > OLD
    if (isLeft) removeIfAllowed(file)
  }
}

function removeIfAllowed(file: string): void {
  try {
    rmSync(file, { force: true, recursive: true })
  } catch {
    // In a shared folder it may be another user's, whose next write removes it.
  }
}
