// Small trainings: the time of a step of `fit` on iris (4-16-3, batch 8), and how long 12 trainings of
// 256-32-5 take that are begun at once in one thread, in two workers and in two processes.
//   node scripts/bench/small.mjs [rounds]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { dataset, fit, Generator, iris, mlp, SGD, softmaxCrossEntropy } from '../../lib/index.js'

const TRAININGS = 12
const self = fileURLToPath(import.meta.url)

/** µs by the clock for a step of fit on iris, epochs included. */
async function stepOnIris(epochs) {
  const data = iris()
  const generator = new Generator(1)
  const model = mlp([4, 16, 3], { generator })
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const options = { loss: softmaxCrossEntropy, optimizer, batchSize: 8, seed: 1 }
  await fit(model, data, { ...options, epochs: 20 })
  const begin = performance.now()
  await fit(model, data, { ...options, epochs })
  return ((performance.now() - begin) * 1000) / (epochs * Math.ceil(data.size / 8))
}

function train(data, seed, epochs) {
  const model = mlp([256, 32, 5], { generator: new Generator(seed) })
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  return fit(model, data, { loss: softmaxCrossEntropy, optimizer, epochs, seed })
}

function makeData() {
  const generator = new Generator(1)
  const size = 4096
  const inputs = generator.normal([size, 256]).data()
  const targets = Int32Array.from({ length: size }, (_, i) => i % 5)
  return dataset({ inputs, inputShape: [256], targets })
}

/** Milliseconds for so many trainings at once in this thread. */
async function trainAtOnce(data, count, epochs = 60) {
  const begin = performance.now()
  await Promise.all(Array.from({ length: count }, (_, i) => train(data, i, epochs)))
  return performance.now() - begin
}

/** What several helpers take that are ready, and told to go at the same moment. */
async function together(helpers) {
  await Promise.all(helpers.map((helper) => once(helper, 'message')))
  const begin = performance.now()
  const over = Promise.all(helpers.map((helper) => once(helper, 'message')))
  for (const helper of helpers) (helper.send ?? helper.postMessage).call(helper, 'go')
  await over
  return performance.now() - begin
}

async function help(port, send) {
  const data = makeData()
  await trainAtOnce(data, 1, 2)
  send('ready')
  await once(port, 'message')
  await trainAtOnce(data, TRAININGS / 2)
  send('done')
  port.unref?.()
}

const twoWorkers = () => together([1, 2].map(() => new Worker(self, { workerData: 'help' })))
const twoProcesses = () =>
  together(
    [1, 2].map(() =>
      spawn(process.execPath, [self, 'help'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    ),
  )

async function main(rounds) {
  const data = makeData()
  await trainAtOnce(data, 2, 2)
  const measured = {
    'iris, µs a step': () => stepOnIris(500),
    '12 trainings in one thread, ms': () => trainAtOnce(data, TRAININGS),
    'in two workers, ms': twoWorkers,
    'in two processes, ms': twoProcesses,
  }
  const found = Object.keys(measured).map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, measure] of Object.values(measured).entries()) found[i].push(await measure())
  }
  for (const [i, name] of Object.keys(measured).entries()) {
    const sorted = found[i].sort((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)]
    console.log(`${name}: least ${sorted[0].toFixed(1)}, median ${median.toFixed(1)}`)
  }
}

if (!isMainThread && workerData === 'help') {
  await help(parentPort, (message) => parentPort.postMessage(message))
} else if (process.argv[2] === 'help') {
  await help(process, (message) => process.send(message))
  process.disconnect()
} else {
  await main(Number(process.argv[2] ?? 5))
}
