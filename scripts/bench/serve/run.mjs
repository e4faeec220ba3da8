// The server under load: 64 connections ask 784-128-10 on one compute thread, one row each, while the client
// has the other core. Beside it, servers of node:http that do nothing with the same bodies; the cases take turns.
//   npm run bench:serve -- [--seconds 5] [--rounds 3]
//   npm run bench:serve -- --requests 1000000   whether any is lost, while a newer file comes every second
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { makeNoise } from '../../../lib/apps/bench/files.js'
import { mlp, saveClassifier, setSeed } from '../../../lib/index.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    requests: { type: 'string' },
  },
})
const CONNECTIONS = 64
const folder = mkdtempSync(join(tmpdir(), 'neuroblas-bench-'))
const file = join(folder, 'model.safetensors')

function save() {
  const model = mlp([784, 128, 10])
  saveClassifier(
    model,
    file,
    { units: [784, 128, 10], activation: 'relu' },
    {
      dataset: 'noise',
      seed: 1,
      classes: [...'0123456789'],
      preprocessing: { mean: [0], scale: [1] },
      loss: 'cross-entropy',
      testAccuracy: 0,
    },
  )
  model.dispose()
}

/** A picture as large as those of MNIST, with as many black pixels. */
const pixels = Float32Array.from(makeNoise(1).images, (byte) => byte / 255)
const json = {
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ inputs: Array.from(pixels, (x) => Number(x.toFixed(4))) }),
}
const floats = {
  headers: { 'content-type': 'application/octet-stream' },
  body: Buffer.from(pixels.buffer),
}

const PARSES = 'node:http, JSON.parse and {}'
const JSON_CASE = 'JSON'
const cases = {
  [PARSES]: { server: ['parse'], request: json },
  [JSON_CASE]: { server: ['predict', file], request: json },
  'node:http, {}, the same bytes': { server: ['take'], request: floats },
  float32: { server: ['predict', file], request: floats },
  'JSON, training in the same process': { server: ['train'], request: json },
}

async function measured({ server, request }, how, during = () => {}) {
  const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), server)
  try {
    const [{ port }] = await once(child, 'message')
    const url = `http://127.0.0.1:${port}/predict`
    const asked = { url, method: 'POST', connections: CONNECTIONS, ...request }
    await autocannon({ ...asked, duration: 1 })
    const timer = setInterval(during, 1000)
    const found = await autocannon({ ...asked, ...how })
    clearInterval(timer)
    child.send('metrics')
    const [{ metrics }] = await once(child, 'message')
    return { ...found, metrics, lost: found.errors + found.timeouts + found.non2xx }
  } finally {
    child.kill()
  }
}

const perSecond = ({ requests, duration }) => requests.total / duration
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]

async function compare() {
  const found = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, one] of Object.entries(cases)) {
      found[name].push(await measured(one, { duration: Number(values.seconds) }))
    }
  }
  console.log(`bytes of a body: JSON ${json.body.length}, float32 ${floats.body.length}`)
  console.log('| case | requests/s of each round | median | p50, p99, longest ms | lost |')
  console.log('|---|---|---|---|---|')
  for (const [name, rounds] of Object.entries(found)) {
    const rates = rounds.map(perSecond)
    const latency = (of) => median(rounds.map(({ latency }) => latency[of]))
    const lost = rounds.reduce((sum, { lost }) => sum + lost, 0)
    const whole = (rate) => Math.round(rate).toLocaleString('en-US')
    console.log(
      `| ${name} | ${rates.map(whole).join('; ')} | ${whole(median(rates))} | ${latency('p50')}, ${latency('p99')}, ${latency('max')} | ${lost} |`,
    )
  }
  const ratios = found[JSON_CASE].map((one, i) => perSecond(one) / perSecond(found[PARSES][i]))
  console.log(`JSON, of the server that only parses: ${median(ratios).toFixed(2)}`)
}

async function soak(amount) {
  const found = await measured(cases.float32, { amount }, save)
  const reloads = /reloads_total\{result="ok"\} (\d+)/.exec(found.metrics)[1]
  console.log(
    `${found.requests.total} requests, ${reloads} reloads, ${found.lost} lost; p99 ${found.latency.p99} ms`,
  )
  if (found.lost > 0 || found.requests.total < amount) process.exitCode = 1
}

try {
  setSeed(1)
  save()
  if (values.requests === undefined) await compare()
  else await soak(Number(values.requests))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
