/** Tables that are read in blocks. */
import { appendFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import t, { type Test } from 'tap'
import { lookForSystemFilesIn } from '../../../lib/base/availableMemory.js'
import { partsOfRows, TEST, TRAIN } from '../../../lib/data/blocks/rowSplit.js'
import { OpenTable } from '../../../lib/data/table/openTable.js'
import {
  ArgumentError,
  type BlockSource,
  DataError,
  type Dataset,
  Examples,
  evaluate,
  fit,
  mlp,
  OutOfMemoryError,
  SGD,
  setSeed,
  softmaxCrossEntropy,
  type TableBlocksOptions,
  table,
  tableBlocks,
} from '../../../lib/index.js'
import { rejects, warningsOf } from '../../support/engine.js'
import { wrong } from '../../support/reference.js'
import { smallContainer, writeSystemFiles } from '../../support/systemFiles.js'

const ROWS = 5000
const folder = t.testdir()
const file = `${folder}/mixed.parquet`

/** Numbers, categories, booleans, dates, free text, a row number; values are missing now and then. */
const MIXED = `
  select range as id,
    (hash(range) % 1000 / 250.0)::FLOAT as a,
    case when range % 7 = 3 then null else (hash(range * 3) % 100)::INTEGER end as b,
    case when range % 11 = 5 then null else 'kind ' || hash(range * 5) % 4 end as kind,
    range % 3 = 0 as flag,
    timestamp '2020-01-01' + interval (hash(range * 7) % 900) day as day,
    'words of ' || (hash(range * 9) % 3000) || ' and more' as words,
    case when range % 13 = 6 then null else (a > 2)::INTEGER end as label,
    a * 3 + 1 as value
  from range(${ROWS})`

async function write(path: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`copy (${sql}) to '${path}'`)
  connection.closeSync()
  instance.closeSync()
}

async function all(source: BlockSource): Promise<{ inputs: number[]; targets: number[] }> {
  const [inputs, targets]: number[][] = [[], []]
  for await (const block of source.blocks()) {
    inputs.push(...block.inputs)
    targets.push(...block.targets)
  }
  return { inputs, targets }
}

t.before(() => write(file, MIXED))

async function sameAsInMemory(t: Test, options: TableBlocksOptions): Promise<void> {
  const blocks = await tableBlocks(file, options)
  const opened = await OpenTable.open(file, options)
  const parts = partsOfRows(0, ROWS, { testFraction: 0.2, seed: 0 })
  const rowsOf = (part: number) => opened.rows.filter((row) => parts[row] === part)
  const encoding = await opened.fit(rowsOf(TRAIN))
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value))
  const rounded = (value: unknown) =>
    JSON.parse(JSON.stringify(value), (_, v) =>
      typeof v === 'number' ? Number(v.toPrecision(10)) : v,
    )
  t.strictSame(rounded(blocks.encoding), rounded(encoding))
  t.strictSame(blocks.classes, opened.classes)
  t.strictSame(rounded(blocks.describe()), rounded(opened.description))
  for (const [source, part] of [
    [blocks.train, TRAIN],
    [blocks.test, TEST],
  ] as const) {
    const { data } = await opened.encode(rowsOf(part), encoding)
    const found = await all(source)
    t.equal(source.size, data.size)
    t.equal(found.inputs.length, data.inputs.length)
    const difference = found.inputs.reduce(
      (most, x, i) => Math.max(most, Math.abs(x - data.inputs[i])),
      0,
    )
    t.ok(difference < 1e-5, `inputs differ by ${difference}`)
    t.strictSame(rounded(plain(found.targets)), rounded([...data.targets]))
  }
  await blocks.close()
}

t.test('the parts are encoded as in memory', async (t) => {
  const options = { target: 'label', ignore: ['value'] } as const
  await warningsOf(async () => {
    await sameAsInMemory(t, { ...options, missing: 'impute' })
    await sameAsInMemory(t, { ...options, missing: 'drop' })
    await sameAsInMemory(t, {
      ...options,
      missing: 'impute',
      addIndicator: true,
      text: ['words'],
      hashBits: 3,
    })
    await sameAsInMemory(t, { ...options, missing: 'impute', embedAbove: 2 })
    await sameAsInMemory(t, { target: 'value', task: 'regress', features: ['a', 'flag', 'day'] })
    await sameAsInMemory(t, { target: 'kind', features: ['a', 'day'], missing: 'impute' })
    await sameAsInMemory(t, { target: 'flag', features: ['a', 'day'] })
  })
})

t.test('what is said of it', async (t) => {
  const warnings = await warningsOf(async () => {
    const { notes, task, name, close } = await tableBlocks(file, {
      target: 'label',
      missing: 'drop',
    })
    t.equal(task, 'classify')
    t.equal(name, 'mixed.parquet')
    t.match(
      notes.join('\n'),
      /left out \d+ of 5000 rows, where values are missing \(b 714, kind 455, label 385\)/,
    )
    await close()
  })
  t.match(warnings.join('\n'), /left out column id: it numbers the rows/)
  t.match(warnings.join('\n'), /left out column words: text with more than 1000 different values/)
  await rejects(
    t,
    tableBlocks(file, { target: 'label' }),
    DataError,
    /expected a value in every cell, got missing ones of 5000 \(b 714, kind 455, label 385\), such as b in row 4/,
  )
})

t.test('rows of the parts', async (t) => {
  const parts = partsOfRows(0, 100_000, { testFraction: 0.3, seed: 5 })
  const share = parts.filter((part) => part === TEST).length / parts.length
  // Three standard deviations.
  t.ok(Math.abs(share - 0.3) < 3 * Math.sqrt((0.3 * 0.7) / parts.length), `${share}`)
  t.strictSame(
    partsOfRows(1000, 50, { testFraction: 0.3, seed: 5 }),
    parts.slice(1000, 1050),
    'by their numbers alone',
  )
  t.notSame(partsOfRows(0, 100, { testFraction: 0.3, seed: 6 }), parts.slice(0, 100))
  t.notSame(partsOfRows(2 ** 32, 100, { testFraction: 0.3, seed: 5 }), parts.slice(0, 100))
  t.notSame(partsOfRows(0, 100, { testFraction: 0.3, seed: 5 + 2 ** 32 }), parts.slice(0, 100))
})

t.test('parts by group and by time; rows to validate by', async (t) => {
  const counts =
    "select range as x, range % 40 as shop, date '2024-01-01' + (range % 100)::INTEGER as day from range(4000)"
  /** What the parts have in a column. */
  const columnOf = async (options: Omit<TableBlocksOptions, 'target'>, column: string) => {
    const sql = `select x, shop, day, ${column} as found from (${counts})`
    const how = { target: 'found', task: 'regress', features: ['x'], ...options } as const
    const blocks = await tableBlocks(sql, how)
    const { mean, scale } = blocks.encoding.target as { mean: number; scale: number }
    const { train, validation, test, split } = blocks
    const values = []
    for (const part of [train, validation, test]) {
      const targets = part ? (await all(part)).targets : []
      values.push(targets.map((value) => Math.round(value / scale + mean)))
    }
    await blocks.close()
    return { values, split, sizes: [train.size, validation?.size, test.size] }
  }
  const shops = await columnOf({ groupBy: 'shop', validationFraction: 0.2 }, 'shop')
  t.strictSame(shops.split, { by: 'hash', column: 'shop' })
  const sets = shops.values.map((values) => new Set(values))
  t.equal(
    sets.reduce((sum, { size }) => sum + size, 0),
    40,
    'a group is in one part alone',
  )
  t.ok(sets.every(({ size }) => size > 0))
  t.strictSame(
    shops.sizes,
    shops.values.map(({ length }) => length),
  )

  const days = await columnOf({ time: 'day', validationFraction: 0.1 }, 'x % 100')
  t.strictSame(days.split, { by: 'time', column: 'day', from: Date.UTC(2024, 0, 81) })
  t.strictSame(days.sizes, [2800, 400, 800])
  t.ok(days.values[2].every((day) => day >= 80))
  t.ok(days.values[1].every((day) => day >= 70 && day < 80))
  const numbers = await columnOf({ time: 'x' }, 'x')
  t.strictSame(numbers.split, { by: 'time', column: 'x', from: 3200 })
  t.strictSame(numbers.sizes, [3200, undefined, 800])

  const refused = (options: Partial<TableBlocksOptions>, sql = counts) =>
    tableBlocks(sql, { target: 'x', task: 'regress', ...options })
  const text = "select 'a' || range as t, range as x from range(100)"
  await rejects(
    t,
    refused({ time: 't' }, text),
    DataError,
    /numbers or dates in t to split by, got text/,
  )
  const lacking =
    'select if(range = 7, null, range % 5) as g, range as x, range * 2 as y from range(100)'
  await rejects(t, refused({ groupBy: 'g' }, lacking), DataError, /in every row of g .* in row 8/)
  await rejects(
    t,
    refused({ groupBy: 'x', time: 'day' }),
    ArgumentError,
    /groupBy and time, got both/,
  )
  await rejects(
    t,
    refused({ validationFraction: 0.8 }),
    ArgumentError,
    /validationFraction in \[0, 0\.8\), got 0\.8/,
  )
  const few = 'select range as x, range * 2 as y from range(10)'
  await rejects(t, refused({ validationFraction: 0.001 }, few), DataError, /rows in each part, got/)
})

t.test('times of many rows are sampled', async (t) => {
  const sql = 'select range as day, hash(range) % 2 = 0 as y, range % 7 as x from range(1000000)'
  const { test, split, close } = await tableBlocks(sql, { target: 'y', time: 'day' })
  t.equal(split.from, 800_000)
  t.equal(test.size, 200_000)
  await close()
})

t.test('from CSV and SQL; training, validation, evaluation', async (t) => {
  setSeed(1)
  const csv = `${folder}/mixed.csv`
  await write(csv, `select a, kind, label from (${MIXED}) where label is not null`)
  const options = { target: 'label', task: 'classify', missing: 'impute' } as const
  for (const source of [csv, `select a, kind, label from '${file}' where label is not null`]) {
    const { train, test, encoding, classes, close } = await tableBlocks(source, options)
    t.strictSame([encoding.features.length, classes], [2, ['0', '1']])
    const model = mlp([5, 8, 2])
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const loss = softmaxCrossEntropy
    const { epochs } = await fit(model, train, {
      loss,
      optimizer,
      epochs: 5,
      validation: test,
      seed: 1,
    })
    const { accuracy = 0 } = await evaluate(model, test, { loss })
    t.ok(accuracy > 0.97, `${accuracy}`)
    t.equal(epochs[4].validationAccuracy, accuracy)
    await close()
  }
})

t.test('digests', async (t) => {
  const digestsOf = async (source: string, options = {}) => {
    const { train, test, close } = await tableBlocks(source, {
      target: 'label',
      features: ['a'],
      missing: 'drop',
      ...options,
    })
    await close()
    return [train.digest, test.digest]
  }
  const wanted = await digestsOf(file)
  t.strictSame(await digestsOf(file), wanted)
  t.equal(new Set(wanted).size, 2)
  const reversed = `${folder}/reversed.parquet`
  await write(reversed, `select * from (${MIXED}) order by id desc`)
  for (const other of [await digestsOf(reversed), await digestsOf(file, { seed: 1 })]) {
    t.ok(other.every((digest) => !wanted.includes(digest)))
  }
})

t.test('what is refused, and what changes meanwhile', async (t) => {
  const target = 'label'
  await rejects(
    t,
    tableBlocks(file, { target, stratify: true } as never),
    ArgumentError,
    'tableBlocks: expected a table in memory, as by table(), beside stratify, got one in blocks',
  )
  await rejects(
    t,
    tableBlocks(file, { target, testFraction: 0 }),
    ArgumentError,
    /testFraction in \(0, 1\), got 0/,
  )
  await rejects(t, tableBlocks(file, { target, seed: -1 }), ArgumentError, /expected a seed/)
  await rejects(t, tableBlocks(file, { target, block: 3 } as never), ArgumentError, /block/)
  await rejects(
    t,
    tableBlocks(file, { target: 'other' }),
    ArgumentError,
    /expected target among id, a/,
  )
  await rejects(
    t,
    tableBlocks(wrong([{ a: 1 }]), { target: 'a' }),
    ArgumentError,
    /expected a path or SQL, got/,
  )
  await rejects(t, tableBlocks(`${folder}/none.parquet`, { target }), DataError, /none.parquet/)
  await rejects(
    t,
    tableBlocks(`select * from '${file}' where id < 0`, { target }),
    DataError,
    /expected rows, got none/,
  )
  const changing = `${folder}/changing.parquet`
  await write(changing, MIXED)
  const { train, close } = await tableBlocks(changing, { target, features: ['a'], missing: 'drop' })
  appendFileSync(changing, 'x')
  await rejects(
    t,
    all(train),
    DataError,
    /changing.parquet: expected the file as tableBlocks\(\) found it, got one that has changed since/,
  )
  await close()
  await rejects(t, all((await closed()).train), ArgumentError, /expected a table that is open/)
})

t.test('a table that a container does not hold is refused, and read in blocks', async (t) => {
  // Few bytes in the file, 24 for each row in memory.
  const long = `${folder}/long.parquet`
  await write(
    long,
    'select 1.5::DOUBLE as a, 2.5::DOUBLE as b, 3::INTEGER as y from range(50000000)',
  )
  lookForSystemFilesIn(writeSystemFiles(t.testdir(), smallContainer))
  t.teardown(() => lookForSystemFilesIn(''))
  await rejects(
    t,
    table(long, { target: 'y', task: 'regress' }),
    OutOfMemoryError,
    /long.parquet: expected at most 924.00 MiB, which is available of the 1.00 GiB of the control group .*, got 1.12 GiB for 50000000 rows of 3 columns; read fewer columns \(features, ignore\), or the table in blocks: tableBlocks\(\)/,
  )
  const size = 2 ** 28
  const large = {
    name: 'large',
    size,
    inputs: new Float32Array(0),
    inputShape: [1],
    targets: new Float32Array(0),
    targetShape: [1],
    classes: [],
    scale: 1,
  }
  await rejects(
    t,
    Examples.load(large as Dataset),
    OutOfMemoryError,
    /DataLoader: expected at most .* got 2.00 GiB for 268435456 examples of 'large'; take fewer of them, or give them in blocks, as a BlockSource/,
  )
  const blocks = await tableBlocks(file, { target: 'label', features: ['a'], missing: 'drop' })
  t.ok((await all(blocks.test)).targets.length > 800)
  await blocks.close()
})

async function closed() {
  const blocks = await tableBlocks(file, { target: 'label', features: ['a'], missing: 'drop' })
  await blocks.close()
  return blocks
}
