/** ONNX files of a few nodes, written for a test. */
import { writeFileSync } from 'node:fs'
import { encode, type Given } from '../../lib/io/onnx/protobuf.js'
import {
  type AttributeProto,
  attributeType,
  dataType,
  type ModelProto,
  modelProto,
  type NodeProto,
  type TensorProto,
} from '../../lib/io/onnx/schema.js'
import type { Values } from './onnxRuntime.js'

/** A float, which a whole number would not be told to be. */
export interface Float {
  readonly float: number | readonly number[]
}
export const float = (value: number | readonly number[]): Float => ({ float: value })

export type Setting = number | string | readonly number[] | readonly string[] | Float | Values

const TYPES = {
  float32: dataType.float,
  int32: dataType.int32,
  int64: dataType.int64,
  uint8: dataType.uint8,
  bool: dataType.bool,
  string: dataType.string,
}
const text = (value: string) => new TextEncoder().encode(value)

export function attributeOf(name: string, value: Setting): Given<AttributeProto> {
  if (typeof value === 'number') return { name, type: attributeType.int, i: value }
  if (typeof value === 'string') return { name, type: attributeType.string, s: text(value) }
  if (Array.isArray(value)) {
    const isText = typeof value[0] === 'string'
    return isText
      ? { name, type: attributeType.strings, strings: value.map(text) }
      : { name, type: attributeType.ints, ints: value }
  }
  if ('float' in value) {
    const given = value.float
    return typeof given === 'number'
      ? { name, type: attributeType.float, f: given }
      : { name, type: attributeType.floats, floats: given }
  }
  return { name, type: attributeType.tensor, t: tensorOf('', value as Values) }
}

export function tensorOf(name: string, { type, shape, data }: Values): Given<TensorProto> {
  const given = { name, dims: shape, dataType: TYPES[type] }
  const numbers = data as number[]
  if (type === 'float32')
    return { ...given, rawData: new Uint8Array(Float32Array.from(numbers).buffer) }
  if (type === 'int64') return { ...given, int64Data: numbers }
  if (type !== 'string') return { ...given, int32Data: numbers }
  return { ...given, stringData: (data as string[]).map(text) }
}

export function nodeOf(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Setting>> = {},
): Given<NodeProto> {
  const [opType, ...domain] = op.split('.').reverse()
  return {
    opType,
    domain: domain.reverse().join('.'),
    name: `${op} of ${outputs[0]}`,
    input: inputs,
    output: outputs,
    attribute: Object.entries(attributes).map(([name, value]) => attributeOf(name, value)),
  }
}

export interface Sketch {
  readonly nodes: readonly Given<NodeProto>[]
  readonly inputs?: Readonly<Record<string, Values>>
  readonly outputs?: readonly string[]
  readonly initializers?: Readonly<Record<string, Values>>
  readonly opset?: number
}

/** A model whose inputs may have any extents. */
export function modelOf({
  nodes,
  inputs = {},
  outputs = ['y'],
  initializers = {},
  opset = 21,
}: Sketch): Given<ModelProto> {
  return {
    irVersion: opset < 10 ? 4 : 8,
    opsetImport: [
      { domain: '', version: opset },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
    graph: {
      name: 'a test',
      node: nodes,
      initializer: Object.entries(initializers).map(([name, values]) => tensorOf(name, values)),
      input: Object.entries(inputs).map(([name, { type, shape }]) => ({
        name,
        type: {
          tensorType: {
            elemType: TYPES[type],
            shape: { dim: shape.map((_, i) => ({ dimParam: `${name}${i}` })) },
          },
        },
      })),
      output: outputs.map((name) => ({ name })),
    },
  }
}

export const bytesOf = (model: Given<ModelProto>): Buffer =>
  Buffer.concat(encode(modelProto, model))

export function write(path: string, model: Given<ModelProto>): string {
  writeFileSync(path, bytesOf(model))
  return path
}
