/**
 * One training at a time on a file: a lock file beside it says which process has it. That of a process
 * that has ended is taken over.
 */
import {
  constants,
  copyFileSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { DataError } from '../base/errors.js'
import { targetOf, withPath } from './paths.js'
import { beginOf, HERE, isAlive } from './processes.js'
import { removeLeftOvers, temporaryIn } from './temporaries.js'

/** What a lock file holds, as JSON. */
interface Owner {
  pid: number
  /** Where it runs, as `HERE` says it. */
  place: string
  /** As `beginOf` gives it: a later process may have the same number. */
  began?: string
  /** When the lock was taken, for people. */
  since: string
}

/** How often a lock file is touched, and when one that is not counts as left; in milliseconds. */
const TOUCHED = 10_000
const LEFT = 110_000

/** The lock of one file, from its construction to `release`. */
export class FileLock {
  readonly file: string
  readonly #text: string
  readonly #timer: NodeJS.Timeout

  /** @throws DataError when another training has the file, ArgumentError as `targetOf` */
  constructor(readonly path: string) {
    this.file = targetOf(`${targetOf(path)}.lock`)
    const owner: Owner = {
      pid: process.pid,
      place: HERE,
      began: beginOf(process.pid),
      since: new Date().toISOString(),
    }
    this.#text = JSON.stringify(owner)
    removeLeftOvers(dirname(this.file))
    this.#take()
    this.#timer = setInterval(() => this.#touch(), TOUCHED).unref()
  }

  /**
   * Before the file is written: that it still is this one's.
   * @throws DataError when another process took it over, which it does when this one slept for long
   */
  check(): void {
    if (read(this.file) !== this.#text) this.#take()
  }

  release(): void {
    clearInterval(this.#timer)
    if (read(this.file) === this.#text) rmSync(this.file, { force: true })
  }

  #take(): void {
    while (!create(this.file, this.#text)) {
      const found = read(this.file)
      // Released since.
      if (found === undefined) continue
      const owner = parse(found)
      if (!isLeft(this.file, owner)) throw this.#refusal(owner)
      removeOnly(this.file, found)
    }
  }

  #touch(): void {
    try {
      utimesSync(this.file, new Date(), new Date())
    } catch {
      // What became of it, `check` will say.
    }
  }

  #refusal(owner: Owner | undefined): DataError {
    const who = owner ? `process ${owner.pid} on ${owner.place} since ${owner.since}` : 'another'
    return new DataError(
      `${this.path}: expected a file that no other training writes, got one of ${who} (${this.file}); let that one end, or take another file`,
    )
  }
}

/** Whether somebody has the lock of a file. */
export function isLocked(path: string): boolean {
  const file = `${path}.lock`
  const found = read(file)
  return found !== undefined && !isLeft(file, parse(found))
}

/** Whether the file was made, with this text: at once, so that nobody finds it empty. */
function create(file: string, text: string): boolean {
  const temporary = temporaryIn(dirname(file))
  try {
    writeFileSync(temporary, text, { flag: 'wx' })
    give(temporary, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw withPath(error, file)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Gives a file a second name, unless there is one of that name. */
function give(file: string, name: string): void {
  try {
    linkSync(file, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    // A file system without links, such as that of a memory card.
    copyFileSync(file, name, constants.COPYFILE_EXCL)
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Undefined for what is no owner, such as the half of one where there are no links. */
function parse(text: string): Owner | undefined {
  try {
    const owner: Owner | null = JSON.parse(text)
    return Number.isSafeInteger(owner?.pid) && owner!.pid > 0 ? owner! : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether nobody has the lock any more. The processes of other machines and containers cannot be seen
 * from here, and of this process not which of its threads are left: there the last sign of life counts.
 */
function isLeft(file: string, owner: Owner | undefined): boolean {
  const isHere = owner?.place === HERE
  if (owner && isHere && beginOf(owner.pid) !== owner.began) return true
  if (owner && isHere && owner.pid !== process.pid) return !isAlive(owner.pid)
  const touched = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return Date.now() - touched > LEFT
}

/** Removes the lock that was found, and no newer one of somebody who was quicker. */
function removeOnly(file: string, found: string): void {
  const moved = temporaryIn(dirname(file))
  try {
    renameSync(file, moved)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const text = read(moved)
  rmSync(moved, { force: true })
  if (text !== undefined && text !== found) create(file, text)
}
