/** Cases E2, M1 and F1: how late a timer is, how much memory is used, and how long `fit` takes. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type Dataset,
  fit,
  Generator,
  iris,
  memory,
  mlp,
  SGD,
  softmaxCrossEntropy,
  subset,
} from '../../index.js'
import {
  type FitCase,
  type MemoryCase,
  optimizers,
  type PauseCase,
  type TrainingCase,
} from './cases.js'
import { type Job, type Round, SEED } from './protocol.js'
import { loadClassifier, readData } from './training.js'

/** What a round of one of these cases does. */
export type Measurement = (seconds: number) => Promise<Round>

function start(job: Job, c: TrainingCase) {
  const model = loadClassifier(c.units, job.files)
  const optimizer = optimizers[c.optimizer](model.parameters(), c)
  return {
    model,
    settings: { loss: softmaxCrossEntropy, optimizer, batchSize: c.batch, seed: SEED },
  }
}

/** What `fit` is doing: before its first step, then steps, then validation and steps in turns. */
type Phase = 'start' | 'steps' | 'validation'

/** Share of the examples that epochs are validated on; a large one, for there is a pause to find. */
const VALIDATION = 0.5

/**
 * How late a timer of 1 ms was at worst: before the first step, when the data is copied and the step
 * captured, while steps are taken, and between epochs, when the model is validated and kept.
 */
export function pauses(job: Job, c: PauseCase): Measurement {
  const data = readData(job.files.data)
  const { model, settings } = start(job, c.training)
  return async (seconds) => {
    const controller = new AbortController()
    const latest: Record<Phase, number> = { start: 0, steps: 0, validation: 0 }
    let phase: Phase = 'start'
    let last = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      latest[phase] = Math.max(latest[phase], now - last - 1)
      last = now
    }, 1)
    let [steps, milliseconds] = [0, 0]
    try {
      await fit(model, data, {
        ...settings,
        epochs: Number.MAX_SAFE_INTEGER,
        validation: VALIDATION,
        keepBest: true,
        signal: controller.signal,
        onStep: ({ step, stepsPerEpoch }) => {
          steps++
          phase = step === stepsPerEpoch ? 'validation' : 'steps'
        },
        onEpoch: ({ examples, examplesPerSecond }) => {
          milliseconds += (1000 * examples) / examplesPerSecond
          if (milliseconds > 1000 * seconds) controller.abort()
        },
      })
    } finally {
      clearInterval(timer)
    }
    return {
      usPerStep: (milliseconds * 1000) / steps,
      figures: {
        longestPauseMs: latest.steps,
        longestPauseAtStartMs: latest.start,
        longestPauseInValidationMs: latest.validation,
      },
    }
  }
}

/** Bytes in use after a garbage collection, so that only what is really kept counts. */
function bytesNow() {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { live, pooled } = memory()
  return { live, pooled, rss: process.memoryUsage().rss }
}

/** At least this many epochs, so that there is an end to compare the first one with. */
const EPOCHS = 10

/** Takes the case's steps, however long that is. */
export function memoryOver(job: Job, { training, steps }: MemoryCase): Measurement {
  const data = readData(job.files.data)
  const { model, settings } = start(job, training)
  const perEpoch = Math.max(1, Math.floor(steps / EPOCHS)) * training.batch
  const examples: Dataset =
    perEpoch < data.size
      ? subset(
          data,
          Array.from({ length: perEpoch }, (_, i) => i),
        )
      : data
  return async () => {
    const stepsPerEpoch = Math.ceil(examples.size / training.batch)
    const epochs = Math.ceil(steps / stepsPerEpoch)
    const points: ReturnType<typeof bytesNow>[] = []
    const begin = performance.now()
    await fit(model, examples, {
      ...settings,
      epochs,
      onEpoch: ({ epoch }) => {
        if (epoch === 1 || epoch === epochs) points.push(bytesNow())
      },
    })
    const [first, last] = [points[0], points.at(-1)!]
    return {
      usPerStep: ((performance.now() - begin) * 1000) / (epochs * stepsPerEpoch),
      figures: {
        liveAfterFirstEpoch: first.live,
        liveAtEnd: last.live,
        pooledAfterFirstEpoch: first.pooled,
        pooledAtEnd: last.pooled,
        rssAfterFirstEpoch: first.rss,
        rssAtEnd: last.rss,
      },
    }
  }
}

/** Epochs of the first call, by which the others are sized. */
const FIRST_EPOCHS = 50

/** One call of `fit`, as long as was asked for, with all that it does before, between and after epochs. */
export async function fits({ units, batch }: FitCase): Promise<Measurement> {
  const data = iris()
  const stepsPerEpoch = Math.ceil(data.size / batch)
  const model = mlp(units, { generator: new Generator(SEED) })
  const optimizer = new SGD(model.parameters(), { lr: 0.01 })
  const round = async (epochs: number): Promise<Round> => {
    const begin = performance.now()
    await fit(model, data, {
      loss: softmaxCrossEntropy,
      optimizer,
      batchSize: batch,
      seed: SEED,
      epochs,
    })
    return { usPerStep: ((performance.now() - begin) * 1000) / (epochs * stepsPerEpoch) }
  }
  const { usPerStep } = await round(FIRST_EPOCHS)
  return (seconds) => round(Math.ceil((seconds * 1e6) / (usPerStep * stepsPerEpoch)))
}
