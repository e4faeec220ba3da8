// A server that trains: an HTTP server in the process of a training of 784-1024-1024-10 (batch 128)
// answers 1,000 requests a second, sent from another process, 99 of 100 within 10 ms.
//   node scripts/bench/http.mjs [seconds]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, get } from 'node:http'
import { fileURLToPath } from 'node:url'
import { makeNoise } from '../../lib/apps/bench/files.js'
import { dataset, fit, getNumThreads, mlp, SGD, softmaxCrossEntropy } from '../../lib/index.js'

const LIMIT = 10
const PER_SECOND = 1000

/** Sends requests at an even rate, whether or not answers come; prints the times they took. */
async function client(port, seconds) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const times = []
  const pending = []
  const begin = performance.now()
  for (let sent = 0; sent < seconds * PER_SECOND; ) {
    const due = ((performance.now() - begin) * PER_SECOND) / 1000
    for (; sent < due && sent < seconds * PER_SECOND; sent++) {
      // From when it should have been sent, so that a pause counts for all that it held up.
      const at = begin + (sent * 1000) / PER_SECOND
      pending.push(
        new Promise((resolve, reject) => {
          get({ port, agent }, (answer) => {
            answer.resume().on('end', () => resolve(times.push(performance.now() - at)))
          }).on('error', reject)
        }),
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(pending)
  agent.destroy()
  console.log(JSON.stringify({ times, seconds: (performance.now() - begin) / 1000 }))
}

async function askFor(port, seconds) {
  const self = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, [self, 'client', port, seconds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  const { times, seconds: taken } = JSON.parse(text)
  times.sort((a, b) => a - b)
  const quantile = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))]
  return { perSecond: times.length / taken, quantile }
}

function report(what, { perSecond, quantile }) {
  const shares = [0.5, 0.99, 0.999, 1].map((share) => quantile(share).toFixed(2))
  console.log(
    `${what}: ${perSecond.toFixed(0)} requests/s; ms: median ${shares[0]}, p99 ${shares[1]}, p99.9 ${shares[2]}, longest ${shares[3]}`,
  )
}

async function main(seconds) {
  const server = createServer((_, answer) => answer.end('ok')).listen(0)
  await once(server, 'listening')
  const { port } = server.address()
  const { images, labels } = makeNoise()
  const data = dataset({ inputs: images, inputShape: [784], scale: 1 / 255, targets: labels })
  const model = mlp([784, 1024, 1024, 10])
  const optimizer = new SGD(model.parameters(), { lr: 0.01 })
  report('idle', await askFor(port, 2))
  const stop = new AbortController()
  let steps = 0
  let begin
  const training = fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer,
    epochs: Number.MAX_SAFE_INTEGER,
    batchSize: 128,
    validation: 0.2,
    signal: stop.signal,
    onStep: () => {
      begin ??= performance.now()
      steps++
    },
  })
  const found = await askFor(port, seconds)
  stop.abort()
  await training
  report(`training on ${getNumThreads()} threads`, found)
  console.log(`µs per step, validation included: ${((performance.now() - begin) * 1000) / steps}`)
  server.close()
  if (found.quantile(0.99) < LIMIT) return
  console.error(`http: expected a p99 below ${LIMIT} ms`)
  process.exitCode = 1
}

const [first, ...rest] = process.argv.slice(2)
await (first === 'client' ? client(...rest.map(Number)) : main(Number(first ?? 10)))
