// Tables that are read, and trained on in blocks, each case in a process of its own.
//   npm run bench:data -- [--rows 8000000] [--rounds 3] [--keep FILE]
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '8000000' },
    rounds: { type: 'string', default: '3' },
    keep: { type: 'string' },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'neuroblas-bench-'))
const file = values.keep ?? join(folder, 'rows.parquet')
const here = (name) => fileURLToPath(new URL(name, import.meta.url))

/** 32 numbers and a class of 2, which depends on four of them. */
async function write(path, rows) {
  const columns = Array.from(
    { length: 32 },
    (_, j) => `(hash(i * 64 + ${j}) % 1000000 / 500000.0 - 1)::FLOAT as f${j}`,
  )
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `copy (select *, (f0 + f1 * f2 + 0.3 * f3 > 0)::INTEGER as y from (select ${columns} from range(${rows}) t(i))) to '${path}' (compression uncompressed)`,
  )
  connection.closeSync()
  instance.closeSync()
}

const cases = {
  'reading Parquet alone, one thread': ['reading.mjs'],
  'from Parquet, batch 128': ['blocks.mjs'],
  'from the cache, batch 128': ['blocks.mjs', '--cache'],
}

try {
  if (!existsSync(file)) await write(file, Number(values.rows))
  console.log('| case | examples/s of each round | best | MiB |')
  console.log('|---|---|---|---|')
  for (const [name, [program, ...options]] of Object.entries(cases)) {
    const rounds = Array.from({ length: Number(values.rounds) }, () =>
      JSON.parse(execFileSync(process.execPath, [here(program), file, ...options])),
    )
    const rates = rounds.map(({ rates }) => Math.max(...rates.slice(1)))
    const million = (rate) => (rate / 1e6).toFixed(2)
    const memory = Math.max(...rounds.map(({ mebibytes }) => mebibytes))
    console.log(
      `| ${name} | ${rates.map(million).join(', ')} M | ${million(Math.max(...rates))} M | ${memory} |`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
