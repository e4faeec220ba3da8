/** Several epochs in one dispatch: the same bits, reports and errors as one by one, and still to be stopped. */
import t, { type Test } from 'tap'
import { loadAddon } from '../../lib/backend/native/addon.js'
import {
  Adam,
  DivergenceError,
  Dropout,
  dataset,
  type FitOptions,
  fit,
  Generator,
  Linear,
  l1,
  l2,
  Monitor,
  memory,
  type Optimizer,
  ReLU,
  Sequential,
  SGD,
  type StepReport,
  setBackend,
  softmaxCrossEntropy,
  type Tensor,
  type TrainingHistory,
} from '../../lib/index.js'
import { Pace } from '../../lib/training/pace.js'
import { batch, identical, onBothBackendsLater, settledMemory } from '../support/engine.js'

// Epochs of two full batches and a rest.
const [SIZE, BATCH, STEPS] = [20, 8, 3]
const EPOCHS = 40

const lr = (step: number) => 0.1 / (1 + step / 10)

type Make = (parameters: Tensor[]) => Optimizer
const plain: Make = (parameters) => new SGD(parameters, { lr })

interface Trained {
  history: TrainingHistory
  steps: StepReport[]
  weights: Float32Array
}

/**
 * Trains a network whose steps draw random numbers. With `isAlone`, somebody waits for each epoch, so
 * that each is dispatched by itself.
 */
async function train(
  isAlone: boolean,
  options: Partial<FitOptions<'labels'>> = {},
  make = plain,
): Promise<Trained> {
  const [x, labels] = batch(7, [SIZE, 4, 3])
  const data = dataset({ inputs: x.data(), inputShape: [4], targets: labels.data() })
  const generator = new Generator(1)
  const model = new Sequential(
    new Linear(4, 8, { generator }),
    new ReLU(),
    new Dropout(0.5, generator),
    new Linear(8, 3, { generator }),
  )
  const steps: StepReport[] = []
  const history = await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer: make(model.parameters()),
    epochs: EPOCHS,
    batchSize: BATCH,
    seed: 3,
    onStep: (report: StepReport) => {
      steps.push(report)
    },
    ...(isAlone && { onEpoch: () => {} }),
    ...options,
  })
  const weights = Float32Array.from(model.parameters().flatMap((w) => [...w.data()]))
  return { history, steps, weights }
}

/** Reports without times. */
const figures = ({ history: { epochs, ...rest } }: Trained) => ({
  ...rest,
  epochs: epochs.map(({ seconds: _, examplesPerSecond: __, ...report }) => report),
})

function same(t: Test, found: Trained, wanted: Trained): void {
  identical(t, found.weights, wanted.weights, 'weights')
  t.strictSame(figures(found), figures(wanted))
  t.strictSame(found.steps, wanted.steps)
}

/** How many runs are handed to the compute threads meanwhile. */
async function dispatches(fn: () => Promise<unknown>): Promise<number> {
  const addon = loadAddon()
  const { startPrograms } = addon
  let count = 0
  addon.startPrograms = (...args) => {
    count++
    return startPrograms(...args)
  }
  try {
    await fn()
  } finally {
    addon.startPrograms = startPrograms
  }
  return count
}

t.test('how many steps go together', async (t) => {
  const pace = new Pace()
  t.equal(pace.steps, 1)
  const noted = (steps: number, milliseconds: number) => {
    pace.note(steps, milliseconds)
    return pace.steps
  }
  t.equal(noted(1, 0.1), 2, 'twice as many')
  t.equal(noted(2, 0.1), 4)
  t.equal(noted(1, 100), 4, 'one that was cut short says little')
  t.equal(noted(3, 0.1), 6, 'one that was nearly whole')
  t.equal(noted(6, 30), 10, 'as many as take 50 ms')
  t.equal(noted(10, 200), 3)
  t.equal(noted(3, 1000), 1, 'never less than one')
  for (let i = 0; i < 20; i++) noted(pace.steps, 0.1)
  t.equal(pace.steps, 4096)
})

t.test('several epochs in one dispatch', async (t) => {
  setBackend('native')
  const epochs = 400
  const together = await dispatches(() => train(false, { epochs }))
  t.ok(together < epochs, `${together} dispatches`)
  const alone = await dispatches(() => train(true, { epochs }))
  t.ok(alone >= epochs, `${alone} dispatches, the full batches and the rest of an epoch in one`)
})

onBothBackendsLater('the same bits and reports', async (t) => {
  const makes: Make[] = [
    plain,
    (parameters) => new SGD(parameters, { lr, momentum: 0.9 }),
    (parameters) => new Adam(parameters, { lr: 0.01 }),
    (parameters) => new SGD(parameters, { lr, regularizer: [l2(0.01), l1(0.001)] }),
  ]
  for (const make of makes) {
    const [found, wanted] = [await train(false, {}, make), await train(true, {}, make)]
    same(t, found, wanted)
    t.equal(found.history.epochs.length, EPOCHS)
    t.equal(found.steps.length, EPOCHS * STEPS)
    t.ok(found.history.epochs.every(({ seconds }) => seconds > 0))
  }
  // In the data's own order, too, and in batches without a rest.
  for (const options of [{ shuffle: false }, { batchSize: 10 }, { batchSize: 64 }]) {
    same(t, await train(false, options), await train(true, options))
  }
})

onBothBackendsLater('the learning rates of a schedule', async (t) => {
  const { history } = await train(false)
  const rates = history.epochs.map((report) => report.lr)
  t.strictSame(
    rates,
    rates.map((_, i) => lr(STEPS * (i + 1))),
  )
})

onBothBackendsLater('a monitor samples the same steps', async (t) => {
  const [monitor, wanted] = [new Monitor({ every: 7 }), new Monitor({ every: 7 })]
  same(t, await train(false, { monitor }), await train(true, { monitor: wanted }))
  t.equal(new Set(monitor.records.map(({ step }) => step)).size, Math.ceil((EPOCHS * STEPS) / 7))
  t.strictSame(monitor.records, wanted.records)
})

onBothBackendsLater('a divergence is told of as one by one', async (t) => {
  const make: Make = (parameters) => new SGD(parameters, { lr: (step) => (step < 31 ? 0.1 : 1e30) })
  const messages: string[] = []
  for (const isAlone of [false, true]) {
    await train(isAlone, {}, make).catch((error) => {
      t.ok(error instanceof DivergenceError, error.message)
      messages.push(error.message)
    })
  }
  t.match(messages[0], /^fit: the loss became .* in epoch 11, step 3 .* \(it was 0\.1\)/)
  // Which weights are not finite is told of the weights at the end of the dispatch.
  const [found, wanted] = messages.map((message) => message.replace(/ \((NaN|all).*?\)/, ''))
  t.equal(found, wanted)
})

onBothBackendsLater('aborted', async (t) => {
  const controller = new AbortController()
  const { history } = await train(false, {
    epochs: Number.MAX_SAFE_INTEGER,
    signal: controller.signal,
    onStep: ({ epoch }) => {
      if (epoch === 9) controller.abort()
    },
  })
  t.equal(history.ended, 'aborted')
  const { epochs } = history
  t.ok(epochs.length >= 9, `${epochs.length} epochs`)
  t.ok(epochs.slice(0, -1).every(({ examples }) => examples === SIZE))
})

onBothBackendsLater('the memory comes back', async (t) => {
  const fail = () => {
    throw new RangeError('own')
  }
  const round = async () => {
    await train(false)
    await train(false, { onStep: fail }).catch(() => {})
  }
  await round()
  const [live, buffers] = await settledMemory()
  await round()
  await settledMemory()
  t.strictSame([memory().live, memory().buffers], [live, buffers])
})
