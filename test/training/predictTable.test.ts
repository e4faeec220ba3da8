/** Predictions for tables piece by piece, and probabilities of examples in blocks. */
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { rowsAt } from '../../lib/data/blocks/rowsAt.js'
import {
  ArgumentError,
  type BlockSource,
  type Classifier,
  DataError,
  embeddingsOf,
  mlp,
  predict,
  predictProba,
  predictTable,
  type Regressor,
  setSeed,
  table,
  tableBlocks,
  tableNetwork,
} from '../../lib/index.js'
import { rejects, warningsOf } from '../support/engine.js'

const folder = t.testdir()
const ROWS = 40_000
const rows = Array.from({ length: ROWS }, (_, i) => ({
  place: `place ${(i * 7) % 60}`,
  day: `2024-${1 + (i % 12)}-${1 + (i % 28)}`,
  area: (i * 13) % 101,
}))

async function models(): Promise<{ classifier: Classifier; regressor: Regressor }> {
  setSeed(3)
  const some = rows
    .slice(0, 500)
    .map((row, i) => ({ ...row, late: i % 3 ? 'no' : 'yes', y: i / 7 }))
  const how = { embedAbove: 50, missing: 'impute' } as const
  const late = await table(some, { target: 'late', ignore: ['y'], ...how })
  const y = await table(some, { target: 'y', task: 'regress', ignore: ['late'], ...how })
  t.equal(embeddingsOf(late.encoding).length, 1)
  const saved = (encoding: typeof y.encoding, outputs: number) => ({
    model: tableNetwork(encoding, [8, outputs]),
    inputs: late.train.inputShape[0],
    encoding,
  })
  return {
    classifier: { ...saved(late.encoding, 2), classes: late.classes, loss: 'cross-entropy' },
    regressor: { ...saved(y.encoding, 1), loss: 'mse' },
  }
}

t.test('a file gives what its rows give', async (t) => {
  const { classifier, regressor } = await models()
  const file = `${folder}/rows.csv`
  const lines = rows.map(({ place, day, area }, i) => `${i},${area},${day},${place}`)
  writeFileSync(file, `id,area,day,place\n${lines.join('\n')}\n`)
  const wanted = predict(classifier, rows)
  const names: string[] = []
  const scores: number[] = []
  let pieces = 0
  for await (const found of predictTable(classifier, file)) {
    names.push(...found.names)
    for (const score of found.scores) scores.push(score)
    pieces++
  }
  t.ok(pieces > 1, `${pieces} pieces`)
  t.strictSame(names, wanted.names)
  t.strictSame(Float32Array.from(scores), wanted.scores)
  async function* stream() {
    yield* rows
  }
  const values: number[] = []
  for await (const found of predictTable(regressor, stream(), { batchSize: 300 })) {
    for (const value of found) values.push(value)
  }
  t.strictSame(Float32Array.from(values), predict(regressor, rows))
})

t.test('without the target, by SQL; categories that are new; what is wrong', async (t) => {
  const { classifier } = await models()
  const query = "select 'place 1' as place, date '2024-01-02' as day, range as area from range(3)"
  const answers = []
  for await (const found of predictTable(classifier, query)) answers.push(found)
  t.equal(answers[0].names.length, 3)
  const unknown = rows.slice(0, 9).map((row) => ({ ...row, place: 'nowhere' }))
  const warnings = await warningsOf(async () => {
    for await (const _ of predictTable(classifier, unknown, { name: 'new rows' }));
  })
  t.match(
    warnings.join('\n'),
    /new rows: column place has 9 cells with categories that training had not, such as "nowhere"/,
  )
  const first = (source: unknown, options = {}) =>
    predictTable(classifier, source as string, options).next()
  await rejects(
    t,
    first([{ place: 'a', area: 1 }]),
    DataError,
    /expected a column "day" as in training/,
  )
  const late = rows.map((row, i) => (i === 30_000 ? { ...row, area: 'many' } : row))
  const found = predictTable(classifier, late as typeof rows)
  await rejects(
    t,
    (async () => {
      for await (const _ of found);
    })(),
    DataError,
    /row 30001/,
  )
  await rejects(t, first(`${folder}/none.csv`), Error, /none\.csv/)
  const wrong: [() => unknown, RegExp][] = [
    [() => predictTable({} as Classifier, query), /predictTable: expected a classifier/],
    [() => predictTable(classifier, query, { batchSize: 0 }), /batchSize/],
    [() => predictTable(classifier, 3 as never), /expected a path, SQL, an iterable .*, got 3/],
    [() => predictTable(classifier, query, { target: 'x' } as never), /target/],
    [
      () => predictTable({ ...classifier, encoding: undefined }, query),
      /predictTable: expected a model that was trained on a table/,
    ],
  ]
  for (const [call, message] of wrong) t.throws(call, { constructor: ArgumentError, message })
})

t.test('probabilities of blocks', async (t) => {
  const sql = 'select range % 11 as x, hash(range) % 7 as z, range % 3 = 0 as y from range(3000)'
  const { test, classes, encoding, close } = await tableBlocks(sql, { target: 'y' })
  const size = test.size as number
  const whole = await rowsAt(
    'test',
    test,
    Int32Array.from({ length: size }, (_, i) => i),
  )
  setSeed(1)
  const model = mlp([2, 4, 2])
  const classifier: Classifier = { model, inputs: 2, classes, encoding, loss: 'cross-entropy' }
  for (const asked of [model, classifier]) {
    const found: Float32Array[] = []
    for await (const part of predictProba(asked, test)) found.push(...part)
    t.strictSame(found, predictProba(asked, whole))
  }
  const regressor = { model, inputs: 2, encoding, loss: 'mse' } as unknown as Classifier
  t.throws(() => predictProba(regressor, test), ArgumentError)
  await close()
})

t.test('rows of a block source at some positions', async (t) => {
  const source: BlockSource<'values'> = {
    inputShape: [2],
    *blocks() {
      for (let first = 0; first < 30; first += 3) {
        const inputs = Float32Array.from({ length: 6 }, (_, i) => 2 * first + i)
        yield { inputs, targets: Float32Array.from({ length: 3 }, (_, i) => -first - i) }
      }
    },
  }
  const found = await rowsAt('test', source, Int32Array.of(0, 7, 8, 29))
  t.strictSame([...found.inputs], [0, 1, 14, 15, 16, 17, 58, 59])
  t.strictSame(
    [...found.targets],
    [0, -7, -8, -29].map((x) => x + 0),
  )
  await rejects(
    t,
    rowsAt('test', source, Int32Array.of(30)),
    DataError,
    /expected more than 30 examples, got 30/,
  )
})
