/** Tables of PostgreSQL, of a server that this test starts. */
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import t from 'tap'
import { readerOf } from '../../../lib/data/sources/openSource.js'
import type { TableReader } from '../../../lib/data/sources/source.js'
import { table } from '../../../lib/index.js'
import { startPostgres } from '../../support/postgres.js'
import { readAll } from '../../support/readers.js'

t.test('a server that does not answer', async (t) => {
  const silent = createServer((socket) => socket.destroy()).listen(0)
  const { port } = silent.address() as { port: number }
  const url = `postgres://me:secret@127.0.0.1:${port}/db`
  const message = new RegExp(`^postgres://127.0.0.1:${port}/db: expected a database of PostgreSQL`)
  await t.rejects(readerOf(url, { query: 'a' }), { name: 'DataError', message })
  await new Promise((resolve) => silent.close(resolve))
  await t.rejects(readerOf(url, { query: 'a' }), { name: 'DataError', message: /ECONNREFUSED/ })
})

const server = await startPostgres()
if (typeof server === 'string') t.test('reading', { skip: server }, async () => {})
else {
  t.teardown(() => server.kill())
  const url = server.url('postgres')
  const open = async (query?: string) => (await readerOf(url, { query })) as TableReader
  const { NaN: none } = Number

  t.test('every type, in the order of the query', async (t) => {
    const noon = Date.UTC(2024, 1, 29, 12, 0, 0, 250)
    const reader = await open(`
      SELECT 1::int2 AS a, 2::int4 AS b, 3::int8 AS c, 0.5::float4 AS d, -1.25::float8 AS e,
        12.75::numeric(6, 2) AS f, 'NaN'::numeric AS g, true AS h, 'Grüße 🙂'::text AS i,
        'x'::varchar(3) AS j, 'y'::char(2) AS k, DATE '2024-02-29' AS l,
        TIMESTAMP '2024-02-29 12:00:00.25' AS m, TIMESTAMPTZ '2024-02-29 13:00:00.25+01' AS n,
        TIME '01:02:03.5' AS o, INTERVAL '90 s' AS p, '$1.50'::money AS q, '' AS r,
        '6c3a2f2e-6c3a-4f2e-8c3a-2f2e6c3a2f2e'::uuid AS s
      UNION ALL SELECT NULL, NULL, NULL, NULL, 'inf', NULL, NULL, false, NULL, NULL, NULL, 'infinity',
        NULL, NULL, NULL, NULL, NULL, NULL, NULL`)
    t.strictSame(reader.columns.map(({ type }) => type[0]).join(''), 'nnnnnnnbtttdddd' + 'nntt')
    t.strictSame(await readAll(reader), [
      [
        ...[1, 2, 3, 0.5, -1.25, 12.75, none, 1, 'Grüße 🙂', 'x', 'y'],
        ...[Date.UTC(2024, 1, 29), noon, noon, 3723500, 90, 1.5, ''],
        '6c3a2f2e-6c3a-4f2e-8c3a-2f2e6c3a2f2e',
      ],
      [
        ...[none, none, none, none, Infinity, none, none, 0, null, null, null],
        ...[none, none, none, none, none, none, null, null],
      ],
    ])
  })

  t.test('tables, enums, many rows and the training on them', async (t) => {
    server.run(`
      CREATE TYPE mood AS ENUM ('sad', 'glad');
      CREATE DOMAIN amount AS numeric CHECK (VALUE >= 0);
      CREATE TABLE "People" (id serial, age int, "the mood" mood, paid amount, tags text[]);
      INSERT INTO "People" SELECT i, i % 50, (ARRAY['sad', 'glad'])[1 + i % 2]::mood, i / 4.0, '{a}'
        FROM generate_series(1, 10000) AS i`)
    for (const query of [
      undefined,
      '"People"',
      'public."People"',
      'select * from "People" order by id -- all',
    ]) {
      const reader = await open(query)
      t.strictSame(
        reader.columns.map(({ type, declared }) => `${type} ${declared}`),
        ['number int4', 'number int4', 'text mood', 'number numeric', 'other _text'],
      )
      const rows = await readAll(reader, ['the mood', 'paid', 'id'])
      t.equal(rows.length, 10000)
      t.strictSame(rows[9998], ['glad', 2499.75, 9999])
      t.strictSame(
        rows.map(([, , id]) => id),
        Array.from(rows, (_, i) => i + 1),
      )
    }
    const warnings = t.capture(process, 'emitWarning', () => {})
    const found = await table(url, { query: '"People"', target: 'the mood', ignore: ['tags'] })
    t.strictSame([found.train.size, found.classes], [8000, ['glad', 'sad']])
    t.strictSame(
      found.encoding.features.map(({ name }) => name),
      ['age', 'paid'],
    )
    t.match(warnings()[0].args[0], /left out column id: it numbers the rows/)
    await t.rejects(table(url, { query: '"People"', target: 'age' }), {
      name: 'DataError',
      message: /^postgres:\/\/localhost\/postgres: .* in column tags, got _text; ignore it/,
    })
  })

  t.test('mistakes, and nothing is changed', async (t) => {
    const cases: [string, RegExp][] = [
      ['nope', /got "relation "nope" does not exist"$/],
      ['select 1 from from', /got "syntax error at or near "from""$/],
      ['select 1 as a, 2 as a', /different names, got "a" twice/],
      ['select 1 as a) as b; drop table "People"; select * from (select 1', /got "/],
      ['delete from "People" returning id', /got "/],
    ]
    for (const [query, message] of cases) {
      await t.rejects(open(query), { name: 'DataError', message }, query)
    }
    t.equal((await readAll(await open('"People"'), ['id'])).length, 10000)
    server.run('CREATE TABLE other (id int)')
    await t.rejects(open(), { message: /got tables public\."People", public.other$/ })
    const late = await open('select 1 / (5000 - i) as x from generate_series(1, 6000) as i')
    await t.rejects(readAll(late), { name: 'DataError', message: /got "division by zero"/ })
    await t.rejects(readerOf(server.url('nope'), { query: 'a' }), {
      name: 'DataError',
      message:
        'postgres://localhost/nope: expected a database of PostgreSQL that answers, got "database "nope" does not exist"',
    })
  })

  t.test('leaving the loop closes the connection', async (t) => {
    const reader = await open(
      "select i, repeat('x', 1000) as t from generate_series(1, 100000000) as i",
    )
    for await (const batch of reader.batches()) {
      t.equal(batch.rows, 2048)
      break
    }
    const count =
      "select count(*) as n from pg_stat_activity where query like 'COPY%generate_series%'"
    // The server notices when it next writes.
    let left = 1
    for (let time = 0; time < 100 && left > 0; time++) {
      left = Number((await readAll(await open(`${count} and pid <> pg_backend_pid()`)))[0][0])
    }
    t.equal(left, 0)
  })

  t.test('a process that has read ends by itself', async (t) => {
    const module = new URL('../../../lib/data/sources/openSource.js', import.meta.url).href
    const program = `
      const { readerOf } = await import(${JSON.stringify(module)})
      const reader = await readerOf(${JSON.stringify(url)}, { query: '"People"' })
      let rows = 0
      for await (const batch of reader.batches(['id'])) rows += batch.rows
      console.log(rows)`
    const node = ['--input-type=module', '-e', program]
    t.equal(execFileSync(process.execPath, node, { timeout: 60000 }).toString(), '10000\n')
  })

  t.test('a database that goes away in the middle', async (t) => {
    const reader = await open('select i from generate_series(1, 100000000) as i')
    let rows = 0
    const reading = async () => {
      for await (const batch of reader.batches()) {
        rows += batch.rows
        if (rows === 4096) await server.kill()
      }
    }
    const error = (await reading().catch((error) => error)) as Error
    t.equal(error.name, 'DataError')
    const [, row] =
      /^postgres:\/\/localhost\/postgres: expected all rows of the query, got ".*" after row (\d+)$/.exec(
        error.message,
      ) ?? []
    t.ok(Number(row) >= rows && rows >= 4096, error.message)
  })
}
