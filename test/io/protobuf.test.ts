import t from 'tap'
import { DataError } from '../../src/base/errors.js'
import { decode, encode, type Given, many, one, type Schema } from '../../src/io/onnx/protobuf.js'
import { type ModelProto, modelProto } from '../../src/io/onnx/schema.js'

interface Sample {
  readonly whole?: number
  readonly name?: string
  readonly inner: readonly Sample[]
  readonly wholes: readonly number[]
  readonly floats: readonly number[]
  readonly doubles: readonly number[]
  readonly raw?: Uint8Array
}

const sample: Schema<Sample> = {
  whole: one(1, 'int'),
  name: one(2, 'text'),
  inner: many(3, () => sample),
  wholes: many(4, 'int'),
  floats: many(5, 'float'),
  doubles: many(6, 'double'),
  raw: one(7, 'bytes'),
}

const bytesOf = (message: Given<Sample>) => Buffer.concat(encode(sample, message))
const read = (bytes: Uint8Array) => decode(sample, bytes, 'a.onnx')

t.test('the examples of the documentation of the format', async (t) => {
  t.same(bytesOf({ whole: 150 }), Buffer.from('089601', 'hex'))
  t.same(bytesOf({ name: 'testing' }), Buffer.from('120774657374696e67', 'hex'))
  t.same(bytesOf({ inner: [{ whole: 150 }] }), Buffer.from('1a03089601', 'hex'))
  t.same(bytesOf({ wholes: [3, 270, 86942] }), Buffer.from('2206038e029ea705', 'hex'))
  t.same(bytesOf({ whole: -2 }), Buffer.from('08feffffffffffffffff01', 'hex'))
})

t.test('what was written is read', async (t) => {
  const message = {
    whole: -(2 ** 53),
    name: 'größe',
    wholes: [0, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 53, -1],
    floats: [0.5, -Infinity],
    doubles: [0.1],
    raw: new Uint8Array([1, 2, 3]),
  }
  const none = { inner: [], wholes: [], floats: [], doubles: [] }
  const nested = { ...message, inner: [{ ...none, whole: 1 }, none] }
  t.same(read(bytesOf(nested)), nested)
  t.same(read(Buffer.alloc(0)), none)
})

t.test('numbers one by one, unknown fields, a field given twice', async (t) => {
  t.same(read(Buffer.from('20032005', 'hex')).wholes, [3, 5])
  const unknown = '80019601' + '8a0102abcd' + '95010000803f' + '99010000000000000000' + '0807'
  t.equal(read(Buffer.from(unknown, 'hex')).whole, 7)
  t.equal(read(Buffer.from('08010802', 'hex')).whole, 2)
})

t.test('damaged bytes are refused', async (t) => {
  const broken = {
    '08': /expected more bytes at byte 1 of 1/,
    '08ffffffffffffffffffff01': /64 bits/,
    '1205aabb': /a field of 2 bytes at most, found 5/,
    '1202c328': /UTF-8/,
    '2d0000': /more bytes/,
    '0b0c': /layout 3/,
  }
  for (const [hex, message] of Object.entries(broken)) {
    t.throws(() => read(Buffer.from(hex, 'hex')), { constructor: DataError, message }, hex)
  }
  let deep: Given<Sample> = {}
  for (let i = 0; i < 150; i++) deep = { inner: [deep] }
  t.throws(() => read(bytesOf(deep)), { constructor: DataError, message: /inside each other, 100/ })
})

t.test('any bytes give a message or a DataError', async (t) => {
  const given: Given<ModelProto> = {
    irVersion: 8,
    graph: {
      name: 'g',
      node: [{ input: ['x'], output: ['y'], opType: 'Relu', attribute: [{ name: 'a', f: 1 }] }],
      initializer: [{ name: 'w', dims: [2], dataType: 1, rawData: new Uint8Array(8) }],
    },
  }
  const whole = Buffer.concat(encode(modelProto, given))
  let refused = 0
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0, 127, 128, 255, whole[at] ^ 8]) {
      const damaged = Buffer.from(whole)
      damaged[at] = value
      try {
        decode(modelProto, damaged, 'a.onnx')
      } catch (error) {
        if (!(error instanceof DataError)) throw error
        refused++
      }
    }
  }
  t.ok(refused > 50, `${refused} refused`)
})
