// Reads a file of Parquet three times, in batches of columns; prints rows/s of each time and the peak of memory.
//   node scripts/bench/data/reading.mjs FILE
import { readerOf } from '../../../lib/data/sources/openSource.js'

const reader = await readerOf(process.argv[2], { duckdb: { threads: 1 } })
const rates = []
for (let time = 0; time < 3; time++) {
  const start = performance.now()
  let rows = 0
  for await (const batch of reader.batches()) rows += batch.rows
  rates.push((1000 * rows) / (performance.now() - start))
}
await reader.close()
const mebibytes = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(JSON.stringify({ rates, mebibytes }))
