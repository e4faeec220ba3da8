/** A file of ONNX, and what it says of itself. */
import { DataError } from '../../../base/errors.js'
import { sizeOf } from '../../../tensor/shape.js'
import { fromFile } from '../../files.js'
import { decode } from '../protobuf.js'
import { type ModelProto, modelProto, type ValueInfoProto } from '../schema.js'
import { infoOf, type OnnxValueInfo, withoutKind } from './graph.js'

/** @throws DataError for what is no file, or none of ONNX */
export function protoOf(path: string): ModelProto {
  const bytes = fromFile(path, ({ length, read }) => new Uint8Array(read(0, length)))
  return decode(modelProto, bytes, path)
}

export const metadataOf = ({ metadataProps }: ModelProto): Record<string, string> =>
  Object.fromEntries(metadataProps.map(({ key = '', value = '' }) => [key, value]))

/** What a file says of itself, whether it can be computed or not. */
export interface OnnxFile {
  /** What wrote it. */
  readonly producer: string
  /** The versions of the operators, by their domains. */
  readonly opsets: Readonly<Record<string, number>>
  readonly inputs: readonly OnnxValueInfo[]
  readonly outputs: readonly OnnxValueInfo[]
  /** How many nodes there are of each operator. */
  readonly operators: Readonly<Record<string, number>>
  /** Numbers in all initializers. */
  readonly values: number
  readonly metadata: Readonly<Record<string, string>>
}

/** @throws DataError for a file that is malformed */
export function readOnnxFile(path: string): OnnxFile {
  const proto = protoOf(path)
  const { graph, opsetImport, producerName = '', producerVersion = '' } = proto
  if (graph === undefined)
    throw new DataError(`${path}: expected an ONNX model with a graph, found none`)
  const plainInfoOf = (value: ValueInfoProto) => withoutKind(infoOf(value))
  const initializers = new Set(graph.initializer.map(({ name }) => name))
  const operators = new Map<string, number>()
  for (const { opType = '?' } of graph.node) operators.set(opType, (operators.get(opType) ?? 0) + 1)
  const sizes = graph.initializer.map(({ dims }) => sizeOf(dims))
  return {
    producer: `${producerName} ${producerVersion}`.trim(),
    opsets: Object.fromEntries(
      opsetImport.map(({ domain, version = 0 }) => [domain || 'ai.onnx', version]),
    ),
    inputs: graph.input.filter(({ name }) => !initializers.has(name)).map(plainInfoOf),
    outputs: graph.output.map(plainInfoOf),
    operators: Object.fromEntries([...operators].sort(([, a], [, b]) => b - a)),
    values: sizes.reduce((a, b) => a + b, 0),
    metadata: metadataOf(proto),
  }
}
