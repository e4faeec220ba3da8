/** Tables that DuckDB reads. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import { readerOf } from '../../../lib/data/sources/openSource.js'
import type { SourceOptions, TableReader } from '../../../lib/data/sources/source.js'
import { readAll, rowsOf } from '../../support/readers.js'

const folder = mkdtempSync(join(tmpdir(), 'neuroblas-duckdb-test-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

/** Runs SQL that makes the files of a test. */
async function make(...statements: string[]): Promise<void> {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  for (const sql of statements) await connection.run(sql)
  connection.closeSync()
  instance.closeSync()
}

async function open(source: string, options: SourceOptions = {}): Promise<TableReader> {
  return (await readerOf(source, options)) as TableReader
}

const { NaN: none } = Number

t.test('every type of a number, as it is', async (t) => {
  const big = '170141183460469231731687303715884105727'
  const types = ['tinyint', 'smallint', 'integer', 'bigint', 'hugeint', 'utinyint', 'usmallint']
  const more = [
    'uinteger',
    'ubigint',
    'uhugeint',
    'float',
    'double',
    'decimal(9, 2)',
    'decimal(38, 3)',
  ]
  const columns = [...types, ...more].map((type, i) => `v::${type} AS c${i}`)
  const reader = await open(
    `SELECT ${columns.join(', ')} FROM (VALUES (1.5), (NULL), (100)) AS t(v)`,
  )
  t.strictSame(new Set(reader.columns.map(({ type }) => type)), new Set(['number']))
  t.equal(reader.columns[12].declared, 'DECIMAL(9,2)')
  const whole = (value: number) => Array(10).fill(value)
  t.strictSame(await readAll(reader), [
    [...whole(2), ...Array(4).fill(1.5)],
    Array(14).fill(none),
    [...whole(100), ...Array(4).fill(100)],
  ])
  t.strictSame(await readAll(await open(`SELECT ${big}::HUGEINT, -0.1::FLOAT, 'inf'::DOUBLE`)), [
    [Number(big), Math.fround(-0.1), Infinity],
  ])
})

t.test('booleans, dates and times of every unit', async (t) => {
  const noon = Date.UTC(2024, 1, 29, 12, 0, 0, 250)
  const reader = await open(`
    SELECT true AS b, DATE '2024-02-29' AS d, TIMESTAMP '2024-02-29 12:00:00.25' AS t,
      '2024-02-29 12:00:00.25'::TIMESTAMP_S AS s, '2024-02-29 12:00:00.25'::TIMESTAMP_MS AS m,
      '2024-02-29 12:00:00.25'::TIMESTAMP_NS AS n, TIMESTAMPTZ '2024-02-29 13:00:00.25+01' AS z,
      TIME '01:02:03.5' AS time, TIMETZ '01:02:03.5+00' AS tz, INTERVAL 90 SECOND AS i,
      DATE '1969-12-31' AS early
    UNION ALL SELECT false, DATE 'infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`)
  t.strictSame(
    reader.columns.map(({ type }) => type),
    ['boolean', ...Array(8).fill('date'), 'number', 'date'],
  )
  const clock = 1000 * 3723.5
  t.strictSame(await readAll(reader), [
    [1, Date.UTC(2024, 1, 29), noon, noon - 250, noon, noon, noon, clock, clock, 90, -86400000],
    [0, ...Array(10).fill(none)],
  ])
})

t.test('texts, short and long, in few and in many values', async (t) => {
  const texts = ['', 'a', 'twelve bytes', 'thirteen byte', 'Grüße, 世界 🙂', '\ufeffmarked']
  const list = texts.map((text) => `'${text}'`).join(', ')
  const reader = await open(
    `SELECT [${list}][1 + range % 6] AS few, 'a long text, number ' || range AS many,
      CASE range % 3 WHEN 0 THEN NULL ELSE range::VARCHAR END AS some,
      (['red', 'green'][1 + range % 2])::ENUM('red', 'green', 'never') AS e
    FROM range(200000)`,
  )
  let row = 0
  let wrong = 0
  let lists = 0
  let last: unknown
  for await (const batch of reader.batches()) {
    for (const [few, many, some, e] of rowsOf(batch)) {
      if (few !== texts[row % 6] || many !== `a long text, number ${row}`) wrong++
      if (some !== (row % 3 === 0 ? null : `${row}`) || e !== ['red', 'green'][row % 2]) wrong++
      row++
    }
    const { texts: list } = batch.columns[1] as { texts: readonly string[] }
    if (list !== last) lists++
    last = list
    t.ok(list.length < 70000)
  }
  await reader.close()
  t.strictSame({ row, wrong, lists }, { row: 200000, wrong: 0, lists: 3 })
})

t.test('files, patterns and their order', async (t) => {
  await make(
    ...['a', 'b'].map(
      (name, i) =>
        `COPY (SELECT range + ${i * 50000} AS id, range % 3 AS k FROM range(50000)) TO '${at(`${name}.parquet`)}'`,
    ),
    `COPY (SELECT 1 AS id, 'x' AS k) TO '${at('[1].parquet')}'`,
  )
  const reader = await open(at('?.parquet'))
  t.strictSame([reader.rows, reader.isNamed, reader.isRepeatable], [100000, true, true])
  t.strictSame(
    reader.columns.map(({ name, declared }) => [name, declared]),
    [
      ['id', 'BIGINT'],
      ['k', 'BIGINT'],
    ],
  )
  for (let time = 0; time < 2; time++) {
    let next = 0
    for await (const { columns } of reader.batches(['id'])) {
      t.equal(columns.length, 1)
      for (const id of columns[0] as Float64Array) if (id === next) next++
    }
    t.equal(next, 100000)
  }
  await reader.close()
  t.strictSame(await readAll(await open(at('[1].parquet'))), [[1, 'x']])
  t.strictSame(
    await readAll(await open(at('a.parquet'), { query: 'select k, id from data where id = 4; ' })),
    [[1, 4]],
  )
  writeFileSync(at('x.jsonl'), '{"a": 1, "b": "x", "d": "2024-01-01"}\n{"a": null, "b": "y"}\n')
  const json = await open(at('x.jsonl'))
  t.strictSame(
    json.columns.map(({ type }) => type),
    ['number', 'text', 'date'],
  )
  t.strictSame(await readAll(json), [
    [1, 'x', Date.UTC(2024, 0, 1)],
    [none, 'y', none],
  ])
  for (const name of ['1.csv', '2.csv']) writeFileSync(at(name), 'a;b\n1,5;NA\n?;x\n')
  t.strictSame(await readAll(await open(at('?.csv'), { decimal: ',' })), [
    [1.5, null],
    [none, 'x'],
    [1.5, null],
    [none, 'x'],
  ])
  t.equal(await readerOf(at('1.csv'), {}), undefined)
})

t.test('databases', async (t) => {
  const path = at('shop.duckdb')
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  await connection.run('CREATE TABLE "the orders" AS SELECT range AS id FROM range(3)')
  connection.closeSync()
  instance.closeSync()
  t.strictSame(await readAll(await open(path)), [[0], [1], [2]])
  t.strictSame(await readAll(await open(path, { query: '"the orders"' })), [[0], [1], [2]])
  t.strictSame(await readAll(await open(path, { query: 'select sum(id) from "the orders"' })), [
    [3],
  ])
  await t.rejects(open(path, { query: 'nope' }), {
    name: 'DataError',
    message:
      /shop.duckdb: expected SQL that DuckDB understands, got "Table with name nope does not/,
  })
  await t.rejects(open(path, { query: 'drop table "the orders"' }), { name: 'DataError' })
})

t.test('leaving the loop, and closing in the middle, stop the reading', async (t) => {
  const reader = await open('select range as i, sqrt(range) from range(100000000000)')
  let rows = 0
  for await (const batch of reader.batches()) {
    rows += batch.rows
    if (rows > 10000) break
  }
  for await (const batch of reader.batches(['i'])) {
    t.equal((batch.columns[0] as Float64Array)[1], 1)
    break
  }
  await reader.close()
  const slow = await open('select sum(sqrt(range)) from range(100000000000)')
  const waiting = (async () => {
    for await (const _ of slow.batches()) t.fail('a row')
  })()
  const refused = t.rejects(waiting, { name: 'DataError', message: /query: .*[Ii]nterrupted/ })
  await new Promise((resolve) => setTimeout(resolve, 50))
  await slow.close()
  await refused
  const left = await open('select range from range(100000000000)')
  const batches = left.batches()[Symbol.asyncIterator]()
  await batches.next()
  await left.close()
  await batches.return?.()
  t.strictSame(await batches.next(), { value: undefined, done: true })
  await t.rejects(readAll(left), { name: 'ArgumentError', message: /^query: .* closed/ })
})

t.test('settings, and what is larger than memory', async (t) => {
  const settings = { threads: 1, memory_limit: '50MB', temp_directory: at('spill') }
  const query =
    "select value from duckdb_settings() where name in ('threads', 'memory_limit') order by name"
  const reader = await open(query, { duckdb: settings })
  t.strictSame(await readAll(reader), [['47.6 MiB'], ['1']])
  const sorted = await open('select hash(range) as h from range(10000000) order by h', {
    duckdb: { memory_limit: '50MB', threads: 1 },
  })
  for await (const _ of sorted.batches()) break
  await sorted.close()
  const ours = new RegExp(`^\\.neuroblas-\\w{8}-${process.pid}-`)
  t.strictSame(
    readdirSync(tmpdir()).filter((name) => ours.test(name)),
    [],
  )
  await t.rejects(open('select 1', { duckdb: { nope: 1 } }), { name: 'DataError', message: /nope/ })
})

t.test('a file of separated text among others is said by its name and line', async (t) => {
  const lines = Array.from({ length: 30 }, (_, i) => `${2 * i},${i},${'ab'[i % 2]}\n`).join('')
  const good = `x,y,k\n${lines}`
  writeFileSync(at('csv-a.csv'), good)
  const cases: [string | Buffer, RegExp][] = [
    [
      Buffer.from(`${good}1,2,\xe4\n`, 'latin1'),
      /csv-b\.csv: expected rows of separated text, got "Invalid unicode .*" on line 32$/,
    ],
    [
      `${good}1,2,${'q'.repeat(3e6)}\n`,
      /csv-b\.csv: expected rows of separated text, got "Maximum line size .{1,200}" on line \d+$/,
    ],
    [`x,z,k\n${lines}`, /csv-b\.csv: expected the columns of .*csv-a\.csv, got none of "y"/],
    [
      `${good}5,6,7,8\n`,
      /csv-b\.csv: expected the columns of .*csv-a\.csv, got none of .*or a row with another number of cells/,
    ],
  ]
  for (const [bytes, message] of cases) {
    writeFileSync(at('csv-b.csv'), bytes)
    const reading = open(at('csv-*.csv')).then((reader) => readAll(reader))
    await t.rejects(reading, { name: 'DataError', message })
  }
})

t.test('what it cannot read is said by name', async (t) => {
  await make(
    `COPY (SELECT 1 AS a, 2 AS b) TO '${at('m1.parquet')}'`,
    `COPY (SELECT 1 AS a) TO '${at('m2.parquet')}'`,
    `COPY (SELECT 1 AS a, 2 AS c) TO '${at('m3.parquet')}'`,
    `COPY (SELECT 1 AS a, [1, 2] AS tags) TO '${at('list.parquet')}'`,
  )
  writeFileSync(at('damaged.parquet'), 'PAR1 no, it is not')
  writeFileSync(at('empty.jsonl'), '')
  writeFileSync(at('damaged.jsonl'), '{"a": 1}\n{"a": \n')
  const cases: [string, RegExp, SourceOptions?][] = [
    [at('none*.parquet'), /none\*\.parquet: expected files, got none that match$/],
    [at('none.parquet'), /none\.parquet: expected files, got none that match$/],
    [
      at('damaged.parquet'),
      /damaged.parquet: expected a table that DuckDB can read, got "No magic bytes/,
    ],
    [
      at('damaged.jsonl'),
      /damaged.jsonl: expected a table that DuckDB can read, got "Malformed JSON/,
    ],
    [at('m[12].parquet'), /m2.parquet: expected the columns of .*m1.parquet, got none of "b"$/],
    [at('m[13].parquet'), /m3.parquet: expected .* got none of "b" and "c" besides$/],
    ['select nope from range(3)', /query: expected SQL .* got "Referenced column "nope" not found/],
    ['select 1 from', /query: expected SQL that DuckDB understands, got "syntax error/],
    ['select 1; select 2', /query: expected SQL/],
    ["from 'https://example.org/a.parquet'", /httpfs.*nothing is downloaded$/],
    [at('m1.parquet'), /m1.parquet: expected SQL that/, { query: 'select b c d from data' }],
  ]
  for (const [source, message, options] of cases) {
    await t.rejects(open(source, options), { name: 'DataError', message }, source)
  }
  t.notMatch((await open('select nope').catch(({ message }) => message)) as string, /\n/)
  await t.rejects(open('select 1', { query: 'select 2' }), { name: 'ArgumentError' })
  await t.rejects(open(at('m1.parquet'), { query: ' ' }), { name: 'ArgumentError' })
  const list = await open(at('list.parquet'))
  t.strictSame(
    list.columns.map(({ type }) => type),
    ['number', 'other'],
  )
  t.throws(() => list.batches(), {
    name: 'DataError',
    message: /in column tags, got INTEGER\[\]; /,
  })
  t.throws(() => list.batches(['b']), {
    name: 'DataError',
    message: /a column "b", got "a", "tags"$/,
  })
  t.strictSame(await readAll(list, ['a']), [[1]])
})

t.test('a worker reads, and the process ends by itself', async (t) => {
  const program = `
    const { readerOf } = await import(${JSON.stringify(new URL('../../../lib/data/sources/openSource.js', import.meta.url).href)})
    const reader = await readerOf('select range from range(3000)', {})
    let rows = 0
    for await (const batch of reader.batches()) rows += batch.rows
    if (rows !== 3000) throw new Error(String(rows))
    process.stdout.write('read')`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
    stdout: true,
  }).once('error', t.threw)
  t.equal(await new Promise((resolve) => worker.once('exit', resolve)), 0)
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 60000,
  })
  t.equal(told.toString(), 'read')
  t.notOk(existsSync('.tmp'))
})
