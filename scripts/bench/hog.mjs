// A busy neighbour: another process keeps one processor busy while captured steps are computed with
// one thread and with two. No network's steps may take more than 15 % longer with two.
//   node scripts/bench/hog.mjs [rounds]
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import {
  capture,
  Generator,
  mlp,
  SGD,
  setNumThreads,
  softmaxCrossEntropy,
  tensor,
} from '../../lib/index.js'

const LIMIT = 1.15
const MILLISECONDS = 400
const rounds = Number(process.argv[2] ?? 7)

/** Takes steps for a while; µs per step. */
function training(units, batch) {
  const generator = new Generator(1)
  const model = mlp(units, { generator })
  const optimizer = new SGD(model.parameters(), { lr: 0.01 })
  const step = capture((x, labels) => {
    const risk = softmaxCrossEntropy(model.forward(x), labels)
    risk.backward()
    optimizer.step()
    optimizer.zeroGrad()
    return risk
  })
  const x = generator.normal([batch, units[0]])
  const labels = tensor(new Int32Array(batch))
  return async () => {
    const begin = performance.now()
    let steps = 0
    for (; performance.now() - begin < MILLISECONDS; steps++) await step.run(x, labels)
    return ((performance.now() - begin) * 1000) / steps
  }
}

const networks = {
  P2: training([784, 128, 10], 32),
  P3: training([784, 128, 10], 128),
  P4: training([784, 1024, 1024, 10], 128),
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

async function measure() {
  const times = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(networks)) {
      times[name] ??= { 1: [], 2: [] }
      for (const threads of [1, 2]) {
        setNumThreads(threads)
        times[name][threads].push(await run())
      }
    }
  }
  return Object.fromEntries(
    Object.entries(times).map(([name, of]) => [name, [median(of[1]), median(of[2])]]),
  )
}

if (availableParallelism() < 2) throw new Error('hog: expected two processors or more')
let isSlower = false
for (const hogs of [0, 1]) {
  const hog = hogs && spawn('taskset', ['-c', '0', process.execPath, '-e', 'for (;;);'])
  const times = await measure()
  hog?.kill?.()
  for (const [name, [one, two]] of Object.entries(times)) {
    const ratio = two / one
    if (hogs > 0 && ratio > LIMIT) isSlower = true
    console.log(
      `${hogs} busy neighbours, ${name}: ${one.toFixed(0)} µs on 1 thread, ${two.toFixed(0)} on 2, ratio ${ratio.toFixed(2)}`,
    )
  }
}
if (isSlower) {
  console.error(`hog: expected at most ${LIMIT} times the time of one thread`)
  process.exit(1)
}
