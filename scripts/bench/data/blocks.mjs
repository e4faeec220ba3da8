// How many examples of a table that is read in blocks a network of 32-64-2 is trained on in a second, and what the
// process takes at most: from Parquet, and from the cache. Prints JSON; run.mjs makes a table of it.
//   node scripts/bench/data/blocks.mjs FILE [--cache] [--memory LIMIT]
import { parseArgs } from 'node:util'
import { fit, mlp, SGD, setSeed, softmaxCrossEntropy, tableBlocks } from '../../../lib/index.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cache: { type: 'boolean', default: false }, memory: { type: 'string' } },
})
const { cache, memory } = values
const duckdb = memory === undefined ? {} : { memory_limit: memory }
const begin = performance.now()
const options = { target: 'y', task: 'classify', testFraction: 0.001, duckdb }
const { train, close } = await tableBlocks(positionals[0], options)
const summary = (performance.now() - begin) / 1000
setSeed(1)
const model = mlp([32, 64, 2])
const optimizer = new SGD(model.parameters(), { lr: 0.05 })
// The cache is read from the second epoch on.
const epochs = cache ? 3 : 2
const history = await fit(model, train, {
  loss: softmaxCrossEntropy,
  optimizer,
  epochs,
  batchSize: 128,
  seed: 1,
  cache,
})
await close()
const rates = history.epochs.map(({ examplesPerSecond }) => Math.round(examplesPerSecond))
const { maxRSS } = process.resourceUsage()
const loss = history.epochs[epochs - 1].loss
console.log(
  JSON.stringify({
    examples: train.size,
    summary,
    rates,
    loss,
    mebibytes: Math.round(maxRSS / 1024),
  }),
)
