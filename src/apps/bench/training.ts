/**
 * The library itself as a contestant: a training loop as a user writes it, on the backend that
 * `NEUROBLAS_BACKEND` names.
 */

import { readFileSync } from 'node:fs'
import {
  DataLoader,
  type Dataset,
  dataset,
  evaluate,
  Generator,
  loadModel,
  mlp,
  type Sequential,
  SGD,
  softmaxCrossEntropy,
  subset,
  type Tensor,
} from '../../index.js'
import { decodeSafetensors, TrainingStep } from '../../internal.js'
import { type LearningCase, optimizers } from './cases.js'
import type { TimedRun } from './measure.js'
import { imageNetwork } from './networks.js'
import { type Files, type Job, SEED } from './protocol.js'

/** @param inputShape of one example; its pixels in a row by default */
export function readData(path: string, inputShape?: readonly number[]): Dataset {
  const { tensors } = decodeSafetensors(readFileSync(path), path)
  const images = tensors.get('images')!
  return dataset({
    inputs: images.data as Uint8Array,
    inputShape: inputShape ?? images.shape.slice(1),
    scale: 1 / 255,
    targets: tensors.get('labels')!.data as Int32Array,
    classes: Array.from({ length: 10 }, (_, digit) => `${digit}`),
  })
}

/** The network that every contestant starts from. */
export function loadClassifier(
  units: readonly number[],
  { weights }: Pick<Files, 'weights'>,
): Sequential {
  const model = mlp(units)
  loadModel(model, weights)
  return model
}

function startOf(c: LearningCase, { data, weights }: Files) {
  if (c.kind === 'training') {
    const model = loadClassifier(c.units, { weights })
    return {
      data: readData(data),
      model,
      optimizer: optimizers[c.optimizer](model.parameters(), c),
    }
  }
  const model = imageNetwork(c.layers, c.image, new Generator(SEED))
  loadModel(model, weights)
  const optimizer = new SGD(model.parameters(), { lr: c.lr })
  return { data: readData(data, c.image), model, optimizer }
}

/** Takes the first 100 steps; returns the losses on the way and what times the steps that follow. */
export async function startTraining(
  { files, checkedSteps, checkedExamples }: Job,
  c: LearningCase,
): Promise<{ losses: number[]; run: TimedRun }> {
  const { data, model, optimizer } = startOf(c, files)
  const loader = new DataLoader(data, {
    batchSize: c.batch,
    shuffle: true,
    dropLast: true,
    seed: SEED,
  })
  const steps = new TrainingStep(model, loader, { loss: softmaxCrossEntropy, optimizer })
  model.train()
  const train = trainer(loader, steps)
  const checked = subset(
    data,
    Array.from({ length: checkedExamples }, (_, row) => row),
  )
  const losses: number[] = []
  for (const [i, steps] of checkedSteps.entries()) {
    await train(steps - (checkedSteps[i - 1] ?? 0))
    const { loss } = await evaluate(model, checked, { loss: softmaxCrossEntropy })
    losses.push(loss)
    model.train()
  }
  return {
    losses,
    run: async (count) => {
      const begin = performance.now()
      await train(count)
      return (performance.now() - begin) / 1000
    },
  }
}

/** Takes so many steps, as `fit` does, over epochs without end. */
function trainer(loader: DataLoader, steps: TrainingStep): (count: number) => Promise<void> {
  let order: Tensor<'int32'> | undefined
  let taken = loader.length
  return async (count) => {
    while (count > 0) {
      if (taken === loader.length) {
        order?.dispose()
        order = loader.order()
        taken = 0
      }
      const dispatched = Math.min(count, loader.length - taken, 4096)
      const { batchSize } = loader
      await steps.run([{ order: order!, start: taken * batchSize, steps: dispatched, batchSize }])
      taken += dispatched
      count -= dispatched
    }
  }
}
