/**
 * Writes a model to several files and an index, so that a crash at any moment leaves the old set or the new
 * one: the shards under names that no file has, then the index in place of the old one, which makes the new
 * set the model; only then the old files go.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeFileAtomically } from '../files.js'
import { FileLock } from '../lock.js'
import { targetOf } from '../paths.js'
import { safetensorsChunks, type Writable } from '../safetensors.js'
import { indexOf, shardName, versionOf } from './names.js'
import { bytesOf } from './split.js'

type Shard = readonly (readonly [string, Writable])[]

/**
 * Writes shards with the same text beside each, and their index, in place of the model that is at `path`.
 * @throws DataError when another writer is at it, ArgumentError as `targetOf`, Error as node:fs gives it
 */
export function writeShards(
  path: string,
  shards: readonly Shard[],
  metadata: Record<string, string>,
): void {
  targetOf(path)
  locked(path, () => {
    const names = freeNames(path, shards.length)
    const files = names.map((name) => join(dirname(path), name))
    const index = spellIndex(shards, names)
    try {
      for (const [i, shard] of shards.entries()) {
        writeFileAtomically(files[i], safetensorsChunks(shard, metadata))
      }
      writeFileAtomically(indexOf(path), Buffer.from(index))
    } catch (error) {
      // The index may be in place though the folder could not be flushed.
      if (!holds(indexOf(path), index)) for (const file of files) rmSync(file, { force: true })
      throw error
    }
    // It would be read in place of the index.
    rmSync(path, { force: true })
    removeBut(path, names)
  })
}

/** Removes the set that was at `path` before the single file that is there now. */
export function removeShards(path: string): void {
  if (!existsSync(indexOf(path))) return
  locked(path, () => {
    rmSync(indexOf(path), { force: true })
    removeBut(path, [])
  })
}

function locked(path: string, run: () => void): void {
  const lock = new FileLock(indexOf(path))
  try {
    run()
  } finally {
    lock.release()
  }
}

/** Names of the first version that no file is of: the old set and the leftovers of a crash have others. */
function freeNames(path: string, count: number): string[] {
  const taken = new Set(readdirSync(dirname(path)).map((file) => versionOf(path, file)))
  let version = 1
  while (taken.has(version)) version++
  return Array.from({ length: count }, (_, i) => shardName(path, i + 1, count, version))
}

function removeBut(path: string, kept: readonly string[]): void {
  for (const file of readdirSync(dirname(path))) {
    if (versionOf(path, file) === undefined || kept.includes(file)) continue
    rmSync(join(dirname(path), file), { force: true })
  }
}

function spellIndex(shards: readonly Shard[], names: readonly string[]): string {
  const total = shards.flat().reduce((sum, [, tensor]) => sum + bytesOf(tensor), 0)
  const map = shards.flatMap((shard, i) => shard.map(([tensor]) => [tensor, names[i]] as const))
  // fromEntries, because assigning to '__proto__' would not make a field.
  const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(map) }
  return `${JSON.stringify(index, null, 2)}\n`
}

function holds(file: string, text: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8') === text
}
