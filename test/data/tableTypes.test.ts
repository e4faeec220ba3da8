/** Types of columns: dates, text, embedded categories, missing values, booleans; how rows are split. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseDate, partOf } from '../../lib/data/table/dates.js'
import { inputsOf, isTableEncoding, widthOf } from '../../lib/data/table/encoding.js'
import { hashText, murmur3 } from '../../lib/data/table/hashedText.js'
import { OpenTable } from '../../lib/data/table/openTable.js'
import { stratified } from '../../lib/data/table/splitTable.js'
import {
  DataError,
  type TableEncoding,
  type TableOptions,
  type TableRecord,
  table,
} from '../../lib/index.js'

const fixture = new URL('../fixtures/table_types.json', import.meta.url)
const expected = JSON.parse(readFileSync(fixture, 'utf8')) as {
  bits: number
  rows: Record<'when' | 'amount' | 'kind' | 'comment', string | number | null>[]
  inputs: Record<string, number[][]>
  hashes: Record<string, number>
}
const folder = mkdtempSync(join(tmpdir(), 'neuroblas-types-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const warned: string[] = []
t.intercept(process, 'emitWarning', { value: (text: string) => warned.push(text) })

/** A table that is encoded by all of its rows. */
async function encoded(rows: TableRecord[], options: TableOptions) {
  const opened = await OpenTable.open(rows, options)
  const encoding = await opened.fit(opened.rows)
  const { data } = await opened.encode(opened.rows, encoding)
  return { encoding, inputs: data.inputs, width: data.inputShape[0], opened }
}

const classed = (rows: TableRecord[]) => rows.map((row, i) => ({ ...row, class: 'uv'[i % 2] }))

t.test('hashes of words are those of scikit-learn', async (t) => {
  for (const [word, hash] of Object.entries(expected.hashes)) {
    t.equal(murmur3(new TextEncoder().encode(word)), hash, word)
  }
  t.strictSame([...hashText('', 4)], [], 'no words')
  t.strictSame([...hashText('a ? b', 4)], [], 'words have two letters')
})

t.test('dates, text and missing values are encoded as by pandas and scikit-learn', async (t) => {
  const options = { text: ['comment'], hashBits: expected.bits, addIndicator: true } as const
  const found = await encoded(classed(expected.rows), {
    ...{ target: 'class', missing: 'impute', ...options },
  })
  t.strictSame(
    found.encoding.features.map(({ name, type, indicator }) => [name, type, indicator]),
    ['date', 'number', 'category', 'text'].map((type, i) => [
      ['when', 'amount', 'kind', 'comment'][i],
      type,
      true,
    ]),
  )
  let begin = 0
  for (const feature of found.encoding.features) {
    const values = expected.inputs[feature.name]
    t.equal(widthOf(feature), values[0].length, `${feature.name}: width`)
    const worst = values.flatMap((row, i) =>
      row.map((value, j) => Math.abs(value - found.inputs[i * found.width + begin + j])),
    )
    t.ok(Math.max(...worst) < 1e-6, `${feature.name}: ${Math.max(...worst)}`)
    begin += values[0].length
  }
  t.equal(begin, found.width)
  const plain = JSON.parse(JSON.stringify(found.encoding))
  t.strictSame(plain, found.encoding, 'plain data')
  t.ok(isTableEncoding(plain, found.width))
})

t.test('what is a date', async (t) => {
  const day = Date.UTC(2024, 1, 29)
  const cases: [string, number][] = [
    ['2024-02-29', day],
    ['2024/2/29', day],
    ['29.2.2024', day],
    ['2024-02-29 6:30', day + 6.5 * 3.6e6],
    ['2024-02-29T06:30:15.25Z', day + 6.5 * 3.6e6 + 15_250],
    ['2024-02-29T01:00:00+01:00', day],
    ['2024-02-28 22:30-0130', day],
    ['2024-02-29T00:00 +00', day],
    ['0033-04-03', Date.UTC(2033, 3, 3) - Date.UTC(2000, 0, 1) + Date.parse('0000-01-01')],
  ]
  for (const [text, time] of cases) t.equal(parseDate(text), time, text)
  const none = ['2023-02-29', '2024-13-01', '2024-1-0', '3/1/2024', '2024-1/1', '2024', '20240229']
  const others = ['2024-01-01 24:00', '2024-01-01T', '2024-01-01 10:60', 'May 1 2024', '1.1.24', '']
  for (const text of [...none, ...others]) t.ok(Number.isNaN(parseDate(text)), text)
  t.equal(partOf(Date.parse('1969-12-31T18:00Z'), 'hour'), 0.75, 'before 1970')
  t.equal(partOf(Date.parse('2024-01-01'), 'weekday'), 0, 'a Monday')
})

t.test('only the parts of a date that vary are inputs', async (t) => {
  const rows = (of: (i: number) => string | Date) =>
    classed(Array.from({ length: 20 }, (_, i) => ({ when: of(i) })))
  const partsOf = async (of: (i: number) => string | Date) => {
    const { encoding } = await encoded(rows(of), { target: 'class' })
    const [feature] = encoding.features
    return feature.type === 'date' && feature.parts
  }
  t.strictSame(await partsOf((i) => `2024-03-${i + 1}`), ['day', 'weekday'])
  t.strictSame(await partsOf((i) => new Date(Date.UTC(2000 + i, 4, 1))), ['year', 'weekday'])
  t.strictSame(await partsOf((i) => `2024-03-01 ${i}:00`), ['hour'])
  const constant = await encoded(
    rows(() => '2024-03-01'),
    { target: 'class' },
  )
  t.strictSame([...new Set(constant.inputs)], [0], 'a date that never varies')
  const { opened } = await encoded(
    rows((i) => `2024-03-${i + 1} 12:00`),
    { target: 'class' },
  )
  t.match(opened.description[0], {
    type: 'date',
    earliest: '2024-03-01T12:00:00',
    latest: '2024-03-20T12:00:00',
  })
})

t.test('what is no date, in a column of dates', async (t) => {
  const rows = Array.from({ length: 30 }, (_, i) => ({
    when: i === 17 ? 'soon' : `2024-03-${i + 1}`,
    x: i % 7,
  }))
  await t.rejects(table(classed(rows), { target: 'class' }), {
    name: 'DataError',
    message: /expected dates in column when as in 29 of its rows, got "soon" in row 17; name it/,
  })
  const { encoding } = await encoded(classed(rows.filter((_, i) => i !== 17)), { target: 'class' })
  const opened = await OpenTable.open(
    classed([
      { when: '2024-03-05', x: 1 },
      { when: '12', x: 2 },
      { when: '2024-03-05', x: 3 },
    ]),
    { target: 'class', features: ['when', 'x'] },
  )
  await t.rejects(opened.encode(opened.rows, encoding), {
    name: 'DataError',
    message: /expected dates in column when, got "12" in row 1/,
  })
  await t.rejects(table(classed([{ x: new Date(Number.NaN) }]), { target: 'class' }), DataError)
})

t.test('text: only what is asked for is hashed, and it may be missing', async (t) => {
  const rows = classed(
    Array.from({ length: 30 }, (_, i) => ({ note: i === 3 ? null : `some words ${i}`, x: i % 7 })),
  )
  warned.length = 0
  const without = await table(rows, { target: 'class' })
  t.match(without.describe()[0], { use: 'ignored', type: 'category' })
  t.match(warned.join(), /left out column note: text that differs in most rows/)
  warned.length = 0
  const found = await table(rows, { target: 'class', text: ['note'] })
  t.strictSame(warned, [])
  t.match(found.describe()[0], {
    use: 'feature',
    type: 'text',
    example: 'some words 0',
    missing: 1,
  })
  t.equal(found.train.inputShape[0], 256 + 1)
  t.match(found.encoding.features[0], { type: 'text', bits: 8 })
  const many = classed(Array.from({ length: 1200 }, (_, i) => ({ note: `word${i}`, x: i % 7 })))
  t.equal((await table(many, { target: 'class', text: [0] })).train.inputShape[0], 257)
  await t.rejects(table(rows, { target: 'class', text: ['class'] }), { message: /got class twice/ })
  await t.rejects(table(rows, { target: 'class', text: ['note'], features: ['x'] }), {
    message: /expected text among the features, got note/,
  })
  for (const [options, message] of [
    [{ hashBits: 21 }, /expected hashBits from 1 to 20, got 21/],
    [{ embedAbove: -1 }, /expected embedAbove as a number of categories, got -1/],
    [{ addIndicator: true }, /expected addIndicator beside missing: 'impute'/],
    [{ text: 'note' }, /expected text as a list of columns/],
  ] as [Partial<TableOptions>, RegExp][]) {
    await t.rejects(table(rows, { target: 'class', ...options }), {
      ...{ name: 'ArgumentError', message },
    })
  }
})

t.test('categories above a number become an index; 0 is for others', async (t) => {
  const rows = classed(
    Array.from({ length: 60 }, (_, i) => ({
      city: i === 7 ? null : `c${i % 12}`,
      colour: ['red', 'green'][i % 2],
    })),
  )
  const options = { target: 'class', missing: 'impute', embedAbove: 10 } as const
  const { encoding, inputs, width } = await encoded(rows, options)
  t.match(encoding.features[0], { type: 'category', embedded: true })
  t.equal(encoding.features[0].type === 'category' && encoding.features[0].categories[11], 'c11')
  t.notOk('embedded' in encoding.features[1])
  t.equal(width, 3)
  t.strictSame([...inputs.slice(0, 3)], [1, 0, 1], 'c0 is the first')
  t.equal(inputs[7 * 3], 1, 'the most frequent one stands for a missing value')
  const opened = await OpenTable.open(
    classed([
      { city: 'c11', colour: 'red' },
      { city: 'atlantis', colour: 'red' },
    ]),
    { ...options, task: 'classify' },
  )
  const { data, unseen } = await opened.encode(opened.rows, encoding)
  t.strictSame([data.inputs[0], data.inputs[3]], [12, 0])
  t.match(unseen, [{ column: 'city', count: 1, example: 'atlantis' }])
})

t.test('True of a file is true of a program', async (t) => {
  const path = join(folder, 'booleans.csv')
  const lines = Array.from({ length: 30 }, (_, i) => `${['True', 'False'][i % 2]},${'uv'[i % 2]}`)
  writeFileSync(path, `paid,class\n${lines.join('\n')}\n`)
  const { encoding, classes } = await table(path, { target: 'class' })
  const opened = await OpenTable.open(
    [
      { paid: true, class: 'u' },
      { paid: false, class: 'v' },
    ],
    { target: 'class' },
  )
  const { data, unseen } = await opened.encode(opened.rows, encoding)
  t.strictSame(unseen, [])
  t.strictSame(
    [[...data.inputs], classes],
    [
      [0, 1, 1, 0],
      ['u', 'v'],
    ],
  )
})

t.test('an encoding that was changed is none', async (t) => {
  const options = { text: ['comment'], missing: 'impute', addIndicator: true } as const
  const { encoding, width } = await encoded(classed(expected.rows), { target: 'class', ...options })
  const withFeature = (at: number, changes: object): TableEncoding => ({
    ...encoding,
    features: encoding.features.map((feature, i) =>
      i === at ? { ...feature, ...changes } : feature,
    ),
  })
  t.ok(isTableEncoding(encoding, width))
  t.notOk(isTableEncoding(withFeature(0, { parts: 'year' }), width))
  const wrong = [
    withFeature(0, { parts: ['year', 'century'] }),
    withFeature(0, { scale: null }),
    withFeature(1, { indicator: 1 }),
    withFeature(2, { embedded: 'yes' }),
    withFeature(3, { bits: 21 }),
    withFeature(3, { bits: '8' }),
    withFeature(3, { type: 'words', parts: ['year'] }),
  ]
  for (const given of wrong) {
    // Not refused for its width alone.
    t.notOk(isTableEncoding(given, inputsOf(given)), JSON.stringify(given.features))
  }
})

t.test('a split by class keeps the shares', async (t) => {
  const labels = Int32Array.from({ length: 100 }, (_, i) =>
    i < 3 ? 0 : i < 4 ? 1 : i < 20 ? 2 : 3,
  )
  for (const seed of [0, 1]) {
    const { train, test } = stratified(labels, 0.2, seed)
    t.strictSame(
      [0, 1, 2, 3].map((label) => test.filter((row) => labels[row] === label).length),
      [1, 0, 3, 16],
    )
    t.equal(new Set([...train, ...test]).size, 100)
  }
  t.strictSame(stratified(labels, 0.2, 3), stratified(labels, 0.2, 3))
  t.not(`${stratified(labels, 0.2, 3).test}`, `${stratified(labels, 0.2, 4).test}`)
})

t.test('splits by class, group and time', async (t) => {
  const rows = Array.from({ length: 100 }, (_, i) => ({
    x: (i * 37) % 100,
    patient: `p${i % 10}`,
    when: `2024-0${1 + (i % 9)}-${10 + (i % 13)}`,
    rare: i % 20 === 0 ? 'yes' : 'no',
  }))
  const partsBy = async (options: Partial<TableOptions>) => {
    const opened = await OpenTable.open(rows, { target: 'rare', ...options })
    const { train, test } = await opened.parts(opened.rows, 0.2, 0)
    t.equal(new Set([...train, ...test]).size, 100)
    return { train, test, opened }
  }
  const byClass = await partsBy({ stratify: true })
  t.equal(byClass.test.filter((row) => rows[row].rare === 'yes').length, 1)
  const byGroup = await partsBy({ groupBy: 'patient' })
  const groupsOf = (part: Int32Array) => new Set([...part].map((row) => rows[row].patient))
  t.equal(byGroup.test.length, 20)
  t.notOk([...groupsOf(byGroup.train)].some((name) => groupsOf(byGroup.test).has(name)))
  t.match(byGroup.opened.description[1], { use: 'ignored', reason: /names the groups/ })
  const byDate = await partsBy({ time: 'when' })
  const last = Math.max(...[...byDate.train].map((row) => Date.parse(rows[row].when)))
  t.ok([...byDate.test].every((row) => Date.parse(rows[row].when) >= last))
  t.equal(byDate.opened.description[2].use, 'feature', 'weekdays come again')
  const byNumber = await partsBy({ time: 'x' })
  t.strictSame(
    [...byNumber.test].map((row) => rows[row].x),
    [80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99],
  )
  t.match(byNumber.opened.description[0], { use: 'ignored', reason: /has the times/ })
  await t.rejects(partsBy({ time: 'patient' }), { message: /numbers or dates in patient/ })
  await t.rejects(partsBy({ stratify: true, groupBy: 'x' }), {
    message: /expected one of stratify/,
  })
  const ofValues = await partsBy({ target: 'x', task: 'regress', stratify: true })
  t.strictSame(ofValues.opened.split, { by: 'chance' }, 'values have no classes')
  const alone = rows.map((row) => ({ ...row, patient: 'p' }))
  await t.rejects(table(alone, { target: 'rare', groupBy: 'patient' }), {
    message: /expected groups in patient, got 1/,
  })
  const lacking = rows.map((row, i) => (i === 5 ? { ...row, patient: null, when: null } : row))
  await t.rejects(table(lacking, { target: 'rare', groupBy: 'patient', ignore: ['when'] }), {
    message: /expected a group in every row of patient to split by, got none in row 5/,
  })
  await t.rejects(table(lacking, { target: 'rare', time: 'when', ignore: ['patient', 'when'] }), {
    message: /expected a time in every row of when/,
  })
})
