/**
 * Case R1: many small trainings at once, in one thread of JavaScript, or shared out to workers or to
 * processes.
 */
import {
  type Dataset,
  dataset,
  fit,
  Generator,
  mlp,
  SGD,
  softmaxCrossEntropy,
} from '../../index.js'
import type { RunsCase } from './cases.js'
import type { Measurement } from './fitting.js'
import { startProcess, startWorker } from './process.js'
import { type Job, SEED } from './protocol.js'

/** Rounds that last as long as the case's trainings do, side by side. */
async function rounds(c: RunsCase, trainAll: () => Promise<unknown>): Promise<Measurement> {
  await trainAll()
  const steps = c.trainings * c.epochs * Math.ceil(c.examples / c.batch)
  return async () => {
    const begin = performance.now()
    await trainAll()
    return { usPerStep: ((performance.now() - begin) * 1000) / steps }
  }
}

/** All of them in this thread. */
export function runs(c: RunsCase): Promise<Measurement> {
  const data = noise(c)
  return rounds(c, () =>
    Promise.all(Array.from({ length: c.trainings }, (_, seed) => train(c, data, seed))),
  )
}

/**
 * Shared out to as many workers, or processes of one thread each, as there are threads. Each of them is
 * a contestant by itself.
 */
export async function sharedRuns(job: Job, c: RunsCase): Promise<Measurement> {
  const { threads } = job
  const shares = Array.from({ length: threads }, (_, i) => {
    const share = { ...c, trainings: Math.floor((c.trainings + i) / threads) }
    const its = { ...job, contestant: 'neuroblas', case: share }
    return job.contestant === 'workers' ? startWorker(its) : startProcess({ ...its, threads: 1 })
  })
  await Promise.all(shares.map((share) => share.ready()))
  return rounds(c, () => Promise.all(shares.map((share) => share.round(0))))
}

async function train({ units, batch, epochs }: RunsCase, data: Dataset, seed: number) {
  const model = mlp(units, { generator: new Generator(seed) })
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer,
    batchSize: batch,
    epochs,
    seed,
  })
  optimizer.dispose()
  model.dispose()
}

function noise({ units, examples }: RunsCase): Dataset {
  const generator = new Generator(SEED)
  const [fanIn, classes] = [units[0], units.at(-1)!]
  const inputs = generator.uniform([examples, fanIn])
  const values = inputs.data()
  inputs.dispose()
  generator.dispose()
  return dataset({
    inputs: values,
    inputShape: [fanIn],
    targets: Int32Array.from({ length: examples }, (_, i) => i % classes),
    classes: Array.from({ length: classes }, (_, i) => `${i}`),
  })
}
