// A stamp beside a build result tells from which contents it was made. Contents, not times,
// decide: a git checkout touches files without changing them.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot } from './run.mjs'

/** All files under a folder of the project, sorted, relative to the project. */
export function filesUnder(folder) {
  if (!existsSync(inRoot(folder))) return []
  return readdirSync(inRoot(folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesUnder(path) : [path]
    })
}

export function hashOf(files, ...more) {
  const hash = createHash('sha256').update(JSON.stringify(more))
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(inRoot(file)))
  return hash.digest('hex')
}

export const newest = (files) => Math.max(0, ...files.map((file) => statSync(inRoot(file)).mtimeMs))

export function writeStamp(file, hash) {
  writeFileSync(inRoot(file), `${hash}\n`)
}

/**
 * Whether the stamp holds this hash and none of the outputs was written after it. Newer
 * outputs come from a compiler started by hand, on sources that this stamp knows nothing of.
 */
export function stampMatches(file, hash, outputs) {
  if (!existsSync(inRoot(file))) return false
  if (readFileSync(inRoot(file), 'utf8').trim() !== hash) return false
  return newest(outputs) <= statSync(inRoot(file)).mtimeMs
}
