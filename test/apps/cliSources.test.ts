/** `neuroblas` on tables that are no separated text. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import { bareNode, root, runCommand } from '../support/cli.js'

const cwd = mkdtempSync(join(tmpdir(), 'neuroblas-cli-sources-'))
t.teardown(() => rmSync(cwd, { recursive: true }))
const few = ['--epochs', '2', '--layers', '8']

t.before(async () => {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  for (const part of [0, 1]) {
    await connection.run(`COPY (
      SELECT sin(range * 1.7) AS x, (['red', 'green', 'blue'])[1 + range % 3] AS color,
        CASE WHEN x > 0 THEN 'yes' ELSE 'no' END AS answer
      FROM range(${part * 100}, ${part * 100 + 100})) TO '${join(cwd, `part${part}.parquet`)}'`)
  }
  connection.closeSync()
})

const run = (args: string[], input = '') => runCommand(args, { cwd, input })

t.test('train, eval and predict on a glob, SQL and standard input', async (t) => {
  const trained = await run(['train', 'part?.parquet', ...few, '--save', 'm'])
  t.match(trained, {
    code: 0,
    stdout: /part\?\.parquet: 200 rows, 3 columns/,
    stderr: /took the last/,
  })
  t.match(await run(['eval', 'm', 'part?.parquet']), {
    stdout: /^m on 40 examples of part\?\.parquet\n/,
  })
  const sql = "select * from 'part0.parquet' where color <> 'red'"
  t.match(await run(['eval', 'm', '--sql', sql]), {
    stdout: /^m on 66 examples of query [0-9a-f]{8}\n/,
  })
  const over = ['part0.parquet', '--sql', 'select color, x from data limit 3']
  const predicted = await run(['predict', 'm', ...over, '--json'])
  t.match(predicted, { code: 0, stderr: '' })
  t.equal(predicted.stdout.trim().split('\n').length, 3)
  const lines =
    '{"x": 0, "color": "red"}\n{"color": "blue", "x": 0.84}\n{"x": -1, "color": "red"}\n'
  const same = await run(['predict', 'm', '-'], lines)
  t.match(same, { code: 0, stdout: /^row +class +probability\n +1 .*\n +2 .*\n +3 .*\n$/ })
  t.match(await run(['describe', '--sql', sql]), {
    stdout: /^query [0-9a-f]{8}: 66 rows, 3 columns\n/,
  })
})

t.test('a query trained on is known again; other rows are all tested on', async (t) => {
  const sql = ['--sql', 'select * exclude color from data']
  const trained = await run(['train', 'part0.parquet', ...sql, ...few, '--save', 'q', '--json'])
  t.match(trained, { code: 0, stdout: /"part0.parquet, query [0-9a-f]{8}"/ })
  t.match(await run(['eval', 'q', 'part0.parquet', ...sql]), { stdout: /^q on 20 examples/ })
  t.match(await run(['eval', 'q', 'part0.parquet']), { stdout: /^q on 100 examples/ })
  const text = `x,answer\n${Array.from({ length: 40 }, (_, i) => `${i % 9},${i % 9 > 4}\n`).join('')}`
  const piped = await run(['train', '-', ...few, '--save', 'p'], text)
  t.match(piped, { code: 0, stdout: /standard input: 40 rows, 2 columns/ })
})

t.test('what cannot be read: one clear line', async (t) => {
  const cases: [string[], number, RegExp][] = [
    [['train', 'none*.parquet'], 1, /none\*.parquet: expected files, got none that match/],
    [
      ['train', '--sql', 'select nope'],
      1,
      /query [0-9a-f]{8}: expected SQL that DuckDB understands, got "Referen/,
    ],
    [
      ['train', '-', '--sql', 'select 1'],
      2,
      /--sql: expected over files or a database, got standard input/,
    ],
    [['train', 'digits', '--sql', 'select 1'], 2, /--sql: expected with a table alone, got digits/],
    [
      ['eval', 'm', '--sql', "select x from 'part0.parquet'"],
      1,
      /expected a column "color" as in training, got "x"/,
    ],
    [
      ['train', 'postgres://me:secret@127.0.0.1:1/shop', '--sql', 'a'],
      1,
      /^neuroblas: shop, query [0-9a-f]{8}: expected a database of PostgreSQL that answers, got "connect ECONNREFUSED 127.0.0.1:1"\n$/,
    ],
    [['train', '-'], 1, /standard input: expected rows/],
  ]
  for (const [args, code, message] of cases) {
    const found = await run(args)
    t.match(found, { code, stdout: '', stderr: message }, args.join(' '))
    t.match(found.stderr, /^neuroblas: [^\n]+\n$/)
  }
})

const isLinux = process.platform === 'linux'
t.test('Ctrl-C ends a long query', { skip: isLinux ? false : 'needs /proc' }, async (t) => {
  const sql = 'select sum(sqrt(range)) as x, 1 as y from range(1000000000000)'
  const [command, ...node] = bareNode
  const child = spawn(command, [...node, `${root}lib/apps/cli/main.js`, 'train', '--sql', sql], {
    cwd,
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  // Until then SIGINT, which is the signal 2, ends any process.
  const listens = () => {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(
      readFileSync(`/proc/${child.pid}/status`, 'utf8'),
    )
    return (BigInt(`0x${caught?.[1]}`) & 2n) !== 0n
  }
  while (!listens()) await nextTurn()
  child.kill('SIGINT')
  t.strictSame(await ended, [null, 'SIGINT'])
})
