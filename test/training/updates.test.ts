/** How `fit` steps: clipped, accumulated, averaged, with lower learning rates; and every optimizer in it. */
import t from 'tap'
import {
  Adadelta,
  Adagrad,
  AdamW,
  ArgumentError,
  clipGradNorm,
  clipGradValue,
  DataError,
  DataLoader,
  dataset,
  ExponentialMovingAverage,
  evaluate,
  type FitOptions,
  fit,
  Generator,
  LBFGS,
  Lion,
  type Module,
  Monitor,
  NAdam,
  type Optimizer,
  type Parameter,
  RAdam,
  RMSprop,
  SGD,
  schedules,
  scope,
  setBackend,
  softmaxCrossEntropy,
} from '../../lib/index.js'
import {
  close,
  identical,
  nearParameters,
  network,
  onBothBackendsLater,
  rejects,
  rounding,
  sameParameters,
  warningsOf,
} from '../support/engine.js'
import { wrong } from '../support/reference.js'

const size = 50
const data = dataset({
  inputs: new Generator(1).normal([size, 6]).data(),
  inputShape: [6],
  targets: Int32Array.from({ length: size }, (_, i) => (i * i) % 3),
})
const loss = softmaxCrossEntropy
/** It reads a value, so that steps run one by one. */
const readLoss: typeof loss = (outputs, targets) => {
  const value = loss(outputs, targets)
  value.item()
  return value
}

async function train(options: Partial<FitOptions> = {}, optimizer?: (w: Parameter[]) => Optimizer) {
  const model = network([6, 10, 3])
  const history = await fit(model, data, {
    loss,
    optimizer: optimizer?.(model.parameters()) ?? new SGD(model.parameters(), { lr: 0.2 }),
    epochs: 4,
    batchSize: 8,
    seed: 3,
    ...options,
  })
  return { model, history }
}

/** The same in a loop of one's own. */
function loop(
  model: Module,
  optimizer: Optimizer,
  batchSize: number,
  before: () => void,
  after = () => {},
) {
  const loader = new DataLoader(data, { batchSize, shuffle: true, seed: 3 })
  for (let epoch = 0; epoch < 4; epoch++) {
    for (const { inputs, targets } of loader) {
      scope(() => {
        loss(model.forward(inputs), targets).backward()
        before()
        optimizer.step()
        optimizer.zeroGrad()
        after()
      })
    }
  }
  loader.dispose()
}

onBothBackendsLater('accumulate: what the larger batch gives', async (t) => {
  const steps: number[] = []
  const { model, history } = await train({
    accumulate: 3,
    onStep: ({ step, stepsPerEpoch }) => steps.push(step, stepsPerEpoch),
  })
  const whole = await train({ batchSize: 24 })
  nearParameters(t, model, whole.model, 10 * rounding(24, 12), 'weights')
  const losses = [history, whole.history].map(({ epochs }) => epochs.map((report) => report.loss))
  close(t, losses[0], losses[1], 1e-5, 'losses')
  // 24, 24 and the 2 that are left.
  t.strictSame(steps.slice(0, 6), [1, 3, 2, 3, 3, 3])
  t.strictSame(
    history.epochs.map(({ examples }) => examples),
    [50, 50, 50, 50],
  )
  const single = await train({ accumulate: 1 })
  sameParameters(t, single.model, (await train()).model, 'one batch per step')
})

onBothBackendsLater('what runs one by one has the bits of what is captured', async (t) => {
  const options = { accumulate: 3, clipNorm: 0.5, clipValue: 0.1, ema: { decay: 0.9 } }
  const captured = await train(options)
  let eager = captured
  const warnings = await warningsOf(async () => {
    eager = await train({ ...options, loss: readLoss })
  })
  t.match(warnings[0], /steps run one by one/)
  sameParameters(t, eager.model, captured.model, 'weights')
  const watched = await train({ ...options, monitor: new Monitor({ every: 2 }) })
  sameParameters(t, watched.model, captured.model, 'with a monitor')
})

onBothBackendsLater('clipNorm and clipValue: as in a loop of one’s own', async (t) => {
  const { model } = await train({ clipNorm: 0.25, clipValue: 0.125 })
  const own = network([6, 10, 3])
  const parameters = own.parameters()
  loop(own, new SGD(parameters, { lr: 0.2 }), 8, () => {
    clipGradValue(parameters, 0.125)
    clipGradNorm(parameters, 0.25)
  })
  sameParameters(t, model, own, 'weights')
  const free = await train({ clipNorm: 1e6, clipValue: 1e6 })
  sameParameters(t, free.model, (await train()).model, 'limits that nothing meets')
})

onBothBackendsLater('ema: validated, and left in the model', async (t) => {
  const seen: number[][] = []
  const model = network([6, 10, 3])
  const history = await fit(model, data, {
    loss,
    optimizer: new SGD(model.parameters(), { lr: 0.2 }),
    epochs: 4,
    batchSize: 8,
    seed: 3,
    ema: { decay: 0.9 },
    validation: data,
    onEpoch: () => {
      seen.push([...model.parameters()[0].data()])
    },
  })
  const own = network([6, 10, 3])
  const average = new ExponentialMovingAverage(own, { decay: 0.9 })
  loop(
    own,
    new SGD(own.parameters(), { lr: 0.2 }),
    8,
    () => {},
    () => average.update(),
  )
  identical(t, seen[3], own.parameters()[0].data(), 'onEpoch sees the weights that are trained')
  average.apply()
  sameParameters(t, model, own, 'the averages in the end')
  const { validationLoss } = history.epochs[3]
  close(t, [validationLoss!], [(await evaluate(model, data, { loss })).loss], 1e-6, 'their loss')
})

onBothBackendsLater('ema: the best averages are kept', async (t) => {
  const options = { validation: data, ema: { decay: 0.8 }, keepBest: true, epochs: 9 }
  const { model, history } = await train({ ...options }, (w) => new SGD(w, { lr: 4 }))
  const best = history.epochs[history.bestEpoch - 1].validationLoss!
  t.equal(best, Math.min(...history.epochs.map((report) => report.validationLoss!)))
  close(t, [(await evaluate(model, data, { loss })).loss], [best], 1e-6, 'loss')
})

const optimizers: Record<string, (w: Parameter[]) => Optimizer> = {
  'SGD with dampening': (w) => new SGD(w, { lr: 0.1, momentum: 0.5, dampening: 0.25 }),
  AdamW: (w) => new AdamW(w, { lr: 0.01, amsgrad: true }),
  NAdam: (w) => new NAdam(w, { lr: schedules.warmUp(9, schedules.cosine(0.02, 30)) }),
  RAdam: (w) => new RAdam(w, { lr: 0.01 }),
  RMSprop: (w) => new RMSprop(w, { lr: 0.01, centered: true, momentum: 0.5 }),
  Adagrad: (w) => new Adagrad(w, { lr: 0.1, lrDecay: 0.01, initialAccumulatorValue: 0.1 }),
  Adadelta: (w) => new Adadelta(w, { lr: 1 }),
  Lion: (w) => new Lion(w, { lr: 0.01, weightDecay: 0.1 }),
}
for (const [name, make] of Object.entries(optimizers)) {
  onBothBackendsLater(`a checkpoint goes on to the same bits: ${name}`, async (t) => {
    const checkpoint = `${t.testdir()}/training.safetensors`
    const options = { epochs: 6, accumulate: 2, clipNorm: 1, ema: { decay: 0.9 } }
    const whole = await train(options, make)
    await train({ ...options, epochs: 2, checkpoint }, make)
    const resumed = await train({ ...options, checkpoint }, make)
    t.equal(resumed.history.epochs.length, 6)
    sameParameters(t, resumed.model, whole.model, 'weights')
    const other = train({ ...options, checkpoint, clipNorm: 2 }, make)
    await rejects(t, other, DataError, /clipNorm \(was 1, is 2\)/)
  })
}

onBothBackendsLater('reduceOnPlateau: lowers the rate, also where training goes on', async (t) => {
  const options = {
    validation: data,
    reduceOnPlateau: { patience: 1, factor: 0.5, threshold: 0.05 },
    epochs: 14,
  }
  const whole = await train(options)
  const rates = whole.history.epochs.map(({ lr }) => lr)
  t.ok(rates.at(-1)! <= 0.1, `${rates}`)
  const checkpoint = `${t.testdir()}/training.safetensors`
  await train({ ...options, epochs: 7, checkpoint })
  const resumed = await train({ ...options, checkpoint })
  t.strictSame(
    resumed.history.epochs.map(({ lr }) => lr),
    rates,
  )
  sameParameters(t, resumed.model, whole.model, 'weights')
  const other = train({ ...options, checkpoint, reduceOnPlateau: { patience: 2 } })
  await rejects(t, other, DataError, /differs in reduceOnPlateau \(was \{.* patience: 1,.*is \{/)
})

t.test('an average that a checkpoint does not have begins with its weights', async (t) => {
  setBackend('native')
  const checkpoint = `${t.testdir()}/training.safetensors`
  await train({ epochs: 1, checkpoint })
  const { history } = await train({ checkpoint, ema: { decay: 0.5 }, resumeWith: ['ema', 'step'] })
  t.equal(history.epochs.length, 4)
})

onBothBackendsLater('a schedule that gives NaN', async (t) => {
  const lr = (step: number) => (step < 10 ? 0.1 : Number.NaN)
  const model = network([6, 10, 3])
  const optimizer = new SGD(model.parameters(), { lr })
  const options = { loss, optimizer, epochs: 4, batchSize: 8, seed: 3, onEpoch: () => {} }
  const message = 'SGD: expected lr >= 0 from the schedule for step 10, got NaN'
  await rejects(t, fit(model, data, options), ArgumentError, message)
  // The first epoch has 7 steps.
  t.ok(optimizer.steps >= 7 && optimizer.steps <= 10, 'steps that were taken stay')
  optimizer.groups[0].lr = 0.1
  await fit(model, data, { ...options, epochs: 1 })
  t.ok(
    model.parameters().every((w) => w.data().every(Number.isFinite)),
    'it can go on',
  )
})

t.test('options that no step can be made of', async (t) => {
  setBackend('native')
  const refused: [Record<string, unknown>, string | RegExp][] = [
    [{ clipNorm: 0 }, 'fit: expected clipNorm > 0, got 0'],
    [{ clipValue: Number.NaN }, 'fit: expected clipValue > 0, got NaN'],
    [{ accumulate: 1.5 }, 'fit: expected accumulate >= 1, got 1.5'],
    [{ ema: { decay: 1 } }, 'fit: ema: expected decay from 0 to below 1, got 1'],
    [{ ema: 0.9 }, /^fit: ema: expected one object of options \(decay\), got 0.9$/],
    [{ reduceOnPlateau: {} }, 'fit: reduceOnPlateau needs validation data'],
    [
      { reduceOnPlateau: { factor: 2 }, validation: 0.2 },
      'fit: reduceOnPlateau: expected factor above 0 and below 1, got 2',
    ],
  ]
  for (const [options, message] of refused) {
    await rejects(t, train(wrong(options)), ArgumentError, message)
  }
  const scheduled = (w: Parameter[]) => new SGD(w, { lr: schedules.cosine(0.1, 10) })
  const options = { reduceOnPlateau: {}, validation: 0.2 }
  await rejects(t, train(options, scheduled), ArgumentError, /lr is a number, got one with a sch/)
  const lbfgs = (w: Parameter[]) => new LBFGS(w, { lr: 1 })
  await rejects(t, train({}, lbfgs), ArgumentError, /^fit: expected .* got LBFGS; call its step/)
})
