// What functions in processes and workers of their own are given beside the library; plain
// JavaScript, because TypeScript is not loaded there.
import { Worker } from 'node:worker_threads'
import * as nb from '../../lib/index.js'

/** A training of random examples that goes on for `epochs` of 64 steps; its model and its promise. */
export function training(seed, { units = [64, 96, 10], epochs = 3, ...options } = {}) {
  const generator = new nb.Generator(seed)
  const size = 64 * 32
  const data = nb.dataset({
    inputs: generator.normal([size, units[0]]).data(),
    inputShape: [units[0]],
    targets: Int32Array.from({ length: size }, (_, i) => (i * 7) % units.at(-1)),
  })
  const model = nb.mlp(units, { generator })
  const optimizer = new nb.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 })
  const settings = { loss: nb.softmaxCrossEntropy, optimizer, epochs, seed, ...options }
  return { model, done: nb.fit(model, data, settings) }
}

/** The weights that a training ends with, as text. */
export async function trained(seed, options) {
  const { model, done } = training(seed, options)
  await done
  return model
    .parameters()
    .map((w) => Buffer.from(w.data().buffer).toString('base64'))
    .join()
}

/** fn(nb, tools, ...args) in a worker; what it returns is posted. */
export function startWorker(fn, ...args) {
  const text = `
    import { parentPort } from 'node:worker_threads'
    import * as nb from '${new URL('../../lib/index.js', import.meta.url)}'
    import * as tools from '${import.meta.url}'
    parentPort.postMessage(await (${fn})(nb, tools, ...${JSON.stringify(args)}))`
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`))
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
