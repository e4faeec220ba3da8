// The benchmark's side of a JavaScript contestant; src/apps/bench/protocol.ts says what is exchanged.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { measure, timed } from '../../../lib/apps/bench/measure.js'
import { decodeSafetensors } from '../../../lib/io/safetensors.js'

/** Seconds for the checked steps; whoever needs longer is measured before they are all taken. */
const PATIENCE = 60

const say = (line) => console.log(JSON.stringify(line))

const read = (path) => decodeSafetensors(readFileSync(path), path).tensors

/** Pixels from 0 to 1 [n, 784] and labels [n]. */
export function readImages({ files }) {
  const data = read(files.data)
  const pixels = Float32Array.from(data.get('images').data, (byte) => byte / 255)
  return { pixels, labels: data.get('labels').data }
}

/** Initial weights [fanIn, fanOut] and bias of each layer. */
export function readLayers(job) {
  const data = read(job.files.weights)
  return job.case.units.slice(1).map((_, i) => ({
    weight: data.get(`layers.${2 * i}.weight`),
    bias: data.get(`layers.${2 * i}.bias`),
  }))
}

/** Initial weights by their names, such as `layers.0.weight`. */
export const readWeights = ({ files }) => read(files.weights)

/** A function that returns the examples of the next batch, over and over. */
export function readBatches(job) {
  const order = read(job.files.order).get('order').data
  let next = 0
  return () => {
    const rows = order.subarray(next, next + job.case.batch)
    next = (next + job.case.batch) % order.length
    return rows
  }
}

/** Takes the checked steps; the losses after them, as far as it gets in time. */
export function check(job, step, loss) {
  const begin = performance.now()
  const losses = []
  let done = 0
  for (const steps of job.checkedSteps) {
    for (; done < steps; done++) {
      if (performance.now() - begin > 1000 * PATIENCE) {
        return { losses, note: `${done} of 100 steps took ${PATIENCE} s: no more losses compared` }
      }
      step()
    }
    losses.push(loss())
  }
  return { losses }
}

/** `start(job)` resolves to what the first line says and the function that takes a step, or times some. */
export async function main(start) {
  try {
    const { ready, step, run = timed(step) } = await start(JSON.parse(process.argv.at(-1)))
    say(ready)
    for await (const line of createInterface({ input: process.stdin })) {
      say(await measure(run, Number(line)))
    }
  } catch (error) {
    if (!/MODULE_NOT_FOUND$/.test(error.code)) throw error
    say({
      unavailable: 'its packages are not installed: node scripts/bench/peers/setup.mjs',
    })
  }
}
