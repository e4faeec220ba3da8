/** Tables in the style of well-known data sets, read as pandas.read_csv reads them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type TableOptions, table } from '../../lib/index.js'

/** What pandas makes of a table; test/fixtures/make_tables.py wrote it. */
interface Expected {
  text?: string
  base64?: string
  name: string
  options: TableOptions
  rows: number
  columns: string[]
  numbers: string[]
  missing: number[]
  means: number[]
  classes: string[] | null
}

const fixture = new URL('../fixtures/tables.json', import.meta.url)
const { tables } = JSON.parse(readFileSync(fixture, 'utf8')) as { tables: Record<string, Expected> }
const folder = mkdtempSync(join(tmpdir(), 'neuroblas-tables-'))
t.teardown(() => rmSync(folder, { recursive: true }))
t.intercept(process, 'emitWarning', { value: () => {} })

t.ok(Object.keys(tables).length >= 60)
for (const [title, expected] of Object.entries(tables)) {
  t.test(title, async (t) => {
    const path = join(folder, expected.name)
    writeFileSync(path, expected.text ?? Buffer.from(expected.base64 as string, 'base64'))
    const found = await table(path, { ...expected.options, missing: 'impute' })
    const columns = found.describe()
    const numbers = columns.filter(({ type }) => type === 'number')
    t.strictSame(
      columns.map(({ name }) => name),
      expected.columns,
    )
    t.strictSame(
      numbers.map(({ name }) => name),
      expected.numbers,
    )
    t.strictSame(
      columns.map(({ missing }) => missing),
      expected.missing,
    )
    numbers.forEach(({ mean = Number.NaN }, i) => {
      // Means of 30 numbers in float64, which may be added in another order.
      t.ok(Math.abs(mean - expected.means[i]) <= 1e-14 * 30 * Math.abs(mean), `mean ${mean}`)
    })
    t.strictSame([...found.classes].sort(), expected.classes ?? [])
    t.equal(found.train.size + found.test.size, expected.rows)
    t.ok(found.train.inputs.every(Number.isFinite))
  })
}
