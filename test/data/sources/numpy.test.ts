/** Arrays in NumPy's files, and tables in them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadNpy, loadNpz, type NpyArray, table } from '../../../lib/index.js'

/** What NumPy wrote; test/fixtures/make_npy.py. */
interface Fixture {
  cases: Record<string, { file: string; shape: number[]; values: string[] }>
  refused: Record<string, string>
  archives: Record<string, string>
  archive: Record<string, string[]>
}

const fixture = new URL('../../fixtures/npy.json', import.meta.url)
const { cases, refused, archives, archive } = JSON.parse(readFileSync(fixture, 'utf8')) as Fixture
const folder = mkdtempSync(join(tmpdir(), 'neuroblas-npy-'))
t.teardown(() => rmSync(folder, { recursive: true }))
t.intercept(process, 'emitWarning', { value: () => {} })

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? Buffer.from(content, 'base64') : content)
  return path
}

/** As NumPy's values were written: numbers, integers and texts alike. */
function same(t: Test, { data }: NpyArray, expected: readonly string[], message: string): void {
  const found = [...(data as Iterable<unknown>)]
  const number = (text: string) => Number(text.replace('inf', 'Infinity'))
  const wanted = expected.map((text) => {
    if (typeof found[0] === 'bigint') return BigInt(text)
    return typeof found[0] === 'number' ? number(text) : text
  })
  t.strictSame(found, wanted, message)
}

t.test('every type in both orders of bytes, in every version and order of values', (t) => {
  for (const [name, { file, shape, values }] of Object.entries(cases)) {
    const array = loadNpy(write('a.npy', file))
    t.strictSame(array.shape, shape, name)
    same(t, array, values, name)
  }
  t.ok(loadNpy(write('a.npy', cases['>f4'].file)).data instanceof Float32Array)
  t.ok(loadNpy(write('a.npy', cases['<i8'].file)).data instanceof BigInt64Array)
  t.end()
})

t.test('archives, stored and deflated', async (t) => {
  const tables = []
  for (const name of ['stored', 'deflated']) {
    const path = write(`${name}.npz`, archives[name])
    const { X, y, ...rest } = loadNpz(path)
    t.strictSame([X.shape, y.shape, rest], [[40, 2, 2], [40], {}])
    same(t, X, archive.X, name)
    same(t, y, archive.y, name)
    const found = await table(path, { target: 'y', name: 'table' })
    t.strictSame(found.classes, ['down', 'up'])
    t.strictSame(
      found.encoding.features.map(({ name }) => name),
      ['X.0', 'X.1', 'X.2', 'X.3'],
    )
    tables.push(found.train)
  }
  t.strictSame(tables[0], tables[1])
  const wide = write('w.npy', cases['<f4'].file)
  const found = await table(wide, { target: -1, task: 'regress', testFraction: 0.4 })
  t.strictSame([found.train.inputShape, found.encoding.isNamed], [[3], false])
})

t.test('what is no array is refused', async (t) => {
  const whole = Buffer.from(cases['<f4'].file, 'base64')
  const header = (text: string) => {
    const bytes = Buffer.alloc(10 + text.length)
    bytes.write('\x93NUMPY\x01\x00', 'latin1')
    bytes.writeUInt16LE(text.length, 8)
    bytes.write(text, 10)
    return bytes
  }
  const npy: [string | Buffer, RegExp][] = [
    [refused.objects, /a.npy: expected numbers, booleans or texts, got "Python objects/],
    [refused.records, /a.npy: .* got a structured one with the fields "a", "b"; save each/],
    [refused.complex, /got "'<c16'"/],
    [refused.dates, /got "'<M8\[D\]'"/],
    [refused['long double'], /got "'<f16'"/],
    [Buffer.alloc(0), /expected an array of NumPy's, which begins with/],
    [Buffer.from('PK no'), /which begins with "\\x93NUMPY", got "PK no"/],
    [whole.subarray(0, 8), /which begins with/],
    [whole.subarray(0, 11), /expected a header of at most 10000 bytes, got a longer one/],
    [whole.subarray(0, -1), /expected 176 bytes for shape \[3, 4\], got 175$/],
    [Buffer.concat([whole, Buffer.alloc(1)]), /expected 176 bytes .* got 177$/],
    [Buffer.from(whole).fill(9, 6, 7), /expected the format 1 to 3 of NumPy's files, got 9/],
    [header("{'descr': '<f4'}"), /expected descr, fortran_order and shape, got/],
    [
      header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 99999999)}"),
      /expected a shape that memory can hold/,
    ],
    [
      header("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999,)}"),
      /for shape \[9999/,
    ],
    [header("{'descr': '<U99999999', 'fortran_order': False, 'shape': (0,)}"), /expected numbers/],
  ]
  for (const [content, message] of npy) {
    const path = write('a.npy', content)
    t.throws(() => loadNpy(path), { name: 'DataError', message }, String(message))
    await t.rejects(table(path, { target: -1 }), { name: 'DataError', message })
  }
  const stored = Buffer.from(archives.stored, 'base64')
  const damaged = Buffer.from(stored).fill(7, 300, 310)
  const deflated = Buffer.from(archives.deflated, 'base64')
  const npz: [Buffer, RegExp][] = [
    [whole, /a.npz: expected an intact zip archive, got no directory at its end/],
    [stored.subarray(0, -30), /expected an intact zip archive/],
    [stored.subarray(30), /expected/],
    [damaged, /a.npz: X.npy: expected intact bytes/],
    [Buffer.from(deflated).fill(255, 60, 70), /a.npz: X.npy: expected/],
  ]
  for (const [content, message] of npz) {
    const path = write('a.npz', content)
    t.throws(() => loadNpz(path), { name: 'DataError', message }, String(message))
  }
  const others = write('o.npz', archives['other rows'])
  await t.rejects(table(others, { target: -1 }), {
    name: 'DataError',
    message: /o.npz: x_test: expected 3 rows as in x_train, got shape \[2, 2\]$/,
  })
  t.strictSame(Object.keys(loadNpz(others)), ['x_train', 'x_test'])
  await t.rejects(table(write('s.npy', cases.scalar.file), { target: 0 }), /an array with rows/)
  t.throws(() => loadNpy(folder), { name: 'DataError', message: /a folder/ })
  t.throws(() => loadNpy(join(folder, 'none.npy')), { name: 'DataError', message: /ENOENT/ })
  t.throws(() => loadNpy(3 as never), { name: 'ArgumentError' })
})
