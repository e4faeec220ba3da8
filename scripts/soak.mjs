// A long training whose memory stays flat: steps of 784-128-10 one example at a time through fit,
// while captured functions of many shapes come and go, disposed of or forgotten.
//   node scripts/soak.mjs [steps]
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { makeNoise } from '../lib/apps/bench/files.js'
import {
  capture,
  dataset,
  fit,
  Generator,
  memory,
  mlp,
  noGrad,
  SGD,
  softmaxCrossEntropy,
} from '../lib/index.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
const STEPS = Number(process.argv[2] ?? 1e6)
const EXAMPLES = 10_000
const SHAPES = 20
// What the process may grow by after its first epoch: V8 still compiles and sizes its heap.
const RSS_LIMIT = 16 * 2 ** 20

const generator = new Generator(1)
const model = mlp([784, 128, 10], { generator })
const optimizer = new SGD(model.parameters(), { lr: 0.001, momentum: 0.5 })
const { images, labels } = makeNoise(EXAMPLES)
const data = dataset({ inputs: images, inputShape: [784], scale: 1 / 255, targets: labels })

/** New captured functions; every other one is only forgotten. */
async function comeAndGo() {
  for (let i = 0; i < SHAPES; i++) {
    // The same shapes in every epoch: memory of new ones would be kept for reuse, up to a limit.
    const rows = 1 + 49 * i
    const infer = capture((x) => noGrad(() => model.forward(x).mul(2).tanh()))
    const x = generator.normal([rows, 784])
    if (!(await infer.run(x)).data().every(Number.isFinite)) throw new Error('soak: not finite')
    x.dispose()
    if (i % 2 === 0) infer.dispose()
  }
}

async function settle() {
  for (let i = 0; i < 3; i++) {
    gc()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const { live, pooled, buffers } = memory()
  return { live, buffers, pooled, rss: process.memoryUsage().rss }
}

const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(2)} MiB`
const show = (what, { live, pooled, buffers, rss }) =>
  console.log(
    `${what}: live ${mib(live)} in ${buffers} buffers, pooled ${mib(pooled)}, rss ${mib(rss)}`,
  )

const epochs = Math.ceil(STEPS / EXAMPLES)
const points = []
const begin = performance.now()
await fit(model, data, {
  loss: softmaxCrossEntropy,
  optimizer,
  epochs,
  batchSize: 1,
  onEpoch: async ({ epoch }) => {
    await comeAndGo()
    points.push(await settle())
    if (epoch === 1 || epoch % 10 === 0 || epoch === epochs) show(`epoch ${epoch}`, points.at(-1))
  },
})
const seconds = (performance.now() - begin) / 1000
console.log(`${optimizer.steps} steps in ${seconds.toFixed(1)} s`)

const [first, last] = [points[0], points.at(-1)]
const most = Math.max(...points.map(({ rss }) => rss))
const wrong = [
  optimizer.steps !== epochs * EXAMPLES && `${optimizer.steps} steps were counted`,
  last.live !== first.live && `live memory went from ${first.live} to ${last.live}`,
  last.buffers !== first.buffers && `buffers went from ${first.buffers} to ${last.buffers}`,
  most > first.rss + RSS_LIMIT && `rss went from ${mib(first.rss)} to ${mib(most)}`,
].filter(Boolean)
for (const line of wrong) console.error(`soak: ${line}`)
process.exitCode = wrong.length > 0 ? 1 : 0
