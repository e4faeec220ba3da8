/** `table`: what it refuses, what it leaves out and says, and how it encodes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { ArgumentError, DataError, NeuroblasError, type Table, table } from '../../lib/index.js'

const folder = mkdtempSync(join(tmpdir(), 'neuroblas-table-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const warned: string[] = []
t.intercept(process, 'emitWarning', { value: (text: string) => warned.push(text) })

type Options = Parameters<typeof table>[1]

/** A table of this text, in a file. */
function read(content: string | Uint8Array, options: Partial<Options> = {}): Promise<Table> {
  const path = join(folder, 'some.csv')
  writeFileSync(path, content)
  return table(path, { target: -1, ...options })
}

/** `count` rows, after a header if there is one. */
function lines(count: number, row: (i: number) => string, header?: string): string {
  const rows = Array.from({ length: count }, (_, i) => row(i))
  return `${[...(header === undefined ? [] : [header]), ...rows].join('\n')}\n`
}

const namesOf = (found: Table) => found.describe().map(({ name }) => name)
const usesOf = (found: Table) =>
  Object.fromEntries(found.describe().map(({ name, use }) => [name, use]))

t.test('what cannot be read is refused, with its line', async (t) => {
  const good = lines(12, (i) => `${i / 2},${'ab'[i % 2]}`, 'x,kind')
  const cases: [string, string | Uint8Array, RegExp, Partial<Options>?][] = [
    ['empty', '', /expected rows, got none/],
    [
      'a header alone',
      'x,kind\n',
      /expected rows after the line of names, got none/,
      { header: true },
    ],
    ['too few cells', `${good}1\n`, /got missing ones of 13 \(kind 1\), such as kind on line 14/],
    ['too many cells', `${good}1,a,2\n`, /expected at most 2 cells on line 14 .* got 3/],
    [
      'after blank lines and quoted line ends',
      `x,kind\r\n\r\n1,"a\r\nb"\r\n2,c\r\n\r\n3\r\n`,
      /missing ones of 3 \(kind 1\), such as kind on line 7;/,
    ],
    ['an open quote', 'x,kind\n1,"a\n2,b\n', /expected a closing quote in the row after line 1/],
    [
      'Latin-1',
      Buffer.from('größe,art\n1,a\n', 'latin1'),
      /expected text in utf-8.*near "gr.*latin1/,
    ],
    ['UTF-16', Buffer.from('x,kind\n1,a\n', 'utf16le'), /got zero bytes.*utf-16le/],
    [
      'damaged gzip',
      gzipSync(good).subarray(0, -9),
      /intact gzip data, got "unexpected end of file"/,
    ],
    ['one column', 'a\nb\na\n', /expected a column of features beside 0, got none/],
    ['a header and values', '5,a,7\n1,2,3\n4,5,6\n', /"a" above numbers and "5" as well.*header/],
  ]
  for (const [title, content, message, options] of cases) {
    await t.rejects(read(content, options), { name: 'DataError', message }, title)
  }
  await t.rejects(table('/nowhere.csv', { target: 0 }), { message: /got no such file or folder/ })
  await t.rejects(table(folder, { target: 0 }), {
    message: /expected a readable file, got a folder/,
  })
})

t.test(
  'a row that is too short has missing values at its end, as in pandas.read_csv',
  async (t) => {
    const rows = lines(12, (i) => `${'ab'[i % 2]},${i},${2 * i}`, 'kind,x,y')
    const found = await read(`${rows}a,1\n`, { target: 'kind', missing: 'impute' })
    t.match(found.describe(), [{ missing: 0 }, { missing: 0 }, { name: 'y', missing: 1 }])
  },
)

t.test('wrong arguments', async (t) => {
  const good = lines(12, (i) => `${i / 2},${'ab'[i % 2]}`, 'x,kind')
  const cases: [object, RegExp][] = [
    [{ target: 'kinds' }, /expected target among x, kind, or a position below 2, got kinds/],
    [{ target: 2 }, /a position below 2, got 2/],
    [{ target: undefined }, /expected target as the name or the position/],
    [{ task: 'cluster' }, /expected task classify or regress, got cluster/],
    [{ missing: 'guess' }, /expected missing refuse, drop, impute, got 'guess'/],
    [{ features: ['kind'] }, /got kind twice/],
    [{ ignore: ['x'], features: ['x'] }, /got x twice/],
    [{ ignore: ['y'] }, /expected ignore among x, kind/],
    [{ delimiter: '::' }, /expected a delimiter of one character/],
    [{ encoding: 'ebcdic' }, /expected an encoding such as utf-8.*got ebcdic/],
    [{ decimal: ';' }, /expected decimal \. or ,/],
    [{ thousands: '.' }, /expected thousands as one character other than/],
    [{ missingValues: '?' }, /expected missingValues as a list/],
    [{ na_values: ['?'] }, /expected options among/],
    [{ ignore: 'x' }, /expected ignore as a list of columns, got 'x'/],
    [{ features: [null] }, /expected features as a list of columns/],
    [{ header: 'yes' }, /expected header true or false, got 'yes'/],
    [{ name: 7 }, /expected name as a text, got 7/],
    [{ testFraction: 1 }, /expected a fraction in \(0, 1\)/],
  ]
  for (const [options, message] of cases) {
    await t.rejects(read(good, options), { name: 'ArgumentError', message }, `${message}`)
  }
  await t.rejects(table(7 as never, { target: 0 }), ArgumentError)
  await t.rejects(table([], { target: 0 }), ArgumentError)
})

t.test('a header is found by what is below it', async (t) => {
  const columns = async (content: string, options = {}) =>
    namesOf(await read(content, { task: 'classify', ...options }))
  const words = (header?: string) => lines(12, (i) => `${'abc'[i % 3]},${'uv'[i % 2]}`, header)
  t.strictSame(await columns(lines(12, (i) => `${i % 5},${'uv'[i % 2]}`)), ['0', '1'])
  t.strictSame(await columns(words('letter,kind')), ['letter', 'kind'])
  t.strictSame(await columns(words()), ['0', '1'], 'what comes again is no name')
  t.strictSame(await columns(words(), { header: true }), ['a', 'u'])
  t.strictSame(await columns(words('letter,kind'), { header: false }), ['0', '1'])
  const years = lines(12, (i) => `${'uv'[i % 2]},${i % 5},${i % 3}`, 'land,1960,1970')
  t.strictSame(await columns(years), ['0', '1', '2'], 'numbers over numbers')
  t.strictSame(
    await columns(years, { target: 'land' }),
    ['land', '1960', '1970'],
    'the target is named',
  )
  const fromR = lines(12, (i) => `"${i}",${i / 3},${'uv'[i % 2]}`, 'x,kind')
  const found = await read(fromR)
  t.strictSame(namesOf(found), ['Unnamed: 0', 'x', 'kind'], 'row names as write.table has them')
  t.equal(found.describe()[0].reason, 'it has the names of the rows')
})

t.test('a target that may be no class is not taken for one', async (t) => {
  const values = (of: (i: number) => number | string) =>
    lines(60, (i) => `${i % 7},${of(i)}`, 'x,y')
  const unclear =
    /expected a target of classes, or the task, got \d+ different numbers in 60 rows of y/
  await t.rejects(read(values((i) => i / 10)), { name: 'DataError', message: unclear }, 'reals')
  await t.rejects(
    read(values((i) => i % 21)),
    { name: 'DataError', message: unclear },
    '21 integers',
  )
  await t.rejects(read(values((i) => 0.5 + (i % 2))), { message: unclear }, 'two halves')
  t.equal((await read(values((i) => i % 20))).classes.length, 20)
  t.strictSame(
    (
      await read(
        values((i) => i % 21),
        { task: 'classify' },
      )
    ).classes.length,
    21,
  )
  t.strictSame(
    (
      await read(
        values((i) => i % 11),
        { task: 'regress' },
      )
    ).classes,
    [],
  )
  t.strictSame((await read(values((i) => `${i % 3}.0`))).classes, ['0', '1', '2'])
  await t.rejects(
    read(
      values((i) => `a${i % 3}`),
      { task: 'regress' },
    ),
    {
      message: /expected numbers in target y, got "a0" on line 2/,
    },
  )
  await t.rejects(read(values(() => 5)), { message: /expected 2 classes or more in y, got 5/ })
  await t.rejects(read(values((i) => (i === 7 ? 'x' : i))), {
    message: /expected numbers in column y as in 59 of its rows, got "x" on line 9/,
  })
  warned.length = 0
  const { notes } = await read(values((i) => `name ${i >> 1}`))
  t.strictSame(warned, [], '30 classes in 60 rows')
  t.strictSame(notes, [])
  await read(values((i) => `name ${i}`))
  t.match(warned.join(), /60 classes in 60 rows of y: nearly as many as rows/)
})

t.test('columns that cannot be features are left out, and that is said', async (t) => {
  const content = lines(
    60,
    (i) => `${i + 1},person ${i},${i % 9},,2024-01-${10 + (i % 50)},${'uv'[i % 2]}`,
    'id,name,x,empty,when,kind',
  )
  warned.length = 0
  const found = await read(content)
  const ignored = { id: 'ignored', name: 'ignored', empty: 'ignored', when: 'ignored' }
  t.strictSame(usesOf(found), { ...ignored, x: 'feature', kind: 'target' })
  t.equal(warned.length, 4)
  t.strictSame(found.notes, warned)
  t.match(warned[0], /left out column id: it numbers the rows/)
  t.match(warned[1], /left out column name: text that differs in most rows, such as "person 0"/)
  const asked = await read(content, { features: ['id', 'x'] })
  t.match(usesOf(asked), { id: 'feature', name: 'ignored', x: 'feature' })
  warned.length = 0
  await read(content, { ignore: ['id', 1, 'empty', 'when'] })
  t.strictSame(warned, [], 'what is asked for is not told')
  await t.rejects(read(content, { features: ['name', 'x'] }), {
    message: /expected a feature in name, got text that differs/,
  })
  const many = lines(2500, (i) => `c${i % 1100},${i % 7},${'uv'[i % 2]}`, 'city,x,kind')
  t.match((await read(many)).describe()[0], {
    type: 'text',
    reason: 'text with more than 1000 different values, such as "c0"',
  })
})

t.test('numbers that are written otherwise are not taken for names', async (t) => {
  const column = (cells: (i: number) => string) =>
    lines(60, (i) => `${cells(i)};${'uv'[i % 2]}`, 'x;kind')
  const thousands = column((i) => `1,${200 + i}`)
  await t.rejects(read(thousands), {
    message: /expected plain numbers.*got "1,200" on line 2.*thousands/,
  })
  t.equal((await read(thousands, { thousands: ',' })).describe()[0].max, 1259)
  t.equal((await read(thousands, { decimal: ',' })).describe()[0].max, 1.259)
  const both = column((i) => `1.${200 + i},5`)
  t.equal((await read(both, { decimal: ',', thousands: '.' })).describe()[0].min, 1200.5)
  const broken = column((i) => (i === 30 ? 'err' : `${i / 4}`))
  await t.rejects(read(broken), {
    message: /expected numbers in column x as in 59 of its rows, got "err" on line 32/,
  })
  const mended = await read(broken, { missingValues: ['err'], missing: 'impute' })
  t.match(mended.describe()[0], { type: 'number', missing: 1 })
  await t.rejects(read(column((i) => (i === 30 ? '-inf' : `${i / 4}`))), {
    message: /expected finite numbers in column x, got -inf on line 32/,
  })
  const hex = await read(column((i) => `0x${(i % 9).toString(16)}`))
  t.equal(hex.describe()[0].type, 'category', 'as pandas')
  t.strictSame((await read(column((i) => ['0', '1', '2', '3+'][i % 4]))).describe()[0].categories, [
    '0',
    '1',
    '2',
    '3+',
  ])
})

t.test('missing values: refused, dropped, imputed, and counted', async (t) => {
  const content = lines(
    20,
    (i) =>
      `${i === 3 ? '' : i % 6},${i === 4 || i === 3 ? 'NA' : 'ab'[i % 2]},${i === 5 ? '?' : 'uv'[i % 2]}`,
    'x,letter,kind',
  )
  await t.rejects(read(content), {
    name: 'DataError',
    message:
      /got missing ones of 20 \(x 1, letter 2, kind 1\), such as x on line 5; say missing: drop/,
  })
  const dropped = await read(content, { missing: 'drop' })
  t.equal(dropped.train.size + dropped.test.size, 17)
  t.match(dropped.notes, [
    /left out 3 of 20 rows, where values are missing \(x 1, letter 2, kind 1\)/,
  ])
  const imputed = await read(content, { missing: 'impute' })
  t.equal(imputed.train.size + imputed.test.size, 19)
  t.match(imputed.notes, [
    /left out 1 of 20 rows, where values are missing \(kind 1\)/,
    /filled in missing values \(x 1, letter 2\)/,
  ])
  const known = await read(content, { missing: 'impute', missingValues: [''] })
  t.strictSame(known.describe()[1].categories, ['a', 'b', 'NA'])
  await t.rejects(
    read(
      lines(12, (i) => `${i % 2 ? '' : 1},${i % 2 ? 'uv'[(i >> 1) % 2] : ''}`, 'x,kind'),
      { missing: 'drop' },
    ),
    {
      message: /expected rows without missing values, got none of 12/,
    },
  )
})

t.test('the encoding is fitted on the training part alone', async (t) => {
  // scikit-learn 1.9.1 for the same training rows: StandardScaler().mean_ and 1 / .scale_,
  // SimpleImputer(strategy='most_frequent').statistics_, OneHotEncoder().categories_.
  const content = lines(
    10,
    (i) => `${i * i},${['b', 'a', '', 'b'][i % 4]},${'uv'[i % 2]}`,
    'x,letter,kind',
  )
  const { train, test, encoding } = await read(content, { missing: 'impute', seed: 1 })
  const [numbers, letters] = encoding.features
  t.match(numbers, { name: 'x', type: 'number', mean: 35.5 })
  t.ok(numbers.type === 'number' && Math.abs(numbers.scale - 0.03903600291794132) < 1e-16)
  t.strictSame(letters, {
    name: 'letter',
    type: 'category',
    categories: ['a', 'b'],
    mostFrequent: 'b',
  })
  // Of the rows 8, 3, 7: x = 64, 9, 49 and b.
  const expected = [1.11252608, 0, 1, -1.03445408, 0, 1, 0.52698604, 0, 1]
  t.ok(expected.every((value, i) => Math.abs(value - train.inputs[i]) < 1e-7))
  t.strictSame(train.inputShape, [3])
  t.equal(test.inputs.length, 6)
  t.strictSame(JSON.parse(JSON.stringify(encoding)), encoding, 'plain data')
})

t.test('categories that only the test part has are said', async (t) => {
  const content = lines(10, (i) => `c${i >> 1},${i % 3},${'uv'[i % 2]}`, 'letter,x,kind')
  const found = await read(content, { testFraction: 0.7, seed: 1 })
  t.match(
    found.notes.join(),
    /column letter has \d cells? with categories that training had not, such as "c\d"/,
  )
  const width = found.train.inputShape[0]
  const rows = Array.from({ length: found.test.size }, (_, i) =>
    [...found.test.inputs.subarray(i * width, i * width + width - 1)].reduce((a, b) => a + b),
  )
  t.ok(rows.includes(0), 'all of its inputs are 0')
})

t.test('a regression: targets are standardized', async (t) => {
  const { train, classes, task, encoding } = await read(
    lines(20, (i) => `${i % 4},${1e5 + 1000 * i}`, 'rooms,price'),
    { target: 'price', task: 'regress' },
  )
  t.strictSame([task, classes, train.targetShape], ['regress', [], [1]])
  const sum = [...train.targets].reduce((a, b) => a + b)
  const squares = [...train.targets].reduce((a, b) => a + b * b, 0)
  t.ok(Math.abs(sum) < 1e-5 && Math.abs(squares - 16) < 1e-4)
  t.ok('mean' in encoding.target && encoding.target.mean > 1e5)
})

t.test('large numbers keep their differences', async (t) => {
  const { train } = await read(lines(20, (i) => `${1.7e12 + i},${'uv'[i % 2]}`, 'time,kind'))
  t.equal(new Set(train.inputs).size, train.size, 'float32 has steps of 131072 there')
})

t.test('records and streams', async (t) => {
  const rows = Array.from({ length: 12 }, (_, i) => ({
    x: i === 2 ? null : i / 2,
    big: i % 2 === 0,
    kind: 'uv'[i % 2],
  }))
  const found = await table(rows, { target: 'kind', missing: 'impute' })
  t.strictSame(
    found.describe().map(({ type, missing }) => [type, missing]),
    [
      ['number', 1],
      ['category', 0],
      ['category', 0],
    ],
  )
  await t.rejects(table([{ x: 1, kind: 'a' }, { x: 1 }], { target: 'kind' }), {
    name: 'DataError',
    message: /expected kind in every row \(null where it is missing\).* in row 1/,
  })
  await t.rejects(table([{ x: {}, kind: 'a' }] as never, { target: 'kind' }), DataError)
  const text = lines(12, (i) => `${i / 2},${'ab'[i % 2]}`, 'größe,kind')
  const bytes = [...Buffer.from(text)].map((byte) => Uint8Array.of(byte))
  const streamed = await table(Readable.from(bytes), { target: 'kind', name: 'sizes' })
  t.strictSame([streamed.name, ...namesOf(streamed)], ['sizes', 'größe', 'kind'])
})

t.test('a wide table', async (t) => {
  const width = 20_000
  const row = (i: number) => [
    ...Array.from({ length: width }, (_, j) => (i * j + 5) % 97),
    'uv'[i % 2],
  ]
  const { train } = await read(lines(12, (i) => row(i).join('\t')))
  t.strictSame(train.inputShape, [width], 'rows of more characters than a piece')
})

t.test('the event loop goes on meanwhile', async (t) => {
  const content = lines(20_000, (i) => `${i % 1000},${'ab'[i % 2]},${'uv'[i % 2]}`, 'x,letter,kind')
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  await read(content)
  clearInterval(timer)
  t.ok(turns > 5, `${turns} turns`)
})

t.test('property: a damaged table is read or refused, never anything else', async () => {
  const good = lines(30, (i) => `${i / 7},"a ""${i % 3}""",${'uv'[i % 2]}`, 'x,"the, word",kind')
  const edit = fc.record({
    at: fc.nat(good.length),
    text: fc.constantFrom('"', ',', '\n', '\r', '\0', ';', 'é', ''),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      let content = good
      for (const { at, text } of edits)
        content = content.slice(0, at) + text + content.slice(at + 1)
      const latin1 = edits.length % 2 === 0
      try {
        const found = await read(latin1 ? Buffer.from(content, 'latin1') : content)
        return found.train.inputs.every(Number.isFinite)
      } catch (error) {
        return error instanceof NeuroblasError
      }
    }),
    { numRuns: 100 },
  )
})
