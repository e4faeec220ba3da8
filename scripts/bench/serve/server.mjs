// A server for run.mjs, in a process of its own: it sends its port, and what /metrics says when it is asked.
//   server.mjs parse | take | predict FILE | train
import { createServer } from 'node:http'
import { makeNoise } from '../../../lib/apps/bench/files.js'
import {
  dataset,
  fit,
  mlp,
  SGD,
  setNumThreads,
  setSeed,
  softmaxCrossEntropy,
} from '../../../lib/index.js'
import { serve } from '../../../lib/serve/index.js'

const [kind, file] = process.argv.slice(2)
setNumThreads(1)

/** What any server does with such a body. */
function bare(use) {
  const server = createServer((request, response) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      use(Buffer.concat(parts))
      response.setHeader('Content-Type', 'application/json')
      response.end('{}')
    })
  })
  server.listen(0, '127.0.0.1', () => started(server.address().port))
}

function started(port, metrics = () => '') {
  process.on('message', () => process.send({ metrics: metrics() }))
  process.send({ port })
}

async function train() {
  setSeed(1)
  const model = mlp([784, 128, 10])
  const server = await serve(model, { port: 0 })
  started(new URL(server.url).port, server.metrics)
  const { images, labels } = makeNoise()
  const data = dataset({ inputs: images, inputShape: [784], scale: 1 / 255, targets: labels })
  await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(model.parameters(), { lr: 0.01 }),
    epochs: Number.MAX_SAFE_INTEGER,
    batchSize: 128,
    onEpoch: () => server.publish(model),
  })
}

if (kind === 'parse') bare((body) => JSON.parse(body.toString()))
else if (kind === 'take') bare(() => {})
else if (kind === 'train') await train()
else {
  const server = await serve(file, { port: 0 })
  started(new URL(server.url).port, server.metrics)
}
