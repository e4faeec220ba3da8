/** Constants of every type of elements, in the two ways that a file can hold them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Given } from '../../../lib/io/onnx/protobuf.js'
import { dataType, type TensorProto } from '../../../lib/io/onnx/schema.js'
import { bytesOf, modelOf, nodeOf } from '../../support/onnxFile.js'
import { agrees } from '../../support/onnxRuntime.js'

type Held = Partial<Given<TensorProto>>

const raw = (values: ArrayBufferView): Held => ({
  rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
})

// 1, -2, the smallest number, infinity.
const HALVES = [0x3c00, 0xc000, 0x0001, 0x7c00]
const UPPER_HALVES = [0x3f80, 0xc000, 0x0001, 0x7f80]

const tensors: Record<keyof typeof dataType, Held[]> = {
  float: [raw(Float32Array.of(1.5, -2, 3, 0)), { floatData: [1.5, -2, 3, 0] }],
  double: [raw(Float64Array.of(1.5, -2, 3, 0)), { doubleData: [1.5, -2, 3, 0] }],
  float16: [raw(Uint16Array.from(HALVES)), { int32Data: HALVES }],
  bfloat16: [raw(Uint16Array.from(UPPER_HALVES)), { int32Data: UPPER_HALVES }],
  int8: [raw(Int8Array.of(1, -128, 127, 0)), { int32Data: [1, -128, 127, 0] }],
  uint8: [raw(Uint8Array.of(1, 255, 127, 0)), { int32Data: [1, 255, 127, 0] }],
  int16: [raw(Int16Array.of(1, -32768, 9, 0)), { int32Data: [1, -32768, 9, 0] }],
  uint16: [raw(Uint16Array.of(1, 65535, 9, 0)), { int32Data: [1, 65535, 9, 0] }],
  int32: [raw(Int32Array.of(1, -(2 ** 31), 9, 0)), { int32Data: [1, -(2 ** 31), 9, 0] }],
  uint32: [raw(Uint32Array.of(1, 2 ** 32 - 1, 9, 0)), { uint64Data: [1, 2 ** 32 - 1, 9, 0] }],
  int64: [raw(BigInt64Array.of(1n, -(2n ** 50n), 9n, 0n)), { int64Data: [1, -(2 ** 50), 9, 0] }],
  uint64: [raw(BigUint64Array.of(1n, 2n ** 50n, 9n, 0n)), { uint64Data: [1, 2 ** 50, 9, 0] }],
  bool: [raw(Uint8Array.of(1, 0, 1, 1)), { int32Data: [1, 0, 1, 1] }],
  string: [{ stringData: ['1', '-2.5', '1e3', '0'].map((text) => Buffer.from(text)) }],
}

t.test('every type of elements', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const model = modelOf({ nodes: [nodeOf('Cast', ['c'], ['y'], { to: dataType.float })] })
  for (const [type, ways] of Object.entries(tensors)) {
    for (const [i, held] of ways.entries()) {
      const dims = [2, 2]
      const initializer = [{ name: 'c', dims, dataType: dataType[type as 'float'], ...held }]
      writeFileSync(path, bytesOf({ ...model, graph: { ...model.graph, initializer } }))
      await agrees(t, path, {}, `${type}, ${i === 0 ? 'raw' : 'in a field'}`)
    }
  }
})
