/** Tensors and the text beside them at a path: in one file, or in a set of shards with an index. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkPath } from '../base/arguments.js'
import { ArgumentError, DataError, DivergenceError } from '../base/errors.js'
import { findNotFiniteValue } from '../nn/finite.js'
import { fromFile, writeFileAtomically } from './files.js'
import {
  type Located,
  readSafetensors,
  readSafetensorsHeader,
  type SafetensorsFile,
  safetensorsChunks,
  type Writable,
} from './safetensors.js'
import { indexOf, isIndex } from './shards/names.js'
import { type Content, type Reader, readShards } from './shards/read.js'
import { splitIntoShards } from './shards/split.js'
import { removeShards, writeShards } from './shards/write.js'

/** The file in a folder, as Hugging Face's libraries name it. */
const IN_FOLDER = 'model.safetensors'
/** How often a set is read again because another one took its place meanwhile. */
const MOST_TRIES = 10

/**
 * Writes tensors to a file, or to several of at most `shardBytes` each and an index, in place of what is
 * there, whichever of both; but never what is not finite over what is.
 */
export function writeModelFile(
  path: string,
  entries: readonly (readonly [string, Writable])[],
  metadata: Record<string, string>,
  shardBytes = Infinity,
): void {
  if (isIndex(path)) {
    throw new ArgumentError(
      `${path}: expected the name of a model, such as ${IN_FOLDER}, got that of an index, which is written beside it`,
    )
  }
  const chunks = safetensorsChunks(entries, metadata)
  const found = findNotFiniteValue(entries)
  if (found !== undefined && holdsFiniteValues(path)) {
    throw new DivergenceError(
      `${path}: expected finite values in place of its own, got ${found}; the file stays as it was`,
    )
  }
  const shards = splitIntoShards(entries, shardBytes)
  if (shards.length > 1) {
    writeShards(path, shards, metadata)
  } else {
    writeFileAtomically(path, chunks)
    removeShards(path)
  }
}

function holdsFiniteValues(path: string): boolean {
  try {
    return findNotFiniteValue([...readModelFile(path).tensors]) === undefined
  } catch (error) {
    // No file, or none that could be read again.
    if (error instanceof DataError) return false
    throw error
  }
}

/** @throws DataError when there is no file, or it is malformed */
export function readModelFile(path: string): SafetensorsFile {
  return contentOf(path, readSafetensors)
}

/** The tensors as headers describe them, and the text beside them. @throws DataError as `readModelFile` */
export function readModelHeader(path: string): Content<Located> {
  return contentOf(path, readSafetensorsHeader)
}

/** What is there is read once more where another took its place meanwhile, and perhaps removed parts of it. */
function contentOf<T>(path: string, read: Reader<T>): Content<T> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const file = fileOf(path)
    const before = stampOf(file)
    try {
      if (!isIndex(file)) return fromFile(file, read)
      const content = readShards(file, read)
      if (stampOf(file) === before) return content
    } catch (error) {
      if (stampOf(file) === before) throw error
    }
  }
  throw new DataError(
    `${path}: expected a set of files that stays while it is read, got ${MOST_TRIES} new ones`,
  )
}

/**
 * The file or the index that a path is of, or else the path. Where both are there, the file counts, as it does
 * with Hugging Face.
 */
export function fileOf(path: string): string {
  checkPath('load', path)
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory()
  const file = isFolder ? join(path, IN_FOLDER) : path
  return [file, indexOf(file)].find((name) => existsSync(name)) ?? path
}

/** Changes whenever the file is replaced; undefined where there is none. */
export function stampOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false, bigint: true })
  return found && `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`
}
