/**
 * The library itself as a contestant: a training loop as a user writes it, on the backend that
 * `NEUROBLAS_BACKEND` names.
 */
import { readFileSync } from 'node:fs'
import { type Dataset, dataset, subset } from '../data/dataset.js'
import { type Batch, DataLoader } from '../data/loader.js'
import { evaluate } from '../evaluate.js'
import { loadModel } from '../io/model.js'
import { decodeSafetensors } from '../io/safetensors.js'
import { softmaxCrossEntropy } from '../losses.js'
import { mlp } from '../nn/sequential.js'
import { scope } from '../scope.js'
import { optimizers, type TrainingCase } from './cases.js'
import { type TimedRun, timed } from './measure.js'
import { CHECKED_EXAMPLES, CHECKED_STEPS, filesOf, type Job, SEED } from './protocol.js'

function readData(path: string): Dataset {
  const { tensors } = decodeSafetensors(readFileSync(path), path)
  return dataset({
    inputs: tensors.get('images')!.data as Uint8Array,
    inputShape: [784],
    scale: 1 / 255,
    targets: tensors.get('labels')!.data as Int32Array,
    classes: Array.from({ length: 10 }, (_, digit) => `${digit}`),
  })
}

/** Batches without end, in the order of the file that `files.ts` writes. */
function* batchesOf(data: Dataset, batchSize: number): Generator<Batch, never> {
  const loader = new DataLoader(data, { batchSize, shuffle: true, dropLast: true, seed: SEED })
  for (;;) yield* loader
}

/** Takes the first 100 steps; returns the loss after them and what times the steps that follow. */
export function startTraining(job: Job, c: TrainingCase): { lossAfter100: number; run: TimedRun } {
  const files = filesOf(job)
  const data = readData(files.data)
  const model = mlp(c.units)
  loadModel(model, files.weights)
  const optimizer = optimizers[c.optimizer]!(model.parameters(), c)
  const batches = batchesOf(data, c.batch)
  const step = () => {
    const { inputs, targets } = batches.next().value
    return scope(() => {
      const risk = softmaxCrossEntropy(model.forward(inputs), targets)
      optimizer.zeroGrad()
      risk.backward()
      optimizer.step()
      return risk.item()
    })
  }
  for (let i = 0; i < CHECKED_STEPS; i++) step()
  const checked = subset(
    data,
    Array.from({ length: CHECKED_EXAMPLES }, (_, row) => row),
  )
  const { risk } = evaluate(model, checked, { loss: softmaxCrossEntropy })
  model.train()
  return { lossAfter100: risk, run: timed(step) }
}
