/**
 * Reads a model that is in several files. The index says in its `weight_map` which file has which tensor, and
 * is held to it: it may come from anywhere, so that it names files of its own folder only.
 */
import { realpathSync } from 'node:fs'
import { basename, dirname, join, win32 } from 'node:path'
import { DataError, excerpt } from '../../base/errors.js'
import { parseJson } from '../../base/text.js'
import { fromFile } from '../files.js'
import type { ByteSource } from '../safetensors.js'
import { show } from '../safetensorsHeader.js'

/** Tensors, or what is known of them, by name, and the text beside them. */
export interface Content<T> {
  readonly tensors: Map<string, T>
  readonly metadata: Record<string, string>
}

/** Reads one file of safetensors. */
export type Reader<T> = (source: ByteSource, file: string) => Content<T>

/** As large as the header of a file may be. */
const MAX_INDEX = 100_000_000

interface Index {
  /** The names of the tensors in each shard. */
  readonly shards: ReadonlyMap<string, readonly string[]>
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * The tensors of all shards that an index names, with the text beside them.
 * @throws DataError when the index is malformed or leads out of its folder, a shard is missing or malformed,
 *   or does not hold just the tensors that the index says
 */
export function readShards<T>(file: string, read: Reader<T>): Content<T> {
  const index = fromFile(file, readIndex)
  const tensors = new Map<string, T>()
  const metadata = new Map(Object.entries(index.metadata))
  for (const [name, expected] of index.shards) {
    const shard = fromFile(shardFile(file, name), read, `a shard, as ${basename(file)} says`)
    checkNames(file, name, expected, shard.tensors)
    for (const entry of shard.tensors) tensors.set(...entry)
    for (const [key, text] of Object.entries(shard.metadata)) {
      const other = metadata.get(key) ?? text
      if (other !== text) {
        fail(
          file,
          `one text for ${show(key)} in all shards`,
          `${excerpt(other)} and ${excerpt(text)}`,
        )
      }
      metadata.set(key, text)
    }
  }
  return { tensors, metadata: Object.fromEntries(metadata) }
}

function fail(file: string, expected: string, got: string): never {
  throw new DataError(`${file}: expected ${expected}, got ${got}`)
}

/** Where a shard is read: a link may lead to where the index itself is, as in the cache of Hugging Face. */
function shardFile(index: string, name: string): string {
  const file = join(dirname(index), name)
  const target = realpath(file)
  const homes = [realpathSync(dirname(index)), dirname(realpathSync(index))]
  if (target !== undefined && !homes.includes(dirname(target))) {
    fail(index, `shards in the folder ${homes[0]}`, `a link to ${target}`)
  }
  return file
}

/** Undefined for what is not there, which is said when it is opened. */
function realpath(file: string): string | undefined {
  try {
    return realpathSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A tensor in two shards would be there twice, of which one is not what the index says. */
function checkNames(
  file: string,
  shard: string,
  expected: readonly string[],
  tensors: ReadonlyMap<string, unknown>,
): void {
  const absent = expected.find((name) => !tensors.has(name))
  if (absent !== undefined) fail(file, `${show(absent)} in ${shard}`, 'a shard without it')
  const wanted = new Set(expected)
  const other = [...tensors.keys()].find((name) => !wanted.has(name))
  if (other !== undefined) {
    fail(
      file,
      `each tensor in the one shard that weight_map says`,
      `${show(other)} in ${shard}, too`,
    )
  }
}

function readIndex(source: ByteSource, file: string): Index {
  if (source.length > MAX_INDEX) {
    fail(file, `an index of at most ${MAX_INDEX} bytes`, `${source.length}`)
  }
  const { metadata = {}, weight_map: weightMap } = parse(source.read(0, source.length), file)
  if (!isObject(weightMap) || !isObject(metadata)) {
    return fail(file, 'an index { metadata, weight_map }', excerpt({ metadata, weightMap }))
  }
  const shards = new Map<string, string[]>()
  for (const [tensor, shard] of Object.entries(weightMap)) {
    if (!isPlainName(shard)) {
      return fail(file, `the name of a file beside it for ${show(tensor)}`, excerpt(shard))
    }
    const names = shards.get(shard)
    if (names) names.push(tensor)
    else shards.set(shard, [tensor])
  }
  const isText = (entry: [string, unknown]): entry is [string, string] =>
    typeof entry[1] === 'string'
  return { shards, metadata: Object.fromEntries(Object.entries(metadata).filter(isText)) }
}

function parse(bytes: ArrayBuffer, file: string): Record<string, unknown> {
  let index: unknown
  try {
    index = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return fail(file, 'an index as JSON', `text that is none: ${(error as Error).message}`)
  }
  return isObject(index) ? index : fail(file, 'an index { metadata, weight_map }', excerpt(index))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Of a file in the same folder, whatever system reads it: no path, no drive, not the folder itself. */
function isPlainName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value === win32.basename(value) &&
    !['', '.', '..'].includes(value) &&
    !value.includes('\0')
  )
}
