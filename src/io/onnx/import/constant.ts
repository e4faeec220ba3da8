/** Tensors that a model's file holds, or one beside it. */
import { closeSync, fstatSync, openSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, sep } from 'node:path'
import { DataError, spelled } from '../../../base/errors.js'
import { format, MAX_RANK, type Shape, sizeOf } from '../../../tensor/shape.js'
import { readAt } from '../../files.js'
import { fromBfloat16, fromFloat16 } from '../../safetensorsDtypes.js'
import { dataType, type TensorProto } from '../schema.js'
import { type Kind, Value } from './value.js'

/** A tensor of the file: its values where they were read, in the order of its axes. */
export interface Constant {
  readonly kind: Kind
  readonly shape: Shape
  /** Of text the positions in its vocabulary. */
  readonly values: ArrayLike<number>
  readonly vocabulary?: readonly string[]
}

/** Of a type of elements: their kind, how many bytes each has, how they are read, and the field they may be in. */
interface Elements {
  readonly kind: Kind
  readonly bytes: number
  read(bytes: ArrayBuffer): ArrayLike<number>
  readonly field: 'floatData' | 'int32Data' | 'int64Data' | 'doubleData' | 'uint64Data'
  /** What stands for a value in that field, where it is not the value itself. */
  fromField?(values: readonly number[]): ArrayLike<number>
}

/** Halves stand in a field of integers by their bits. */
const fromBits =
  (read: (bytes: ArrayBuffer) => ArrayLike<number>) =>
  (values: readonly number[]): ArrayLike<number> =>
    read(Uint16Array.from(values).buffer)

const elements = (
  kind: Kind,
  bytes: number,
  field: Elements['field'],
  read: Elements['read'],
  fromField?: Elements['fromField'],
): Elements => ({ kind, bytes, field, read, fromField })

const ELEMENTS: Readonly<Record<number, Elements | undefined>> = {
  [dataType.float]: elements('float', 4, 'floatData', (bytes) => new Float32Array(bytes)),
  [dataType.double]: elements('float', 8, 'doubleData', (bytes) => new Float64Array(bytes)),
  [dataType.float16]: elements('float', 2, 'int32Data', fromFloat16, fromBits(fromFloat16)),
  [dataType.bfloat16]: elements('float', 2, 'int32Data', fromBfloat16, fromBits(fromBfloat16)),
  [dataType.int8]: elements('int', 1, 'int32Data', (bytes) => new Int8Array(bytes)),
  [dataType.uint8]: elements('int', 1, 'int32Data', (bytes) => new Uint8Array(bytes)),
  [dataType.int16]: elements('int', 2, 'int32Data', (bytes) => new Int16Array(bytes)),
  [dataType.uint16]: elements('int', 2, 'int32Data', (bytes) => new Uint16Array(bytes)),
  [dataType.int32]: elements('int', 4, 'int32Data', (bytes) => new Int32Array(bytes)),
  [dataType.uint32]: elements('int', 4, 'uint64Data', (bytes) => new Uint32Array(bytes)),
  [dataType.int64]: elements('int', 8, 'int64Data', (bytes) =>
    Float64Array.from(new BigInt64Array(bytes), Number),
  ),
  [dataType.uint64]: elements('int', 8, 'uint64Data', (bytes) =>
    Float64Array.from(new BigUint64Array(bytes), Number),
  ),
  [dataType.bool]: elements('bool', 1, 'int32Data', (bytes) => new Uint8Array(bytes)),
}

/** The kind of a type of elements, by its number; undefined of one that is not read. */
export function kindOf(type: number | undefined): Kind | undefined {
  return type === dataType.string ? 'text' : ELEMENTS[type ?? 0]?.kind
}

/** What a type of elements is called. */
export function nameOfType(type: number | undefined): string {
  return Object.entries(dataType).find(([, value]) => value === type)?.[0] ?? `type ${type}`
}

/** Whole numbers beyond this are not told apart by a float64. */
const MOST_INTEGER = 2 ** 53
/** What a model writes for the end of an axis, however long it is. */
const INT64_END = 2 ** 63

/** Reads the tensors of a model; the files beside it, which may hold their values, stay open until `close`. */
export class Constants {
  readonly #open = new Map<string, number>()

  /** @param path of the model */
  constructor(readonly path: string) {}

  /** @throws DataError for one that is malformed, or is not where it says */
  read = (proto: TensorProto): Constant => {
    const what = `${this.path}: tensor ${spelled(proto.name || '?')}`
    const shape = shapeOf(what, proto.dims)
    const size = sizeOf(shape)
    if (proto.dataType === dataType.string) return textOf(what, shape, proto)
    const type = ELEMENTS[proto.dataType ?? 0]
    if (type === undefined) {
      throw new DataError(
        `${what}: expected numbers or text, got ${nameOfType(proto.dataType)}, which is not supported`,
      )
    }
    const values = this.#values(what, proto, type, size)
    if (values.length !== size) {
      throw new DataError(
        `${what}: expected ${size} elements for shape ${format(shape)}, got ${values.length}`,
      )
    }
    return { kind: type.kind, shape, values: type.kind === 'int' ? whole(what, values) : values }
  }

  #values(what: string, proto: TensorProto, type: Elements, size: number): ArrayLike<number> {
    if (proto.dataLocation === 1) return type.read(this.#external(what, proto, size * type.bytes))
    const { rawData } = proto
    if (rawData === undefined) {
      const values = proto[type.field]
      return type.fromField?.(values) ?? Float64Array.from(values)
    }
    if (rawData.length !== size * type.bytes) {
      throw new DataError(
        `${what}: expected ${size * type.bytes} bytes for shape ${format(proto.dims)}, got ${rawData.length}`,
      )
    }
    return type.read(new Uint8Array(rawData).buffer)
  }

  #external(what: string, { externalData }: TensorProto, length: number): ArrayBuffer {
    const told = new Map(externalData.map(({ key, value }) => [key, value ?? '']))
    const file = told.get('location') ?? ''
    const offset = Number(told.get('offset') ?? 0)
    const stated = Number(told.get('length') ?? length)
    const fd = this.#openBeside(what, file)
    const { size } = fstatSync(fd)
    const fits = Number.isSafeInteger(offset) && offset >= 0 && offset + length <= size
    if (!fits || stated !== length) {
      throw new DataError(
        `${what}: expected ${length} bytes at ${offset} of ${spelled(file)}, got ${stated} of ${size}`,
      )
    }
    return readAt(fd, offset, length, join(dirname(this.path), file))
  }

  /** A file in the folder of the model, or below it: no path and no link leads out of there. */
  #openBeside(what: string, file: string): number {
    const known = this.#open.get(file)
    if (known !== undefined) return known
    const folder = realpathSync(dirname(this.path))
    const path = realPath(join(folder, file))
    const inside = path && relative(folder, path)
    if (!inside || isAbsolute(file) || inside === '..' || inside.startsWith(`..${sep}`)) {
      throw new DataError(
        `${what}: expected its values in a file of the model's folder, got ${spelled(file)}${path ? ', which is elsewhere' : ', which is not there'}`,
      )
    }
    const fd = openSync(path, 'r')
    this.#open.set(file, fd)
    if (!fstatSync(fd).isFile()) {
      throw new DataError(`${what}: expected its values in a file, got ${spelled(file)}`)
    }
    return fd
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd)
    this.#open.clear()
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    // There is no such file, or its name is none.
    return undefined
  }
}

function shapeOf(what: string, dims: readonly number[]): Shape {
  const isExtent = (extent: number) => Number.isSafeInteger(extent) && extent >= 0
  const fits = dims.length <= MAX_RANK && dims.every(isExtent)
  if (fits && Number.isSafeInteger(sizeOf(dims))) return dims
  throw new DataError(
    `${what}: expected a shape of at most ${MAX_RANK} whole numbers from 0, got ${format(dims)}`,
  )
}

function textOf(what: string, shape: Shape, { stringData }: TensorProto): Constant {
  if (stringData.length !== sizeOf(shape)) {
    throw new DataError(
      `${what}: expected ${sizeOf(shape)} texts for shape ${format(shape)}, got ${stringData.length}`,
    )
  }
  const texts = stringData.map((bytes) => new TextDecoder().decode(bytes))
  return { kind: 'text', shape, ...encodeTexts(texts) }
}

/** Texts as positions in a vocabulary. */
export function encodeTexts(texts: readonly string[]): {
  values: number[]
  vocabulary: readonly string[]
} {
  const codes = new Map<string, number>()
  const values = texts.map((text) => {
    const code = codes.get(text) ?? codes.size
    codes.set(text, code)
    return code
  })
  return { values, vocabulary: [...codes.keys()] }
}

/** Whole numbers that a float64 holds; the ends of int64, which mean no end at all, are infinite. */
export function whole(
  what: string,
  values: ArrayLike<number>,
  Failure: typeof DataError = DataError,
): ArrayLike<number> {
  let found = values
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (Math.abs(value) <= MOST_INTEGER) continue
    if (Math.abs(value) !== INT64_END) {
      throw new Failure(`${what}: expected whole numbers within 2^53, got ${value}`)
    }
    if (found === values) found = Float64Array.from(values)
    ;(found as Float64Array)[i] = Math.sign(value) * Infinity
  }
  return found
}

/** A constant to compute with. */
export function toValue({ kind, values, shape, vocabulary }: Constant): Value {
  return Value.of(kind, values, shape, vocabulary)
}
