/** Tables from iterables of rows. */
import t from 'tap'
import { type TableSource, table } from '../../../lib/index.js'

t.intercept(process, 'emitWarning', { value: () => {} })

const rows = Array.from({ length: 12_000 }, (_, i) => ({
  size: i % 5 === 0 ? null : i / 8,
  kind: `k${i % 3}`,
  day: new Date(Date.UTC(2024, 0, 1 + (i % 90))),
  sold: i % 2 === 0,
  rent: i % 7 < 3 ? 'high' : 'low',
}))
const lists = rows.map((row) => Object.values(row))
const options = { target: 'rent', missing: 'impute' } as const

async function* later<T>(elements: Iterable<T>): AsyncGenerator<T> {
  yield* elements
}

function* groupsOf<T extends { readonly length: number; slice(from: number, to: number): T }>(
  elements: T,
  size: number,
): Generator<T> {
  for (let i = 0; i < elements.length; i += size) yield elements.slice(i, i + size)
}

const columnsOf = (some: readonly (typeof rows)[number][]) => ({
  size: Float64Array.from(some, ({ size }) => size ?? Number.NaN),
  ...Object.fromEntries(
    (['kind', 'day', 'sold', 'rent'] as const).map((name) => [name, some.map((row) => row[name])]),
  ),
})

t.test('rows, lists of cells, many at a time and columns give the same table', async (t) => {
  const expected = await table(rows, options)
  const sources: TableSource[] = [
    later(rows),
    new Set(rows),
    later(groupsOf(rows, 777)),
    later([...groupsOf(rows, 5000)].map(columnsOf)),
  ]
  for (const source of sources) {
    const found = await table(source, options)
    t.strictSame(found.encoding, expected.encoding)
    t.strictSame(found.train, expected.train)
  }
  for (const source of [later(lists), later(groupsOf(lists, 1000))]) {
    const found = await table(source, { ...options, target: -1 })
    t.strictSame(found.train, expected.train)
    t.strictSame([found.encoding.isNamed, found.encoding.target.name], [false, '4'])
  }
  const numbers = later([Float32Array.of(1, 2, 0), Float32Array.of(2, 1, 1)])
  t.strictSame((await table(numbers, { target: 2, testFraction: 0.5 })).train.inputShape, [2])
})

t.test('bytes of JSON, as lines and as a list', async (t) => {
  const expected = await table(rows, options)
  const json = rows.map(({ size, day, ...row }) => ({
    ...row,
    ...(size !== null && { size }),
    day,
  }))
  const bytes = (text: string) => groupsOf(Buffer.from(text), 1000)
  const lines = `\ufeff\n${json.map((row) => JSON.stringify(row)).join('\r\n')}\n\n`
  for (const text of [lines, `[${JSON.stringify(json).slice(1)}`]) {
    const { train, encoding } = await table(later(bytes(text)), options)
    t.equal(train.size, expected.train.size)
    t.strictSame(
      new Set(encoding.features.map((feature) => JSON.stringify(feature))),
      new Set(expected.encoding.features.map((feature) => JSON.stringify(feature))),
    )
  }
  const read = (text: string) => table(later(bytes(text)), options)
  const cases: [string, RegExp][] = [
    ['{"rent": 1}\n{"rent"\n', /^table: expected JSON on line 2, got "/],
    ['{"rent": 1}\n[3]\n', /^table: expected an object of JSON on line 2, got \[3\]$/],
    ['[{"rent": 1}', /^table: expected JSON, got "/],
    ['{"rent": 1, "a": {}}\n', /for a, got \{\} in row 1$/],
    [
      `${lines}{"rent": "low", "more": 1}`,
      /^table: expected the columns .* got "more" in row 12001$/,
    ],
  ]
  for (const [text, message] of cases) {
    await t.rejects(read(text), { name: 'DataError', message }, text.slice(-30))
  }
})

t.test('the source is closed, also after a mistake', async (t) => {
  let closed = 0
  async function* source(last: unknown) {
    try {
      yield* rows.slice(0, 11_000)
      yield last
    } finally {
      closed++
    }
  }
  const last = { ...rows[0] }
  const cases: [unknown, RegExp][] = [
    [
      { ...last, size: 'big' },
      /^table: expected a number in column size as in the first rows, got 'big' in row 11001$/,
    ],
    [{ ...last, day: 'soon' }, /^table: expected a date in column day .* got 'soon' in row 11001$/],
    [
      { ...last, sold: 'maybe' },
      /^table: expected true or false in column sold .* got 'maybe' in row 11001$/,
    ],
    [{ size: 1 }, /^table: expected kind in every row .* in row 11001$/],
    [{ ...last, kind: {} }, /for kind, got \{\} in row 11001$/],
    [[1, 2], /^table: expected rows of 5 cells .* in row 11001$/],
    [7, /^table: expected rows as objects or lists, or many of them, got 7$/],
    [{ size: [1, 2], kind: ['a'] }, /in every row/],
  ]
  for (const [element, message] of cases) {
    await t.rejects(table(source(element) as never, options), { name: 'DataError', message })
  }
  t.equal(closed, cases.length)
  await table(source(last) as never, options)
  t.equal(closed, cases.length + 1)
  async function* broken() {
    yield rows[0]
    throw new Error('the cable')
  }
  await t.rejects(table(broken(), options), { message: 'the cable' })
  await t.rejects(table(later([[]]), options), { name: 'DataError', message: /expected rows/ })
  await t.rejects(table(later<never>([]), options), { name: 'DataError', message: /expected rows/ })
  await t.rejects(table(5 as never, options), {
    name: 'ArgumentError',
    message: /or records, got 5/,
  })
})
