// brain.js: its own update of one example after the other. It has neither batches nor softmax.
import { main, readBatches, readImages } from './peer.mjs'

await main(async (job) => {
  const { default: brain } = await import('brain.js')
  const { units, lr } = job.case
  const net = new brain.NeuralNetwork({
    hiddenLayers: units.slice(1, -1),
    activation: 'relu',
    learningRate: lr,
  })
  net.sizes = [...units]
  net.initialize()
  const { pixels, labels } = readImages(job)
  const examples = Array.from({ length: Math.min(labels.length, 10_000) }, (_, i) => ({
    input: pixels.subarray(i * units[0], (i + 1) * units[0]),
    output: Float32Array.from({ length: 10 }, (_, digit) => Number(digit === labels[i])),
  }))
  const next = readBatches(job)
  const step = () => {
    const { input, output } = examples[next()[0] % examples.length]
    net.trainPattern({ input, output })
  }
  const note = 'its own initial weights, mean squared error, momentum 0.1: loss not compared'
  for (let i = 0; i < job.checkedSteps.at(-1); i++) step()
  return { ready: { version: 'brain.js 1.6.1', note }, step }
})
