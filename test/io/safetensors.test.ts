/**
 * Safetensors against files of the Python library, malformed files, and the atomic write.
 */
import { execFileSync } from 'node:child_process'
import fs, { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { DataError } from '../../lib/base/errors.js'
import { writeFileAtomically } from '../../lib/io/files.js'
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js'

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)))

/** A file with this header, exactly as given, and so many bytes of data. */
function craft(header: string | Buffer, dataLength = 0): Buffer {
  const json = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, Buffer.alloc(dataLength)])
}

const field = (name: string, dtype: string, shape: string, offsets: string) =>
  `"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`

t.test('the Python library’s file, read and written again byte for byte', async (t) => {
  const bytes = fixture('python.safetensors')
  const { tensors, metadata } = decodeSafetensors(bytes, 'python.safetensors')
  t.strictSame(metadata, { format: 'np' })
  t.strictSame(
    tensors,
    new Map(
      Object.entries({
        '10': { dtype: 'F32', shape: [], data: Float32Array.of(7.25) },
        '9': { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
        'grüß ～': { dtype: 'F32', shape: [1], data: Float32Array.of(2) },
        'grüß 🙂': { dtype: 'F32', shape: [1], data: Float32Array.of(3) },
        'layers.0.bias': { dtype: 'F32', shape: [3], data: Float32Array.of(-1.5, 3e38, -0) },
        'layers.0.weight': {
          dtype: 'F32',
          shape: [2, 3],
          data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25),
        },
        'quote " slash \\ tab \t': { dtype: 'F32', shape: [1], data: Float32Array.of(1) },
        labels: { dtype: 'I32', shape: [4], data: Int32Array.of(0, -1, 2147483647, -2147483648) },
        pixels: { dtype: 'U8', shape: [1, 3], data: Uint8Array.of(0, 128, 255) },
      }),
    ),
  )
  const backwards = [...tensors].reverse()
  t.strictSame(Buffer.from(encodeSafetensors(backwards, metadata)), bytes)
})

t.test('the other dtypes become float32 and int32', async (t) => {
  const { tensors, metadata } = decodeSafetensors(fixture('python-dtypes.safetensors'), 'f')
  t.strictSame(metadata, {})
  t.equal(tensors.size, 12)
  t.strictSame(tensors.get('f64'), {
    dtype: 'F32',
    shape: [4],
    data: Float32Array.of(0.1, -2.5, Infinity, 0),
  })
  // The nearest halves: a subnormal one, the smallest normal one, a third.
  t.strictSame(
    tensors.get('f16')?.data,
    Float32Array.of(
      1.5,
      -65504,
      2 ** -24,
      1023 * 2 ** -24,
      Infinity,
      -Infinity,
      NaN,
      -0,
      1365 / 4096,
    ),
  )
  t.ok(Object.is(tensors.get('f16')?.data[7], -0))
  t.strictSame(tensors.get('i64')?.data, Int32Array.of(0, -1, 2147483647, -2147483648))

  const bf16 = craft(`{${field('b', 'BF16', '[4]', '[0,8]')}}`, 8)
  new Uint16Array([0x3fc0, 0xff80, 0x7fc0, 0x8000]).forEach((bits, i) => {
    bf16.writeUInt16LE(bits, bf16.length - 8 + 2 * i)
  })
  const converted = decodeSafetensors(bf16, 'f').tensors.get('b')
  t.strictSame(converted?.data, Float32Array.of(1.5, -Infinity, NaN, -0))
})

t.test('floats of 8 bits: every byte is what PyTorch says', async (t) => {
  const expected: Record<string, (number | string)[]> = JSON.parse(String(fixture('float8.json')))
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  for (const [dtype, values] of Object.entries(expected)) {
    const header = craft(`{${field('a', dtype, '[16,16]', '[0,256]')}}`)
    const { tensors } = decodeSafetensors(Buffer.concat([header, every]), 'f')
    const data = Float32Array.from(values, Number)
    t.strictSame(tensors.get('a'), { dtype: 'F32', shape: [16, 16], data }, dtype)
    t.equal(
      Object.is(tensors.get('a')!.data[128], -0),
      !dtype.includes('FNUZ') && dtype !== 'F8_E8M0',
    )
  }
  const { tensors } = decodeSafetensors(fixture('python-float8.safetensors'), 'f')
  t.strictSame(tensors.get('e4m3')!.data, Float32Array.from(expected.F8_E4M3, Number))
  t.strictSame(tensors.get('e5m2')!.data, Float32Array.from(expected.F8_E5M2, Number))
})

t.test('values that the library’s dtypes cannot hold', async (t) => {
  const f64 = craft(`{${field('a', 'F64', '[1]', '[0,8]')}}`, 8)
  f64.writeDoubleLE(1e300, f64.length - 8)
  const float = {
    name: 'DataError',
    message: 'f: expected values within float32 in "a", got 1e+300',
  }
  t.throws(() => decodeSafetensors(f64, 'f'), float)
  const i64 = craft(`{${field('a', 'I64', '[2]', '[0,16]')}}`, 16)
  for (const value of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 62n]) {
    i64.writeBigInt64LE(value, i64.length - 8)
    const message = `f: expected integers within int32 in "a", got ${value}`
    t.throws(() => decodeSafetensors(i64, 'f'), { name: 'DataError', message })
  }
})

t.test('encode: details of the format', async (t) => {
  t.equal(Buffer.from(encodeSafetensors([])).toString('latin1', 8), '{}      ')
  const bytes = encodeSafetensors([['__proto__', { shape: [1], data: Float32Array.of(5) }]], {
    b: '2',
    a: '1',
  })
  t.equal(new DataView(bytes.buffer).getUint32(0, true) % 8, 0)
  const { tensors, metadata } = decodeSafetensors(bytes, 'f')
  t.strictSame([...tensors.keys()], ['__proto__'])
  t.strictSame(Object.entries(metadata), [
    ['b', '2'],
    ['a', '1'],
  ])
  // A view into a larger buffer writes its own part only.
  const view = new Float32Array([1, 2, 3, 4]).subarray(1, 3)
  const back = decodeSafetensors(encodeSafetensors([['v', { shape: [2], data: view }]]), 'f')
  t.strictSame(back.tensors.get('v')?.data, Float32Array.of(2, 3))
})

t.test('encode: what it refuses', async (t) => {
  const one = { shape: [1], data: Float32Array.of(1) }
  const cases: [string, [string, unknown][], RegExp][] = [
    [
      'ArgumentError',
      [
        ['a', one],
        ['a', one],
      ],
      /each once .* got "a"/,
    ],
    ['ArgumentError', [['__metadata__', one]], /__metadata__/],
    ['ArgumentError', [['\ud800', one]], /well-formed names/],
    [
      'ArgumentError',
      [['a', { shape: [1], data: Float64Array.of(1) }]],
      /got \[object Float64Array\]/,
    ],
    ['ArgumentError', [['a'.repeat(1e8), one]], /at most 100000000 bytes, got 1000000/],
    ['ShapeError', [['a', { shape: [2], data: Float32Array.of(1) }]], /got \[2\] and 1 values/],
    ['ShapeError', [['a', { shape: [-1, -1], data: Float32Array.of(1) }]], /does not fit/],
  ]
  for (const [name, entries, message] of cases) {
    t.throws(() => encodeSafetensors(entries as never), { name, message })
  }
})

t.test('decode: malformed files', async (t) => {
  const ok = field('a', 'F32', '[2]', '[0,8]')
  const one = (dtype: string, shape: string, offsets: string, dataLength = 8) =>
    craft(`{${field('a', dtype, shape, offsets)}}`, dataLength)
  const notUtf8 = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])
  const cases: [string, Buffer, RegExp][] = [
    ['empty', Buffer.alloc(0), /at least 8 bytes, got 0/],
    ['short', Buffer.alloc(7), /at least 8 bytes, got 7/],
    ['no header', craft(''), /starts with \{/],
    [
      'claims 2^64',
      Buffer.alloc(100, 255),
      /: expected a safetensors file, got a file of 100 bytes that is shorter than its header says \(18446744073709551615 bytes\): it is damaged/,
    ],
    ['claims one too many', craft(`{${ok}}`).subarray(0, -1), /shorter than its header says/],
    ['blank first', craft(` {${ok}}`, 8), /starts with \{/],
    ['byte order mark', craft(`\ufeff{${ok}}`, 8), /starts with \{/],
    ['list', craft('[]'), /starts with \{/],
    ['not UTF-8', craft(notUtf8), /header in UTF-8/],
    ['cut', craft('{"a'), /expected " at character 3 of the header, got its end/],
    ['cut after an escape', craft('{"a\\'), /expected " at character/],
    ['no value', craft('{"a":}'), /expected \{ at character 5 of the header, got "\}"/],
    ['no name', craft('{:1}'), /expected " at character 1 of the header, got ":1\}"/],
    ['comma at the end', craft(`{${ok},}`, 8), /expected " at/],
    ['no comma', craft(`{${ok}${ok}}`, 16), /expected \} at/],
    ['bad escape', craft('{"\\x":1}'), /valid strings in the header, got "\\x"/],
    ['line feed in a name', craft('{"\n":1}'), /valid strings/],
    ['half a character', craft('{"\\ud800":1}'), /valid strings/],
    ['rest after the JSON', craft(`{${ok}}\0`, 8), /expected the end at character 54/],
    ['deep', craft(`{"a":${'['.repeat(1000)}`), /expected \{ at character 5/],
    ['name twice', craft(`{${ok},${ok}}`, 8), /every key once in the header, got "a" twice/],
    ['name twice, escaped', craft(`{${ok},${ok.replace('a', '\\u0061')}}`, 8), /"a" twice/],
    ['field twice', craft('{"a":{"dtype":"F32","dtype":"F32"}}'), /"dtype" twice/],
    ['metadata twice', craft('{"__metadata__":{"k":"1","k":"2"}}'), /"k" twice/],
    ['metadata not strings', craft('{"__metadata__":{"k":1}}'), /expected " at character 21/],
    ['metadata a list', craft('{"__metadata__":["k"]}'), /expected \{ at/],
    ['tensor a number', craft('{"a":1}'), /expected \{ at/],
    ['no fields', craft('{"a":{}}'), /a dtype, a shape and two data_offsets for "a"/],
    ['other field', craft('{"a":{"stride":[1]}}'), /only dtype, .* for "a", got "stride"/],
    ['other dtype', one('U16', '[1]', '[0,2]', 2), /dtypes F32,.* for "a", got "U16"/],
    ['inherited name', one('toString', '[]', '[0,0]', 0), /got "toString"/],
    ['shape a number', one('F32', '2', '[0,8]'), /expected \[ at/],
    ['shape of text', one('F32', '["2"]', '[0,8]'), /expected an integer/],
    ['negative', one('F32', '[-2,-1]', '[0,8]'), /expected an integer .* got "-2,-1\]/],
    ['fraction', one('F32', '[2.0]', '[0,8]'), /expected an integer/],
    ['exponent', one('F32', '[2e0]', '[0,8]'), /expected an integer/],
    ['leading zero', one('F32', '[02]', '[0,8]'), /expected an integer/],
    ['beyond 2^53', one('F32', '[0,9007199254740993]', '[0,0]', 0), /an integer in 0\.\.2\^53-1/],
    ['far beyond', one('F32', `[0,${'9'.repeat(400)}]`, '[0,0]', 0), /expected an integer/],
    [
      '65 dimensions',
      one('F32', `[${new Array(65).fill(1)}]`, '[0,4]', 4),
      /at most 64 dimensions/,
    ],
    ['overflow', one('F32', '[4294967296,4294967296]', '[0,0]', 0), /span NaN bytes/],
    ['overflow, then 0', one('F32', '[4294967296,4294967296,0]', '[0,0]', 0), /span NaN/],
    ['one offset', one('F32', '[2]', '[8]'), /two data_offsets/],
    ['backwards', one('F32', '[2]', '[8,0]'), /span 8 bytes .* got \[8,0\]/],
    ['size', one('F32', '[3]', '[0,8]'), /span 12 bytes for F32 \[3\] in "a", got \[0,8\]/],
    ['claims 4 TB', one('F32', '[1000000000000]', '[0,4000000000000]'), /4000000000000 .* got 8/],
    ['trailing', craft(`{${ok}}`, 9), /8 bytes of data after the header, got 9/],
    ['hole', one('U8', '[1]', '[1,2]', 2), /data of "a" to begin at 0, got 1/],
    ['overlap', craft(`{${ok},${field('b', 'F32', '[2]', '[4,12]')}}`, 12), /begin at 8, got 4/],
    ['same bytes', craft(`{${ok},${field('b', 'F32', '[2]', '[0,8]')}}`, 8), /begin at 8, got 0/],
  ]
  for (const [name, bytes, message] of cases) {
    t.throws(() => decodeSafetensors(bytes, 'some.file'), { name: 'DataError', message }, name)
    t.throws(
      () => decodeSafetensors(bytes, 'some.file'),
      { message: /^some\.file: expected / },
      name,
    )
  }
  const long = one('F32', '[1]', '[0,4]').toString('latin1', 8).replace('a', 'n'.repeat(1e6))
  const short = /^f: expected .{0,400}$/
  t.throws(() => decodeSafetensors(craft(long, 3), 'f'), { message: short }, 'no flood in the log')
})

t.test('decode: what the format allows', async (t) => {
  const unordered = `{${field('b', 'U8', '[2]', '[8,10]')},${field('a', 'F32', '[2]', '[0,8]')}}`
  t.strictSame([...decodeSafetensors(craft(unordered, 10), 'f').tensors.keys()], ['a', 'b'])
  const blanks = '{ "a"\t: {"shape" :[ ],\n"data_offsets":[0 ,1],"dtype":"\\u0055\\u0038"} }  \r\n'
  t.equal(decodeSafetensors(craft(blanks, 1), 'f').tensors.get('a')?.data.length, 1)
  // An empty tensor begins where its neighbour does, whichever comes first in the header.
  const empty = `{${field('a', 'F32', '[2]', '[0,8]')},${field('e', 'F32', '[0]', '[0,0]')}}`
  t.strictSame([...decodeSafetensors(craft(empty, 8), 'f').tensors.keys()], ['e', 'a'])
  const proto = decodeSafetensors(craft('{"__metadata__":{"__proto__":"x"}}'), 'f').metadata
  t.strictSame(Object.entries(proto), [['__proto__', 'x']])
  // Where the bytes begin in their buffer makes no difference.
  const odd = Buffer.concat([Buffer.from('x'), craft(`{${field('a', 'F32', '[1]', '[0,4]')}}`, 4)])
  t.strictSame(decodeSafetensors(odd.subarray(1), 'f').tensors.get('a')?.data, Float32Array.of(0))
})

t.test('large hostile headers are refused fast', async (t) => {
  const headers = {
    nested: `{"a":${'['.repeat(3e7)}`,
    'one long name': `{"${'\\"'.repeat(1e7)}":1}`,
    'one long shape': `{"a":{"shape":[${'1,'.repeat(1e7)}`,
    'many fields': `{"a":{${Array.from({ length: 1e6 }, (_, i) => `"${i}":1`)}}}`,
  }
  for (const [name, header] of Object.entries(headers)) {
    const bytes = craft(header)
    // Of the processor, of which others may want their share meanwhile.
    const start = process.cpuUsage()
    t.throws(() => decodeSafetensors(bytes, 'f'), { name: 'DataError' }, name)
    const { user, system } = process.cpuUsage(start)
    t.ok(user + system < 1e6, name)
  }
})

t.test('property: what is encoded is decoded', async (t) => {
  const shape = fc.array(fc.nat(4), { maxLength: 4 })
  const tensor = fc.tuple(shape, fc.constantFrom(Float32Array, Int32Array, Uint8Array), fc.nat(255))
  const names = fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__')
  const entries = fc.uniqueArray(fc.tuple(names, tensor), { selector: ([name]) => name })
  const property = () =>
    fc.assert(
      fc.property(entries, (list) => {
        const tensors = list.map(([name, [shape, Kind, seed]]) => {
          const count = shape.reduce((a, b) => a * b, 1)
          const data = Kind.from(Array.from({ length: count }, (_, i) => (seed + i) % 256))
          return [name, { shape, data }] as const
        })
        const decoded = decodeSafetensors(encodeSafetensors(tensors), 'f').tensors
        return (
          decoded.size === tensors.length &&
          tensors.every(([name, { shape, data }]) => {
            const back = decoded.get(name)
            const same = back?.data.constructor === data.constructor
            return (
              same && String(back?.shape) === String(shape) && String(back?.data) === String(data)
            )
          })
        )
      }),
    )
  t.doesNotThrow(property)
})

t.test('property: a damaged file is decoded or refused, never anything else', async (t) => {
  const good = fixture('python-dtypes.safetensors')
  const damage = fc.record({
    keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    flips: fc.array(fc.nat(8 * good.length - 1), { maxLength: 4 }),
    tail: fc.uint8Array({ maxLength: 3 }),
  })
  const property = () =>
    fc.assert(
      fc.property(damage, ({ keep, flips, tail }) => {
        const bytes = Buffer.from(good)
        for (const bit of flips) bytes[bit >> 3] ^= 1 << (bit & 7)
        const kept = bytes.subarray(0, Math.round(keep * bytes.length))
        try {
          decodeSafetensors(Buffer.concat([kept, tail]), 'the file')
          return true
        } catch (error) {
          return error instanceof DataError && error.message.startsWith('the file: expected ')
        }
      }),
      { numRuns: 2000 },
    )
  t.doesNotThrow(property)
})

t.test('writeFileAtomically: writes, replaces, follows links, keeps permissions', async (t) => {
  const dir = t.testdir({ old: 'old', folder: {} })
  const path = join(dir, 'new')
  writeFileAtomically(path, Buffer.from('one'))
  t.equal(readFileSync(path, 'utf8'), 'one')
  fs.chmodSync(path, 0o600)
  writeFileAtomically(path, Buffer.from('two'))
  t.equal(readFileSync(path, 'utf8'), 'two')
  if (process.platform !== 'win32') {
    t.equal(statSync(path).mode & 0o777, 0o600)
    symlinkSync('old', join(dir, 'link'))
    writeFileAtomically(join(dir, 'link'), Buffer.from('through'))
    t.ok(fs.lstatSync(join(dir, 'link')).isSymbolicLink())
    t.equal(readFileSync(join(dir, 'old'), 'utf8'), 'through')
  }
  const nowhere = join(dir, 'absent', 'file')
  const message = /absent.file: expected a file in an existing folder, got no folder .*absent$/
  t.throws(() => writeFileAtomically(nowhere, Buffer.alloc(1)), { name: 'ArgumentError', message })
  const inFile = join(dir, 'old', 'file')
  t.throws(() => writeFileAtomically(inFile, Buffer.alloc(1)), { name: 'ArgumentError' })
  const folder = { name: 'ArgumentError', message: /folder: expected a regular file or none/ }
  t.throws(() => writeFileAtomically(join(dir, 'folder'), Buffer.alloc(1)), folder)
})

t.test('writeFileAtomically: a failure leaves the old file and nothing else', async (t) => {
  const dir = t.testdir({ model: 'old' })
  const path = join(dir, 'model')
  const { writeSync: write, renameSync: rename, fsyncSync: fsync } = fs
  const fail = () => {
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  }
  const halfWrite = (fd: number) => {
    write(fd, 'half')
    fail()
  }
  for (const broken of [{ writeSync: halfWrite }, { fsyncSync: fail }, { renameSync: fail }]) {
    Object.assign(fs, broken)
    syncBuiltinESMExports()
    try {
      t.throws(() => writeFileAtomically(path, Buffer.from('new')), { code: 'ENOSPC' })
    } finally {
      Object.assign(fs, { writeSync: write, renameSync: rename, fsyncSync: fsync })
      syncBuiltinESMExports()
    }
    t.equal(readFileSync(path, 'utf8'), 'old')
    t.strictSame(readdirSync(dir), ['model'])
  }
})

const noLimits = process.platform === 'win32' && 'no ulimit'
t.test('writeFileAtomically: a real write error by ulimit', { skip: noLimits }, async (t) => {
  const dir = t.testdir({ model: 'old' })
  const module = new URL('../../lib/io/files.js', import.meta.url).href
  writeFileSync(
    join(dir, 'write.mjs'),
    `import { writeFileAtomically } from '${module}'
     try { writeFileAtomically('model', Buffer.alloc(1e6)) } catch (e) { console.log(e.code) }`,
  )
  const command = 'unset NODE_OPTIONS; ulimit -f 8 && exec "$0" write.mjs'
  const env = { PATH: process.env.PATH }
  const options = { cwd: dir, env, encoding: 'utf8' } as const
  t.equal(execFileSync('sh', ['-c', command, process.execPath], options).trim(), 'EFBIG')
  t.equal(readFileSync(join(dir, 'model'), 'utf8'), 'old')
  t.strictSame(readdirSync(dir), ['model', 'write.mjs'])
})
