/** `table` of what is no separated text. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import { readApplied } from '../../../lib/data/table/applied.js'
import { type TableOptions, table } from '../../../lib/index.js'

const folder = mkdtempSync(join(tmpdir(), 'neuroblas-sources-'))
t.teardown(() => rmSync(folder, { recursive: true }))
t.intercept(process, 'emitWarning', { value: () => {} })
const at = (name: string) => join(folder, name)

/** The same rows in every kind of file. */
const cells = Array.from({ length: 60 }, (_, i) => ({
  zip: i % 7 === 3 ? null : `0${i % 4}`,
  size: i % 5 === 0 ? null : i / 8 - 3,
  rooms: (i * 7) % 11,
  sold: i % 2 === 0,
  rent: i % 3 === 0 ? 'high' : 'low',
}))
writeFileSync(at('a.jsonl'), cells.map((row) => JSON.stringify(row)).join('\n'))
const names = Object.keys(cells[0])
const text = cells.map((row) =>
  Object.values(row)
    .map((cell) => cell ?? '')
    .join(','),
)
writeFileSync(at('a.csv'), `${names.join(',')}\n${text.join('\n')}\n`)
const typed =
  "SELECT zip, size::FLOAT AS size, rooms::TINYINT AS rooms, sold, rent::ENUM('low', 'high') AS rent"

t.before(async () => {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  const rows = `read_json('${at('a.jsonl')}')`
  await connection.run(`COPY (${typed} FROM ${rows}) TO '${at('a.parquet')}'`)
  await connection.run(`COPY (FROM ${rows} LIMIT 30) TO '${at('b0.parquet')}'`)
  await connection.run(`COPY (FROM ${rows} OFFSET 30) TO '${at('b1.parquet')}'`)
  connection.closeSync()
})

const options: TableOptions = { target: 'rent', missing: 'impute', seed: 3 }

t.test('every kind of file gives the same examples, and text is no number', async (t) => {
  const expected = await table(at('a.jsonl'), options)
  t.strictSame(
    expected.describe().map(({ type }) => type),
    ['category', 'number', 'number', 'category', 'category'],
  )
  t.strictSame(expected.describe()[0].categories, ['00', '01', '02', '03'])
  t.equal(expected.name, 'a.jsonl')
  const sources: [string, TableOptions?][] = [
    [at('a.parquet')],
    [at('b?.parquet')],
    [`select * from '${at('b*.parquet')}'`],
    [
      at('a.csv'),
      { ...options, query: "select lpad(zip, 2, '0') as zip, * exclude zip from data" },
    ],
  ]
  for (const [source, given = options] of sources) {
    const found = await table(source, given)
    t.strictSame(found.train, { ...expected.train, name: found.name }, source)
    t.strictSame(found.test, { ...expected.test, name: found.name }, source)
    t.strictSame(found.encoding, expected.encoding, source)
    t.strictSame(found.classes, ['high', 'low'])
    const { features } = await readApplied(source, source, found.encoding, { query: given.query })
    t.equal(features.length, 4)
  }
})

t.test('only columns that are used are read', async (t) => {
  const query = 'select [1] as list, range as id, range % 2 as y, sqrt(range) as x from range(40)'
  await t.rejects(table(query, { target: 'y' }), {
    name: 'DataError',
    message: /^query: expected .* in column list, got INTEGER\[\]; ignore it/,
  })
  for (const given of [
    { ignore: ['list', 1] },
    { features: ['x'] },
    { features: [-1], ignore: [0] },
  ]) {
    const { encoding, describe, classes } = await table(query, { target: 'y', ...given })
    t.strictSame(
      encoding.features.map(({ name }) => name),
      ['x'],
    )
    t.strictSame(classes, ['0', '1'])
    t.strictSame(
      describe().map(({ name, use }) => `${name} ${use}`),
      ['list ignored', 'id ignored', 'y target', 'x feature'],
    )
  }
  await t.rejects(table(query, { target: 'nope' }), { name: 'ArgumentError' })
})

t.test('a target of numbers', async (t) => {
  const regression = 'select range / 7 as y, range % 5 as x from range(100)'
  const { train } = await table(regression, { target: 'y', task: 'regress' })
  t.equal(train.targets.length, 80)
  await t.rejects(table(regression, { target: 'y' }), { message: /say task classify or regress/ })
})

t.test('what does not fit is named', async (t) => {
  await t.rejects(table('select 1 as x, 2 as y where false', { target: 'y' }), {
    name: 'DataError',
    message: 'query: expected rows, got none',
  })
  const infinite =
    "select case range when 3 then 'inf'::double else range * 1.5 end as x, range % 2 as y from range(50)"
  await t.rejects(table(infinite, { target: 'y' }), {
    name: 'DataError',
    message: /expected finite numbers in column x, got Infinity in row 4;/,
  })
  const { encoding } = await table(at('a.parquet'), options)
  await t.rejects(readApplied('select 1 as size', 'query', encoding), {
    name: 'DataError',
    message: 'query: expected a column "zip" and "rooms" and "sold" as in training, got "size"',
  })
  const texts = "select 'a' as zip, 'big' as size, 1 as rooms, true as sold"
  const { frame, features } = await readApplied(texts, 'query', encoding)
  t.strictSame([frame.rows, features.length], [1, 4])
})
