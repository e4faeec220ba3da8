/** Tables in Arrow's IPC files and streams. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import * as arrow from 'apache-arrow'
import t from 'tap'
import { decodeLz4 } from '../../../lib/data/formats/lz4.js'
import { readerOf } from '../../../lib/data/sources/openSource.js'
import type { TableReader } from '../../../lib/data/sources/source.js'
import { table } from '../../../lib/index.js'
import { readAll } from '../../support/readers.js'

const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/arrow.json', import.meta.url), 'utf8'),
) as {
  columns: { x: number[]; i: (number | null)[]; s: string[]; d: string[] }
  files: { lz4: string; zstd: string }
  frames: { bytes: string; length: number; crc32: number }[]
}
const folder = mkdtempSync(join(tmpdir(), 'neuroblas-arrow-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const { NaN: none } = Number

function write(
  name: string,
  made: arrow.Table | Buffer,
  format: 'file' | 'stream' = 'file',
): string {
  const path = join(folder, name)
  writeFileSync(path, Buffer.isBuffer(made) ? made : arrow.tableToIPC(made, format))
  return path
}

const open = async (path: string) => (await readerOf(path, {})) as TableReader
const vector = (values: unknown[], type: arrow.DataType) => arrow.vectorFromArray(values, type)

t.test('every type, with and without values that are missing', async (t) => {
  const day = Date.UTC(2024, 1, 29)
  const noon = day + 12 * 3600_000 + 250
  const { TimeUnit } = arrow
  const columns: Record<string, [unknown[], arrow.DataType, unknown[]]> = {
    i8: [[1, -2], new arrow.Int8(), [1, -2]],
    u32: [[1, null], new arrow.Uint32(), [1, none]],
    i64: [[1n, -(2n ** 40n)], new arrow.Int64(), [1, -(2 ** 40)]],
    f16: [[1.5, null], new arrow.Float16(), [1.5, none]],
    f32: [[0.5, -0.25], new arrow.Float32(), [0.5, -0.25]],
    f64: [[0.1, null], new arrow.Float64(), [0.1, none]],
    bool: [[true, false], new arrow.Bool(), [1, 0]],
    utf8: [['Grüße', null], new arrow.Utf8(), ['Grüße', null]],
    large: [['a', 'b'], new arrow.LargeUtf8(), ['a', 'b']],
    dictionary: [['b', 'a'], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()), ['b', 'a']],
    day: [[new Date(day), null], new arrow.DateDay(), [day, none]],
    second: [[day, day], new arrow.Timestamp(TimeUnit.SECOND), [day, day]],
    milli: [[noon, null], new arrow.Timestamp(TimeUnit.MILLISECOND), [noon, none]],
    micro: [[noon, noon], new arrow.TimestampMicrosecond('UTC'), [noon, noon]],
    time: [[1500, 0], new arrow.TimeMillisecond(), [1500, 0]],
    clock: [[1500000n, 0n], new arrow.TimeMicrosecond(), [1500, 0]],
    duration: [[1500n, 0n], new arrow.DurationMillisecond(), [1.5, 0]],
    list: [[[1], [2]], new arrow.List(new arrow.Field('item', new arrow.Int32())), []],
  }
  const made = new arrow.Table(
    Object.fromEntries(
      Object.entries(columns).map(([name, [values, type]]) => [name, vector(values, type)]),
    ),
  )
  const names = Object.keys(columns).slice(0, -1)
  for (const format of ['file', 'stream'] as const) {
    const reader = await open(write('types.arrow', made, format))
    t.strictSame([reader.columns.at(-1)?.type, reader.columns.length], ['other', names.length + 1])
    t.throws(() => reader.batches(), {
      name: 'DataError',
      message: /column list, got List<Int32>;/,
    })
    for (let time = 0; time < 2; time++) {
      const rows = await readAll(reader, names)
      for (const [i, name] of names.entries()) {
        t.strictSame(
          rows.map((row) => row[i]),
          columns[name][2],
          `${format} ${name}`,
        )
      }
    }
  }
})

t.test('decimals', async (t) => {
  const words = Uint32Array.of(12345, 0, 0, 0, 2 ** 32 - 250, ...Array(3).fill(2 ** 32 - 1))
  const data = arrow.makeData({
    type: new arrow.Decimal(2, 10),
    length: 2,
    nullCount: 0,
    data: words,
  })
  const made = new arrow.Table({ d: new arrow.Vector([data]) })
  t.strictSame(await readAll(await open(write('d.arrow', made))), [[123.45], [-2.5]])
})

t.test('several batches, trained on', async (t) => {
  const part = (start: number) =>
    arrow.tableFromArrays({
      x: Float32Array.from({ length: 50 }, (_, i) => Math.sin(start + i)),
      y: Array.from({ length: 50 }, (_, i) => (Math.sin(start + i) > 0 ? 'up' : 'down')),
    })
  const path = write('b.feather', part(0).concat(part(50)), 'stream')
  const sizes = []
  for await (const { rows } of (await open(path)).batches()) sizes.push(rows)
  t.strictSame(sizes, [50, 50])
  const { train, classes } = await table(path, { target: 'y' })
  t.strictSame([train.size, classes], [80, ['down', 'up']])
  await t.rejects(table(path, { target: 'y', query: 'select 1' }), { name: 'ArgumentError' })
})

t.test('compressed, as pandas writes Feather', async (t) => {
  const { x, i, s, d } = fixture.columns
  const wanted = x.map((_, row) => [x[row], i[row] ?? none, s[row], d[row]])
  const [lz4, zstd] = [fixture.files.lz4, fixture.files.zstd].map((text) =>
    Buffer.from(text, 'base64'),
  )
  t.strictSame(await readAll(await open(write('lz4.feather', lz4))), wanted)
  const path = write('zstd.feather', zstd)
  const reading = async () => readAll(await open(path))
  if ('zstdDecompressSync' in zlib) t.strictSame(await reading(), wanted)
  else
    await t.rejects(reading(), {
      name: 'DataError',
      message: /zstd\.feather: .*zstd, which takes Node\.js 22\.15/,
    })
  const at = lz4.indexOf(Buffer.of(0x04, 0x22, 0x4d, 0x18))
  for (const [place, value] of [
    [0, 5],
    [4, 0],
    [8, 255],
  ] as const) {
    const broken = Buffer.from(lz4)
    broken[at + place] = value
    await t.rejects(
      open(write('broken.feather', broken)).then((reader) => readAll(reader)),
      { name: 'DataError', message: /broken\.feather: .*no frame of LZ4/ },
    )
  }
})

t.test('frames of LZ4', async (t) => {
  for (const { bytes, length, crc32 } of fixture.frames) {
    const packed = Buffer.from(bytes, 'base64')
    const found = decodeLz4(packed)
    t.strictSame([found.length, zlib.crc32(found)], [length, crc32])
    // However it is cut or changed, it is refused or decoded to something.
    for (let i = 0; i < packed.length; i += 1 + Math.floor(packed.length / 50)) {
      t.throws(() => decodeLz4(packed.subarray(0, i)), { message: /no frame of LZ4/ })
      const changed = Buffer.from(packed)
      changed[i] ^= 0xff
      try {
        decodeLz4(changed)
      } catch (error) {
        t.match(error, { message: /no frame of LZ4/ })
      }
    }
  }
})

t.test('what is none is refused', async (t) => {
  const whole = Buffer.from(arrow.tableToIPC(arrow.tableFromArrays({ x: [1, 2, 3] }), 'file'))
  for (const bytes of [
    '',
    'ARROW1',
    'hello world, no table',
    whole.subarray(0, 100),
    Buffer.alloc(99),
  ]) {
    const path = write('bad.arrow', Buffer.from(bytes))
    await t.rejects(
      open(path).then((reader) => readAll(reader)),
      {
        name: 'DataError',
        message: /bad.arrow: expected a file or a stream of Arrow's, got/,
      },
    )
  }
  await t.rejects(open(join(folder, 'none.arrow')), { name: 'DataError', message: /ENOENT/ })
})
