/** An ONNX graph while it is written: nodes in their order, initializers, and names that come once. */

import { type DType, dtypes } from '../../../backend/dtype.js'
import { ArgumentError } from '../../../base/errors.js'
import { version } from '../../../base/version.js'
import type { OnnxValueInfo } from '../import/graph.js'
import { encode, type Given } from '../protobuf.js'
import {
  type AttributeProto,
  attributeType,
  dataType,
  type GraphProto,
  modelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../schema.js'

/** The lowest version of the operators that has all that are written here: LayerNormalization is of 17. */
const OPSET = 17
const ML_DOMAIN = 'ai.onnx.ml'
const ML_OPSET = 3
/** The version of the file format that came with the opset. */
const IR_VERSION = 8
/** What a message of protocol buffers can hold. */
const MAX_BYTES = 2 ** 31 - 1

/** The type of a value in a graph. */
export type OnnxType = DType | 'int64' | 'string'

/** What ONNX calls them. */
export const typeOf: Readonly<Record<OnnxType, number>> = {
  float32: dataType.float,
  float64: dataType.double,
  int32: dataType.int32,
  uint8: dataType.uint8,
  bool: dataType.bool,
  int64: dataType.int64,
  string: dataType.string,
}

/** An input or output of a type that is written here. */
interface GraphValue extends OnnxValueInfo {
  readonly dtype: OnnxType
  readonly shape: NamedShape
}

/** Extents: numbers, names that stand for any, or `?` for what is not known. */
export type NamedShape = readonly (number | string)[]

/** Attributes of a node. Those of the names below are floats, other numbers are integers. */
export type Attributes = Readonly<Record<string, Attribute>>
type Attribute = number | string | readonly number[] | readonly string[]

const FLOATS: ReadonlySet<string> = new Set([
  'alpha',
  'gamma',
  'epsilon',
  'default_float',
  'values_floats',
])

const utf8 = new TextEncoder()

/** Elements of a constant. */
type Elements = ArrayBufferView<ArrayBufferLike> | readonly string[]

export class Graph {
  readonly #nodes: Given<NodeProto>[] = []
  readonly #initializers: Given<TensorProto>[] = []
  readonly #inputs: GraphValue[] = []
  readonly #outputs: GraphValue[] = []
  readonly #taken = new Set<string>([''])
  readonly #made = new Map<string, string>()
  #usesMl = false
  /** The module whose ops are being written; it goes before the names of nodes. */
  path = ''

  get inputs(): readonly OnnxValueInfo[] {
    return this.#inputs
  }

  get outputs(): readonly OnnxValueInfo[] {
    return this.#outputs
  }

  /** A name that nothing has yet. */
  unique(wanted: string): string {
    let name = wanted
    for (let i = 1; this.#taken.has(name); i++) name = `${wanted}_${i}`
    this.#taken.add(name)
    return name
  }

  /** Declares an input. @returns its name, which is the one that was asked for unless it was taken */
  input(name: string, dtype: OnnxType, shape: NamedShape): string {
    const own = this.unique(name)
    this.#inputs.push({ name: own, dtype, shape })
    return own
  }

  /** Declares an output, whose name was made sure to be unique before there were others, from a value. */
  output(name: string, value: string, dtype: OnnxType, shape: NamedShape): void {
    this.#nodes.push({ opType: 'Identity', name, input: [value], output: [name] })
    this.#outputs.push({ name, dtype, shape })
  }

  /** Adds a node. @returns the name of its first output, or of the one at a position */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}, position = 0): string {
    const isMl = op === 'LabelEncoder'
    this.#usesMl ||= isMl
    const name = this.unique(this.path === '' ? op : `${this.path}/${op}`)
    const output = Array.from({ length: position + 1 }, (_, i) =>
      i < position ? this.unique(`${name}_${i}`) : name,
    )
    this.#nodes.push({
      opType: op,
      name,
      ...(isMl && { domain: ML_DOMAIN }),
      input: inputs,
      output,
      attribute: Object.entries(attributes).map(([key, value]) => attributeOf(key, value)),
    })
    return name
  }

  /** Adds a constant. */
  constant(elements: Elements, type: OnnxType, dims: readonly number[], name = 'constant'): string {
    const own = this.unique(name)
    const tensor = { name: own, dataType: typeOf[type], dims }
    if (ArrayBuffer.isView(elements)) {
      const { buffer, byteOffset, byteLength } = elements
      const rawData = new Uint8Array(buffer, byteOffset, byteLength)
      this.#initializers.push({ ...tensor, rawData })
    } else {
      const stringData = elements.map((text) => utf8.encode(text))
      this.#initializers.push({ ...tensor, stringData })
    }
    return own
  }

  /** A list of whole numbers, as axes and shapes are told; one constant for all that are equal. */
  ints(values: readonly number[]): string {
    return this.#once(`[${values}]`, () =>
      this.constant(BigInt64Array.from(values, BigInt), 'int64', [values.length]),
    )
  }

  /** One number, without axes. */
  scalar(value: number, type: DType | 'int64'): string {
    return this.#once(`${type} ${Object.is(value, -0) ? '-0' : value}`, () => {
      const elements =
        type === 'int64' ? BigInt64Array.of(BigInt(value)) : dtypes[type].array.from([value])
      return this.constant(elements, type, [])
    })
  }

  cast(x: string, type: OnnxType): string {
    return this.node('Cast', [x], { to: typeOf[type] })
  }

  /** The number of examples in a batch, a list of one. */
  batch(): string {
    return this.#once('batch', () =>
      this.node('Shape', [this.#inputs[0].name], { start: 0, end: 1 }),
    )
  }

  #once(key: string, make: () => string): string {
    const made = this.#made.get(key) ?? make()
    this.#made.set(key, made)
    return made
  }

  /** The bytes of the model, in pieces. @throws ArgumentError when they are more than a file may have */
  bytes(metadata: Readonly<Record<string, string>>): Uint8Array[] {
    const graph: Given<GraphProto> = {
      name: 'model',
      node: withoutIdentities(this.#nodes),
      initializer: this.#initializers,
      input: this.#inputs.map(infoOf),
      output: this.#outputs.map(infoOf),
    }
    const pieces = encode(modelProto, {
      irVersion: IR_VERSION,
      producerName: 'neuroblas',
      producerVersion: version,
      graph,
      opsetImport: [
        { domain: '', version: OPSET },
        ...(this.#usesMl ? [{ domain: ML_DOMAIN, version: ML_OPSET }] : []),
      ],
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    })
    const total = pieces.reduce((sum, { length }) => sum + length, 0)
    if (total <= MAX_BYTES) return pieces
    throw new ArgumentError(
      `exportOnnx: expected a model of 2 GiB at most, which is what an ONNX file can hold, got ${total} bytes`,
    )
  }
}

/** Has nodes write outputs by their names themselves, where nobody else reads what they give. */
function withoutIdentities(nodes: readonly Given<NodeProto>[]): Given<NodeProto>[] {
  const readers = new Map<string, number>()
  for (const { input = [] } of nodes) {
    for (const name of input) readers.set(name, (readers.get(name) ?? 0) + 1)
  }
  const made = new Set(nodes.flatMap(({ output = [] }) => output))
  const renamed = new Map<string, string>()
  const kept = nodes.filter(({ opType, input, output }) => {
    const [from] = input ?? []
    if (opType !== 'Identity' || !made.has(from) || readers.get(from) !== 1) return true
    renamed.set(from, output?.[0] as string)
    return false
  })
  return kept.map((node) => ({
    ...node,
    output: node.output?.map((name) => renamed.get(name) ?? name),
  }))
}

function infoOf({ name, dtype, shape }: GraphValue): Given<ValueInfoProto> {
  const dim = shape.map((extent) => {
    if (typeof extent === 'number') return { dimValue: extent }
    return extent === '?' ? {} : { dimParam: extent }
  })
  return { name, type: { tensorType: { elemType: typeOf[dtype], shape: { dim } } } }
}

function attributeOf(name: string, value: Attribute): Given<AttributeProto> {
  if (typeof value === 'string') return { name, s: utf8.encode(value), type: attributeType.string }
  if (typeof value === 'number') {
    if (FLOATS.has(name)) return { name, f: value, type: attributeType.float }
    return { name, i: value, type: attributeType.int }
  }
  if (value.length > 0 && value.every((item) => typeof item === 'string')) {
    return { name, strings: value.map((text) => utf8.encode(text)), type: attributeType.strings }
  }
  const numbers = value as readonly number[]
  if (FLOATS.has(name)) return { name, floats: numbers, type: attributeType.floats }
  return { name, ints: numbers, type: attributeType.ints }
}
