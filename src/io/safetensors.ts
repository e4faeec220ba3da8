/**
 * The safetensors format, written and read as the Python library of that name does (format:
 * https://github.com/huggingface/safetensors#format). Bytes to typed arrays and back, no more of them
 * at a time than one tensor; knows no files. Hosts are little-endian, as the format is.
 *
 * Layout: header length (u64), header (JSON, padded with spaces to 8 bytes), the tensors' bytes.
 */
import { type DType, dtypes, type TypedArray } from '../backend/dtype.js'
import { ArgumentError, DataError, excerpt, ShapeError } from '../base/errors.js'
import { kindOfTypedArray } from '../base/typedArrays.js'
import { DTYPES, type Dtype, type StoredTensor, type TensorData } from './safetensorsDtypes.js'
import type { Fail, TensorInfo } from './safetensorsHeader.js'
import { METADATA, parseHeader, show } from './safetensorsHeader.js'

/**
 * What is written: a shape and its values, or a tensor of floats, int32 or bytes, which is read only
 * when it is its turn.
 */
export type Writable =
  | { readonly shape: readonly number[]; readonly data: TensorData | BigInt64Array }
  | {
      readonly shape: readonly number[]
      readonly size: number
      readonly dtype: DType
      data(): TypedArray
    }

/** Where a file's bytes come from; each part is a copy. */
export interface ByteSource {
  readonly length: number
  read(begin: number, end: number): ArrayBuffer
}

/** A tensor in the bytes of a file. */
export interface Located {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** Offsets into the bytes after the header. */
  readonly begin: number
  readonly end: number
}

const MAX_HEADER = 100_000_000
/** "PK", what archives begin with. */
const ZIP = 0x504b

/** What files are written with, in the order that the Python library puts them in: array types by dtype. */
const WRITTEN = { I64: 'BigInt64Array', F32: 'Float32Array', I32: 'Int32Array', U8: 'Uint8Array' }
type Written = keyof typeof WRITTEN

/**
 * Packs tensors into the bytes of a safetensors file: byte for byte what the Python library writes,
 * which sorts them by dtype (I64, F32, I32, U8), then by name.
 *
 * @param entries name and tensor, in any order, such as a Map
 * @param metadata strings for the file's `__metadata__`, in this order
 * @returns the file's bytes in chunks; everything is checked before the first
 * @throws ShapeError when a shape does not fit its data
 * @throws ArgumentError when a name is reserved, given twice or no valid Unicode, data
 *   has another type, metadata are no text, or the header would be longer than the format allows
 */
export function safetensorsChunks(
  entries: Iterable<readonly [string, Writable]>,
  metadata: Readonly<Record<string, string>> = {},
): Iterable<Uint8Array> {
  const tensors = sorted(entries)
  checkMetadata(metadata)
  const fields =
    Object.keys(metadata).length > 0 ? [`"${METADATA}":${JSON.stringify(metadata)}`] : []
  let end = 0
  for (const { name, dtype, shape, size } of tensors) {
    const begin = end
    end += size * DTYPES[dtype].width
    // Spelled out field by field: an object would put names such as "1" first.
    const info = { dtype, shape, data_offsets: [begin, end] }
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`)
  }
  const json = Buffer.from(`{${fields.join(',')}}`)
  const length = Math.ceil(json.length / 8) * 8
  if (length > MAX_HEADER) {
    throw new ArgumentError(
      `encodeSafetensors: expected names and metadata of at most ${MAX_HEADER} bytes, got ${json.length}`,
    )
  }
  const header = new Uint8Array(8 + length).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(json, 8)
  return chunksOf(header, tensors)
}

function* chunksOf(header: Uint8Array, tensors: Iterable<Pending>): Iterable<Uint8Array> {
  yield header
  for (const { read } of tensors) {
    const { buffer, byteOffset, byteLength } = read()
    yield new Uint8Array(buffer, byteOffset, byteLength)
  }
}

/** The same bytes in one array. */
export function encodeSafetensors(...args: Parameters<typeof safetensorsChunks>): Uint8Array {
  const chunks = [...safetensorsChunks(...args)]
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/** A tensor that waits to be written. */
interface Pending {
  readonly name: string
  readonly dtype: Written
  readonly shape: readonly number[]
  readonly size: number
  read(): TypedArray | BigInt64Array
}

function sorted(entries: Iterable<readonly [string, Writable]>): Pending[] {
  const order = Object.keys(WRITTEN)
  const seen = new Set<string>()
  const tensors = Array.from(entries, ([name, tensor]): Pending => {
    if (name === METADATA || seen.has(name) || /\p{Surrogate}/u.test(name)) {
      throw new ArgumentError(
        `encodeSafetensors: expected well-formed names, each once and none ${METADATA}, got ${show(name)}`,
      )
    }
    seen.add(name)
    const { shape } = tensor
    const size = 'size' in tensor ? tensor.size : tensor.data.length
    if (!shape.every((n) => n >= 0) || elements(shape) !== size) {
      throw new ShapeError(
        `encodeSafetensors: shape of ${show(name)} does not fit its data, got ${show(shape)} and ${size} values`,
      )
    }
    const read = () => ('size' in tensor ? tensor.data() : tensor.data)
    return { name, dtype: dtypeOf(name, tensor), shape, size, read }
  })
  // Names by their UTF-8 bytes, which is not the order of UTF-16 units.
  return tensors.sort(
    (a, b) =>
      order.indexOf(a.dtype) - order.indexOf(b.dtype) ||
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  )
}

function dtypeOf(name: string, tensor: Writable): Written {
  const kind = 'size' in tensor ? dtypes[tensor.dtype].array.name : kindOfTypedArray(tensor.data)
  const isBool = 'size' in tensor && tensor.dtype === 'bool'
  const found = (Object.keys(WRITTEN) as Written[]).find((dtype) => WRITTEN[dtype] === kind)
  if (found !== undefined && !isBool) return found
  const got = 'size' in tensor ? tensor.dtype : Object.prototype.toString.call(tensor.data)
  throw new ArgumentError(
    `encodeSafetensors: expected values of float32, int32, uint8 in ${show(name)}, got ${got}`,
  )
}

/** The format knows text only, and readers refuse the rest of a file that holds anything else. */
function checkMetadata(metadata: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === 'string' && !/\p{Surrogate}/u.test(key + value)) continue
    throw new ArgumentError(
      `metadata: expected text beside the parameters, got ${show(key)}: ${excerpt(value)}; JSON.stringify(value) makes text of it`,
    )
  }
}

/** What a file holds. */
export interface SafetensorsFile {
  tensors: Map<string, StoredTensor>
  metadata: Record<string, string>
}

/** Reads the bytes of a safetensors file, as `readSafetensors` does. */
export function decodeSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  const { length } = bytes
  // Not slice: a Buffer's slice is a view, and the conversions need aligned bytes of their own.
  const read = (begin: number, end: number) => new Uint8Array(bytes.subarray(begin, end)).buffer
  return readSafetensors({ length, read }, file)
}

/**
 * Reads a safetensors file. F64, F16, BF16 and floats of 8 bits become float32, I64 becomes int32.
 *
 * @param file name for the errors
 * @returns the tensors in the order of their bytes, and the metadata
 * @throws DataError when the bytes are malformed in any way, a dtype is none of those, or a value
 *   does not fit the library's dtype
 */
export function readSafetensors(source: ByteSource, file: string): SafetensorsFile {
  const { tensors: located, metadata, start } = readSafetensorsHeader(source, file)
  const fail = failureOf(file)
  const tensors = new Map<string, StoredTensor>()
  for (const [name, { dtype, shape, begin, end }] of located) {
    const data = DTYPES[dtype].convert(source.read(start + begin, start + end), (expected, got) =>
      fail(`${expected} in ${show(name)}`, got),
    )
    tensors.set(name, { dtype: DTYPES[dtype].dtype, shape, data })
  }
  return { tensors, metadata }
}

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  /** By name, in the order of their bytes. */
  readonly tensors: Map<string, Located>
  readonly metadata: Record<string, string>
  /** Where the tensors' bytes begin. */
  readonly start: number
}

/** Reads and checks the header alone. @throws DataError as `readSafetensors`, but for values */
export function readSafetensorsHeader(source: ByteSource, file: string): SafetensorsHeader {
  const fail = failureOf(file)
  const { text, start } = readHeader(source, fail)
  const { infos, metadata } = parseHeader(text, fail)
  const located = infos.map((info) => locate(info, fail))
  checkOffsets(located, source.length - start, fail)
  return { tensors: new Map(located.map((tensor) => [tensor.name, tensor])), metadata, start }
}

function failureOf(file: string): Fail {
  return (expected, got) => {
    throw new DataError(`${file}: expected ${expected}, got ${got}`)
  }
}

function readHeader(source: ByteSource, fail: Fail): { text: string; start: number } {
  const { length } = source
  if (length < 8) return fail('a safetensors file of at least 8 bytes', `${length} bytes`)
  const first = source.read(0, 8)
  if (new DataView(first).getUint16(0) === ZIP) {
    return fail(
      'a safetensors file, such as save_file(model.state_dict(), path) of safetensors.torch writes',
      'a zip archive, such as torch.save writes',
    )
  }
  const claimed = new DataView(first).getBigUint64(0, true)
  if (claimed > Math.min(MAX_HEADER, length - 8)) {
    return fail(
      'a safetensors file',
      `a file of ${length} bytes that is shorter than its header says (${claimed} bytes): it is damaged, or of another format`,
    )
  }
  const start = 8 + Number(claimed)
  const bytes = new Uint8Array(source.read(8, start))
  // The format asks for the brace, where JSON would allow blanks before it.
  if (bytes[0] !== 0x7b) return fail('a header that starts with {', 'something else')
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), start }
  } catch {
    return fail('a header in UTF-8', 'other bytes')
  }
}

function locate({ name, dtype, shape, offsets }: TensorInfo, fail: Fail): Located {
  if (!Object.hasOwn(DTYPES, dtype)) {
    return fail(`one of the dtypes ${Object.keys(DTYPES)} for ${show(name)}`, show(dtype))
  }
  const [begin, end] = offsets
  const size = elements(shape) * DTYPES[dtype as Dtype].width
  // NaN when the product overflows, and then never equal.
  if (size !== end - begin) {
    return fail(
      `data_offsets that span ${size} bytes for ${dtype} ${show(shape)} in ${show(name)}`,
      show(offsets),
    )
  }
  return { name, dtype: dtype as Dtype, shape, begin, end }
}

/** The tensors in the order of their bytes must cover them all: no hole, no overlap, no rest. */
function checkOffsets(located: Located[], length: number, fail: Fail): void {
  located.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const { name, begin, end } of located) {
    if (begin !== covered) fail(`data of ${show(name)} to begin at ${covered}`, `${begin}`)
    covered = end
  }
  if (covered !== length) fail(`${covered} bytes of data after the header`, `${length}`)
}

/** The number of elements, or NaN when a partial product is beyond exact integers. */
function elements(shape: readonly number[]): number {
  return shape.reduce((product, n) => (Number.isSafeInteger(product * n) ? product * n : NaN), 1)
}
