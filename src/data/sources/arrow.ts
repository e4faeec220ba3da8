/** Tables in Arrow's IPC files and streams (https://arrow.apache.org/docs/format/Columnar.html), also Feather. */
import { open } from 'node:fs/promises'
import zlib from 'node:zlib'
import type { DataType, RecordBatch, RecordBatchReader, Vector } from 'apache-arrow'
import { DataError, NeuroblasError } from '../../base/errors.js'
import { loadPackages } from '../../base/packages.js'
import { decodeLz4 } from '../formats/lz4.js'
import { checkNames, columnsNamed } from './columns.js'
import type { SourceBatch, SourceColumn, SourceType, SourceValues, TableReader } from './source.js'
import { TextCodes } from './texts.js'

export const ARROW = /\.(arrow|arrows|feather|ipc)$/i

type Arrow = typeof import('apache-arrow')

interface Column extends SourceColumn {
  /** Among those of the file. */
  readonly index: number
  /** Makes the reader of its vectors, one for each reading. */
  readonly reader?: () => (vector: Vector) => SourceValues
}

/**
 * Opens a file, of which only one batch of rows is in memory at a time.
 * @throws MissingPackageError without the package apache-arrow, DataError for what is no such file
 */
export async function openArrow(path: string, name = path): Promise<TableReader> {
  const [arrow] = await loadPackages<[Arrow]>('table', 'apache-arrow')
  addCodecs(arrow)
  const { reader, close } = await opened(arrow, path, name)
  const columns = reader.schema.fields.map((field, index) => ({
    name: field.name,
    declared: String(field.type),
    index,
    ...readingOf(arrow, field.type),
  }))
  await close()
  checkNames(name, columns)
  return {
    name,
    columns,
    isNamed: true,
    isRepeatable: true,
    batches: (names) => batchesOf(arrow, path, name, columnsNamed(name, columns, names)),
    close: async () => {},
  }
}

/** Codecs for compressed buffers, where nobody has added others. */
function addCodecs({ compressionRegistry: codecs, CompressionType }: Arrow): void {
  const { LZ4_FRAME, ZSTD } = CompressionType
  if (codecs.get(LZ4_FRAME) === null) codecs.set(LZ4_FRAME, { decode: decodeLz4 })
  if (codecs.get(ZSTD) === null) codecs.set(ZSTD, { decode: decodeZstd })
}

function decodeZstd(bytes: Uint8Array): Uint8Array {
  // Newer than the oldest Node.js that this package runs on.
  const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array }
  if (zstdDecompressSync) return zstdDecompressSync(bytes)
  throw new Error('buffers compressed by zstd, which takes Node.js 22.15 or newer')
}

type Reader = () => (vector: Vector) => SourceValues

/** How a column of a type is read; by its values one by one, unless these lie as they are wanted. */
function readingOf(arrow: Arrow, type: DataType): { type: SourceType; reader?: Reader } {
  const { DataType } = arrow
  const numbers = (convert?: (value: never) => number): Reader => {
    return () => (vector) => numbersIn(vector, convert as ((value: unknown) => number) | undefined)
  }
  if (DataType.isNull(type)) return { type: 'text', reader: texts }
  if (DataType.isInt(type))
    return { type: 'number', reader: numbers(type.bitWidth === 64 ? Number : undefined) }
  if (DataType.isFloat(type)) {
    const isHalf = type.precision === arrow.Precision.HALF
    return { type: 'number', reader: numbers(isHalf ? Number : undefined) }
  }
  if (DataType.isDecimal(type)) {
    const unit = 10 ** type.scale
    return {
      type: 'number',
      reader: numbers((words: Uint32Array) => Number(integerOf(words)) / unit),
    }
  }
  if (DataType.isDuration(type)) {
    const perSecond = 1000 ** type.unit
    return { type: 'number', reader: numbers((value: bigint) => Number(value) / perSecond) }
  }
  if (DataType.isBool(type)) return { type: 'boolean', reader: numbers(Number) }
  // A Timestamp and a Date are given in milliseconds, whatever their unit.
  if (DataType.isDate(type) || DataType.isTimestamp(type)) {
    return { type: 'date', reader: numbers(Number) }
  }
  if (DataType.isTime(type)) {
    const perMillisecond = 1000 ** (type.unit - 1)
    return {
      type: 'date',
      reader: numbers((value: number | bigint) => Number(value) / perMillisecond),
    }
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return { type: 'text', reader: texts }
  if (DataType.isDictionary(type)) return readingOf(arrow, type.dictionary)
  return { type: 'other' }
}

/** Without `convert`, the values as they lie in the file. */
function numbersIn(vector: Vector, convert?: (value: unknown) => number): SourceValues {
  const { length, nullCount } = vector
  if (convert === undefined && nullCount === 0) return vector.toArray().slice()
  const values = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const value = vector.get(i)
    values[i] = value === null ? Number.NaN : convert ? convert(value) : value
  }
  return values
}

function texts(): (vector: Vector) => SourceValues {
  const known = new TextCodes()
  return (vector) => {
    known.beginBatch()
    const codes = new Int32Array(vector.length)
    for (let i = 0; i < codes.length; i++) {
      const text = vector.get(i)
      codes[i] = text === null ? -1 : known.codeOf(text)
    }
    return { texts: known.texts, codes }
  }
}

/** Of the 32 bits of each word, the lowest first; the highest bit of all is the sign. */
function integerOf(words: Uint32Array): bigint {
  const bits = words.reduce((sum, word, i) => sum | (BigInt(word) << BigInt(32 * i)), 0n)
  return BigInt.asIntN(32 * words.length, bits)
}

async function* batchesOf(
  arrow: Arrow,
  path: string,
  name: string,
  columns: readonly Column[],
): AsyncGenerator<SourceBatch> {
  const readers = columns.map(({ reader }) => (reader as Reader)())
  const file = await opened(arrow, path, name)
  try {
    for await (const batch of file.reader) {
      if (batch.numRows === 0) continue
      yield { rows: batch.numRows, columns: valuesOf(batch, columns, readers) }
    }
  } catch (error) {
    throw arrowError(error, name)
  } finally {
    await file.close()
  }
}

function valuesOf(
  batch: RecordBatch,
  columns: readonly Column[],
  readers: readonly ((vector: Vector) => SourceValues)[],
): SourceValues[] {
  return columns.map(({ index }, i) => readers[i](batch.getChildAt(index) as Vector))
}

interface OpenFile {
  readonly reader: RecordBatchReader & AsyncIterable<RecordBatch>
  close(): Promise<void>
}

/** @throws DataError for what is no file of Arrow's */
async function opened({ RecordBatchReader }: Arrow, path: string, name: string): Promise<OpenFile> {
  const handle = await open(path).catch((error) => {
    throw arrowError(error, name)
  })
  // Where the reader has it closed already, it is no mistake to do so again.
  const close = () => handle.close().catch(() => {})
  try {
    const reader = await RecordBatchReader.from(handle)
    await reader.open()
    if (reader.schema === undefined) {
      throw new DataError(`${name}: expected a file or a stream of Arrow's, got no schema`)
    }
    return { reader: reader as unknown as OpenFile['reader'], close }
  } catch (error) {
    await close()
    throw arrowError(error, name)
  }
}

function arrowError(error: unknown, name: string): unknown {
  if (error instanceof NeuroblasError) return error
  return new DataError(
    `${name}: expected a file or a stream of Arrow's, got "${(error as Error).message}"`,
    { cause: error },
  )
}
