/** `neuroblas` on tables that are larger than the memory there is. */
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import { runCommand } from '../support/cli.js'
import { memoryLimit } from '../support/memoryLimit.js'

const LIMIT = 2 ** 20 * 176
const ROWS = 800_000
const cwd = t.testdir()

/** Rows of 24 random numbers, which DuckDB makes of their positions. */
async function write(file: string, rows: number): Promise<void> {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  const numbers = Array.from(
    { length: 24 },
    (_, i) => `(hash(range * 24 + ${i}) % 1009)::FLOAT x${i}`,
  )
  await connection.run(
    `COPY (SELECT range % 50 AS shop, *, x0 + x1 > 1000 AS sold FROM (SELECT range, ${numbers.join(', ')} FROM range(${rows}))) TO '${cwd}/${file}'`,
  )
  connection.closeSync()
  instance.closeSync()
}

const limit = memoryLimit(LIMIT)
const how = typeof limit === 'string' ? { skip: limit } : {}
const run = (...args: string[]) =>
  runCommand(args, { cwd, under: typeof limit === 'string' ? [] : limit.before })

t.test('train, eval and predict in a container that is too small for the table', how, async (t) => {
  t.teardown(() => typeof limit !== 'string' && limit.remove())
  await write('sales.parquet', ROWS)
  const small = ['--layers', '8', '--epochs', '2', '--batch-size', '256', '--save', 'sales']
  const trained = await run('train', 'sales.parquet', '--ignore', 'range', ...small, '--json')
  t.equal(trained.code, 0, trained.stderr)
  t.match(trained.stderr, /sales\.parquet: is larger than memory, and read in blocks/)
  const events = trained.stdout.trim().split('\n')
  const [start, end] = [JSON.parse(events[0]), JSON.parse(events[events.length - 1])]
  t.equal(start.trainExamples + start.validationExamples + start.testExamples, ROWS)
  t.ok(end.testAccuracy > 0.95, `${end.testAccuracy}`)
  t.match(start.table.split, { by: 'hash' })

  const tested = JSON.parse((await run('eval', 'sales', 'sales.parquet', '--json')).stdout)
  t.equal(tested.examples, start.testExamples, 'the same rows as in training')
  t.strictSame(tested.confusion, end.report.confusion)

  const told = await run('predict', 'sales', 'sales.parquet', '--out', 'answers.csv')
  t.equal(told.code, 0, told.stderr)
  t.equal(told.stdout, '')
  let lines = 0
  for await (const line of createInterface(createReadStream(`${cwd}/answers.csv`))) {
    if (lines === 0) t.equal(line, 'row,class,probability')
    else if (!line.startsWith(`${lines},`)) t.fail(`line ${lines}: ${line}`)
    lines++
  }
  t.equal(lines, ROWS + 1)
})

t.test('answers in files', async (t) => {
  await write('few.parquet', 300)
  const plain = (...args: string[]) => runCommand(args, { cwd })
  const few = ['--features', 'x0,x1', '--epochs', '2', '--save', 'few', '--json']
  t.equal((await plain('train', 'few.parquet', ...few)).code, 0)
  const printed = await plain('predict', 'few', 'few.parquet', '--json')
  t.equal((await plain('predict', 'few', 'few.parquet', '--out', 'a.jsonl')).stdout, '')
  t.equal(readFileSync(`${cwd}/a.jsonl`, 'utf8'), printed.stdout)
  const without = ['--sql', 'select x1, x0 from data limit 7']
  await plain('predict', 'few', 'few.parquet', ...without, '--out', 'a.csv')
  t.match(
    readFileSync(`${cwd}/a.csv`, 'utf8'),
    /^row,class,probability\n(\d,(true|false),[\d.]+\n){7}$/,
  )
  const refusals: [string[], RegExp][] = [
    [['--out', 'a.txt'], /--out: expected a file \.csv, \.jsonl or \.ndjson, got a\.txt/],
    [['--out', 'a.csv', '--json'], /--json: expected without --out/],
    [['--out', 'few.parquet'], /--out few\.parquet: expected another file than the data/],
    [['--out', 'none/a.csv'], /--out none\/a\.csv/],
  ]
  for (const [args, message] of refusals) {
    t.match(
      await plain('predict', 'few', 'few.parquet', ...args),
      { stderr: message },
      args.join(' '),
    )
  }
  const broken = ['--sql', "select x0, if(range = 250, 'many', '1') as x1 from data"]
  const failed = await plain('predict', 'few', 'few.parquet', ...broken, '--out', 'a.csv')
  t.match(failed, { code: 1, stderr: /expected numbers in column x1, got "many" in row 251/ })
  t.match(readFileSync(`${cwd}/a.csv`, 'utf8'), /\n7,\w+,[\d.]+\n$/, 'it stays as it was')
})
