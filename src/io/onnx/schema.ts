/** The messages of an ONNX model, with the field numbers of onnx/onnx.proto; what nobody here reads is left out. */
import { many, one, type Schema } from './protobuf.js'

/** A whole file. */
export interface ModelProto {
  readonly irVersion?: number
  readonly producerName?: string
  readonly producerVersion?: string
  readonly docString?: string
  readonly graph?: GraphProto
  readonly opsetImport: readonly OperatorSetProto[]
  readonly metadataProps: readonly EntryProto[]
  readonly functions: readonly FunctionProto[]
}

/** A version of the operators of a domain; '' is ONNX's own. */
export interface OperatorSetProto {
  readonly domain?: string
  readonly version?: number
}

/** A text by name. */
export interface EntryProto {
  readonly key?: string
  readonly value?: string
}

/** What is computed: nodes in an order in which each finds its inputs. */
export interface GraphProto {
  readonly node: readonly NodeProto[]
  readonly name?: string
  readonly initializer: readonly TensorProto[]
  readonly input: readonly ValueInfoProto[]
  readonly output: readonly ValueInfoProto[]
  readonly valueInfo: readonly ValueInfoProto[]
  /** Only looked at to refuse it. */
  readonly sparseInitializer: readonly Uint8Array[]
}

/** An operator between named values; '' is an input that is not given. */
export interface NodeProto {
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly name?: string
  readonly opType?: string
  readonly attribute: readonly AttributeProto[]
  readonly domain?: string
}

/** A setting of an operator; `type` says which of the fields holds it. */
export interface AttributeProto {
  readonly name?: string
  readonly f?: number
  readonly i?: number
  readonly s?: Uint8Array
  readonly t?: TensorProto
  readonly g?: GraphProto
  readonly floats: readonly number[]
  readonly ints: readonly number[]
  readonly strings: readonly Uint8Array[]
  readonly tensors: readonly TensorProto[]
  readonly type?: number
  readonly refAttrName?: string
}

/** The values of `AttributeProto.type`. */
export const attributeType = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
} as const

/** Values; in `rawData` little-endian, or in the field of their type, or beside the model. */
export interface TensorProto {
  readonly dims: readonly number[]
  readonly dataType?: number
  readonly floatData: readonly number[]
  readonly int32Data: readonly number[]
  readonly stringData: readonly Uint8Array[]
  readonly int64Data: readonly number[]
  readonly name?: string
  readonly rawData?: Uint8Array
  readonly doubleData: readonly number[]
  readonly uint64Data: readonly number[]
  readonly externalData: readonly EntryProto[]
  /** 1 where `externalData` says where the values are. */
  readonly dataLocation?: number
}

/** The values of `TensorProto.dataType` and `TensorTypeProto.elemType`. */
export const dataType = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const

/** A named value and its type. */
export interface ValueInfoProto {
  readonly name?: string
  readonly type?: TypeProto
  readonly docString?: string
}

/** A type; sequences and maps only to be told from tensors. */
export interface TypeProto {
  readonly tensorType?: TensorTypeProto
  readonly sequenceType?: Uint8Array
  readonly mapType?: Uint8Array
}

/** Tensors of a dtype; without a shape they may have any. */
export interface TensorTypeProto {
  readonly elemType?: number
  readonly shape?: ShapeProto
}

/** A shape. */
export interface ShapeProto {
  readonly dim: readonly DimensionProto[]
}

/** An extent: a number, or a name that stands for one, or nothing that is known. */
export interface DimensionProto {
  readonly dimValue?: number
  readonly dimParam?: string
}

/** An operator that the file itself defines. */
export interface FunctionProto {
  readonly name?: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly attribute: readonly string[]
  readonly node: readonly NodeProto[]
  readonly domain?: string
}

export const modelProto: Schema<ModelProto> = {
  irVersion: one(1, 'int'),
  producerName: one(2, 'text'),
  producerVersion: one(3, 'text'),
  docString: one(6, 'text'),
  graph: one(7, () => graphProto),
  opsetImport: many(8, () => operatorSetProto),
  metadataProps: many(14, () => entryProto),
  functions: many(25, () => functionProto),
}

const operatorSetProto: Schema<OperatorSetProto> = {
  domain: one(1, 'text'),
  version: one(2, 'int'),
}

const entryProto: Schema<EntryProto> = { key: one(1, 'text'), value: one(2, 'text') }

const graphProto: Schema<GraphProto> = {
  node: many(1, () => nodeProto),
  name: one(2, 'text'),
  initializer: many(5, () => tensorProto),
  input: many(11, () => valueInfoProto),
  output: many(12, () => valueInfoProto),
  valueInfo: many(13, () => valueInfoProto),
  sparseInitializer: many(15, 'bytes'),
}

const nodeProto: Schema<NodeProto> = {
  input: many(1, 'text'),
  output: many(2, 'text'),
  name: one(3, 'text'),
  opType: one(4, 'text'),
  attribute: many(5, () => attributeProto),
  domain: one(7, 'text'),
}

const attributeProto: Schema<AttributeProto> = {
  name: one(1, 'text'),
  f: one(2, 'float'),
  i: one(3, 'int'),
  s: one(4, 'bytes'),
  t: one(5, () => tensorProto),
  g: one(6, () => graphProto),
  floats: many(7, 'float'),
  ints: many(8, 'int'),
  strings: many(9, 'bytes'),
  tensors: many(10, () => tensorProto),
  type: one(20, 'int'),
  refAttrName: one(21, 'text'),
}

const tensorProto: Schema<TensorProto> = {
  dims: many(1, 'int'),
  dataType: one(2, 'int'),
  floatData: many(4, 'float'),
  int32Data: many(5, 'int'),
  stringData: many(6, 'bytes'),
  int64Data: many(7, 'int'),
  name: one(8, 'text'),
  rawData: one(9, 'bytes'),
  doubleData: many(10, 'double'),
  uint64Data: many(11, 'int'),
  externalData: many(13, () => entryProto),
  dataLocation: one(14, 'int'),
}

const valueInfoProto: Schema<ValueInfoProto> = {
  name: one(1, 'text'),
  type: one(2, () => typeProto),
  docString: one(3, 'text'),
}

const typeProto: Schema<TypeProto> = {
  tensorType: one(1, () => tensorTypeProto),
  sequenceType: one(4, 'bytes'),
  mapType: one(5, 'bytes'),
}

const tensorTypeProto: Schema<TensorTypeProto> = {
  elemType: one(1, 'int'),
  shape: one(2, () => shapeProto),
}

const shapeProto: Schema<ShapeProto> = { dim: many(1, () => dimensionProto) }

const dimensionProto: Schema<DimensionProto> = {
  dimValue: one(1, 'int'),
  dimParam: one(2, 'text'),
}

const functionProto: Schema<FunctionProto> = {
  name: one(1, 'text'),
  input: many(4, 'text'),
  output: many(5, 'text'),
  attribute: many(6, 'text'),
  node: many(7, () => nodeProto),
  domain: one(10, 'text'),
}
