/**
 * The safetensors format, written and read as the Python library of that name does (format:
 * https://github.com/huggingface/safetensors#format). Bytes to typed arrays and back; knows neither
 * files nor Tensors. Hosts are little-endian, as the format is.
 *
 * Layout: header length (u64), header (JSON, padded with spaces to 8 bytes), the tensors' bytes.
 */
import { type ArrayOf, dtypes } from '../backend/dtype.js'
import { ArgumentError, DataError, ShapeError } from '../base/errors.js'
import type { Fail, TensorInfo } from './safetensorsHeader.js'
import { METADATA, parseHeader, show } from './safetensorsHeader.js'

export type TensorData = Float32Array | Int32Array | Uint8Array

/** A tensor as it is in the file, after conversion to one of the library's own dtypes. */
export interface StoredTensor {
  readonly dtype: 'F32' | 'I32' | 'U8'
  readonly shape: readonly number[]
  readonly data: TensorData
}

interface Located {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** Offsets into the bytes after the header. */
  readonly begin: number
  readonly end: number
}

const MAX_HEADER = 100_000_000

/** What files are written with, in the order that the Python library puts them in. */
const WRITTEN = ['float32', 'int32', 'uint8'] as const

/** A dtype that the library has, too. */
function own<D extends 'float32' | 'int32' | 'uint8'>(name: D) {
  const { bytes: width, safetensors, array } = dtypes[name]
  return {
    width,
    dtype: safetensors as StoredTensor['dtype'],
    convert: (buffer: ArrayBuffer) => new array(buffer) as ArrayOf<D>,
  }
}

/** Width in bytes and the way to a dtype of the library, for each dtype that can be read. */
const DTYPES = {
  F32: own('float32'),
  I32: own('int32'),
  U8: own('uint8'),
  F64: { width: 8, dtype: 'F32', convert: fromFloat64 },
  F16: { width: 2, dtype: 'F32', convert: fromFloat16 },
  BF16: { width: 2, dtype: 'F32', convert: fromBfloat16 },
  I64: { width: 8, dtype: 'I32', convert: fromInt64 },
} as const
type Dtype = keyof typeof DTYPES

/**
 * Packs tensors into the bytes of a safetensors file: byte for byte what the Python library writes,
 * which sorts them by dtype (F32, I32, U8), then by name.
 *
 * @param entries name and tensor, in any order, such as a Map
 * @param metadata strings for the file's `__metadata__`, in this order
 * @throws ShapeError when a shape does not fit its data
 * @throws ArgumentError when a name is reserved, given twice or no valid Unicode, data
 *   has another type, or the header would be longer than the format allows
 */
export function encodeSafetensors(
  entries: Iterable<readonly [string, { shape: readonly number[]; data: TensorData }]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const tensors = sorted(entries)
  const fields =
    Object.keys(metadata).length > 0 ? [`"${METADATA}":${JSON.stringify(metadata)}`] : []
  let end = 0
  for (const { name, dtype, shape, data } of tensors) {
    const begin = end
    end += data.byteLength
    // Spelled out field by field: an object would put names such as "1" first.
    const info = { dtype, shape, data_offsets: [begin, end] }
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`)
  }
  const json = Buffer.from(`{${fields.join(',')}}`)
  const start = 8 + Math.ceil(json.length / 8) * 8
  if (start - 8 > MAX_HEADER) {
    throw new ArgumentError(
      `encodeSafetensors: expected names and metadata of at most ${MAX_HEADER} bytes, got ${json.length}`,
    )
  }
  const bytes = new Uint8Array(start + end)
  bytes.fill(0x20, 8, start)
  bytes.set(json, 8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true)
  let offset = start
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset)
    offset += data.byteLength
  }
  return bytes
}

function sorted(
  entries: Iterable<readonly [string, { shape: readonly number[]; data: TensorData }]>,
): ({ name: string } & StoredTensor)[] {
  const order = WRITTEN.map((name) => dtypes[name].safetensors)
  const seen = new Set<string>()
  const tensors = Array.from(entries, ([name, { shape, data }]) => {
    if (name === METADATA || seen.has(name) || /\p{Surrogate}/u.test(name)) {
      throw new ArgumentError(
        `encodeSafetensors: expected well-formed names, each once and none ${METADATA}, got ${show(name)}`,
      )
    }
    seen.add(name)
    if (!shape.every((n) => n >= 0) || elements(shape) !== data.length) {
      throw new ShapeError(
        `encodeSafetensors: shape of ${show(name)} does not fit its data, got ${show(shape)} and ${data.length} values`,
      )
    }
    return { name, dtype: dtypeOf(data), shape, data }
  })
  // Names by their UTF-8 bytes, which is not the order of UTF-16 units.
  return tensors.sort(
    (a, b) =>
      order.indexOf(a.dtype) - order.indexOf(b.dtype) ||
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  )
}

function dtypeOf(data: TensorData): StoredTensor['dtype'] {
  const found = WRITTEN.find((name) => data instanceof dtypes[name].array)
  if (found !== undefined) return dtypes[found].safetensors as StoredTensor['dtype']
  throw new ArgumentError(
    `encodeSafetensors: expected Float32Array, Int32Array or Uint8Array, got ${Object.prototype.toString.call(data)}`,
  )
}

/**
 * Reads the bytes of a safetensors file. F64, F16 and BF16 become float32, I64 becomes int32.
 *
 * @param file name for the errors
 * @returns the tensors in the order of their bytes, each with its own copy, and the metadata
 * @throws DataError when the bytes are malformed in any way, a dtype is none of those, or a value
 *   does not fit the library's dtype
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  file: string,
): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
  const fail: Fail = (expected, got) => {
    throw new DataError(`${file}: expected ${expected}, got ${got}`)
  }
  const { text, start } = readHeader(bytes, fail)
  const { infos, metadata } = parseHeader(text, fail)
  const located = infos.map((info) => locate(info, fail))
  checkOffsets(located, bytes.length - start, fail)
  const tensors = new Map<string, StoredTensor>()
  for (const { name, dtype, shape, begin, end } of located) {
    // Not slice: a Buffer's slice is a view, and the conversions need aligned bytes of their own.
    const copy = new Uint8Array(bytes.subarray(start + begin, start + end)).buffer
    const data = DTYPES[dtype].convert(copy, (expected, got) =>
      fail(`${expected} in ${show(name)}`, got),
    )
    tensors.set(name, { dtype: DTYPES[dtype].dtype, shape, data })
  }
  return { tensors, metadata }
}

function readHeader(bytes: Uint8Array, fail: Fail): { text: string; start: number } {
  if (bytes.length < 8) return fail('at least 8 bytes', `${bytes.length}`)
  const claimed = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  const limit = Math.min(MAX_HEADER, bytes.length - 8)
  if (claimed > limit) return fail(`a header of at most ${limit} bytes`, `a claim of ${claimed}`)
  const start = 8 + Number(claimed)
  // The format asks for the brace, where JSON would allow blanks before it.
  if (start === 8 || bytes[8] !== 0x7b) return fail('a header that starts with {', 'something else')
  try {
    return {
      text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)),
      start,
    }
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

function fromFloat64(buffer: ArrayBuffer, fail: Fail): Float32Array {
  const from = new Float64Array(buffer)
  const to = Float32Array.from(from)
  const lost = to.findIndex((value, i) => Math.abs(value) === Infinity && Number.isFinite(from[i]))
  return lost < 0 ? to : fail('values within float32', `${from[lost]}`)
}

/** Half precision: sign, 5 bits of exponent (bias 15), 10 of fraction (IEEE 754 binary16). */
function fromFloat16(buffer: ArrayBuffer): Float32Array {
  return Float32Array.from(new Uint16Array(buffer), (bits) => {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 0x1f
    const fraction = bits & 0x3ff
    if (exponent === 0x1f) return fraction ? NaN : sign * Infinity
    // Subnormal numbers have no hidden bit and the exponent of the smallest normal ones.
    return exponent === 0
      ? sign * fraction * 2 ** -24
      : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  })
}

/** The upper half of a float32. */
function fromBfloat16(buffer: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(buffer), (upper) => upper << 16)
  return new Float32Array(bits.buffer)
}

function fromInt64(buffer: ArrayBuffer, fail: Fail): Int32Array {
  const halves = new Int32Array(buffer)
  const lost = halves.findIndex((upper, i) => i % 2 === 1 && upper !== halves[i - 1] >> 31)
  if (lost >= 0) fail('integers within int32', `${new BigInt64Array(buffer)[(lost - 1) / 2]}`)
  return halves.filter((_, i) => i % 2 === 0)
}

/** The number of elements, or NaN when a partial product is beyond exact integers. */
function elements(shape: readonly number[]): number {
  return shape.reduce((product, n) => (Number.isSafeInteger(product * n) ? product * n : NaN), 1)
}
