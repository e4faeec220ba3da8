/** The table of docs/from-pytorch.md: every name on its right side is there. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import * as neuroblas from '../lib/index.js'

const { DataLoader, Generator, Optimizer, Sequential, Tensor } = neuroblas
/** Whose methods and properties the first word of a name stands for. */
const objects: Record<string, object> = {
  x: Tensor.prototype,
  model: Sequential.prototype,
  optimizer: Optimizer.prototype,
  generator: Generator.prototype,
  loader: DataLoader.prototype,
  init: neuroblas.init,
  schedules: neuroblas.schedules,
}

const guide = readFileSync(new URL('../docs/from-pytorch.md', import.meta.url), 'utf8')
const rows = guide
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').slice(1, 4))
const spansOf = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code)

t.test('every name of the table exists', async (t) => {
  t.ok(rows.length > 200, `${rows.length} rows`)
  for (const [torch, own] of rows) {
    t.match(torch, /^ `[\w.]+` $/, 'one name of PyTorch')
    const names = spansOf(own)
    t.ok(names.length > 0, `${torch}: a name here`)
    for (const name of names) {
      const [object, member] = name.split('.')
      const there = member === undefined ? object in neuroblas : member in (objects[object] ?? {})
      t.ok(there, `${name} for ${torch}`)
    }
  }
})

t.test('no name of PyTorch comes twice', async (t) => {
  const names = rows.map(([torch]) => torch)
  t.strictSame(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
})
