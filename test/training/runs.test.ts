/** `fit` that keeps its run in a folder: what is in it, and that a run which goes on ends with the bits of one that was not interrupted. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  Adam,
  ArgumentError,
  DataError,
  DivergenceError,
  dataset,
  distortion,
  type EpochReport,
  type FitOptions,
  fit,
  Generator,
  Metric,
  mlp,
  type Optimizer,
  type Parameter,
  SGD,
  schedules,
  softmaxCrossEntropy,
  type TrainingHistory,
} from '../../lib/index.js'
import { decodeSafetensors } from '../../lib/io/safetensors.js'
import { onBothBackendsLater, rejects, sameParameters, warningsOf } from '../support/engine.js'

const size = 60
const data = dataset({
  inputs: new Generator(1).normal([size, 16]).data(),
  inputShape: [16],
  targets: Int32Array.from({ length: size }, (_, i) => i % 3),
})

/** Of an epoch: 48 examples in batches of 7. */
const STEPS = 7

type Make = (parameters: Parameter[]) => Optimizer
const momentum: Make = (parameters) =>
  new SGD(parameters, { lr: schedules.cosine(0.1, 60), momentum: 0.9, maxNorm: 2 })
const adam: Make = (parameters) => new Adam(parameters, { lr: 0.01 })

type Options = Partial<FitOptions> & { initialSeed?: number; make?: Make }

/** A training with everything that has a state of its own. */
async function train({ initialSeed = 1, make = momentum, ...options }: Options) {
  const model = mlp([16, 20, 3], { dropout: 0.3, generator: new Generator(initialSeed) })
  const history = await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer: make(model.parameters()),
    epochs: 5,
    batchSize: 7,
    seed: 4,
    validation: 0.2,
    keepBest: true,
    augment: distortion({ imageShape: [4, 4], alpha: 5, sigma: 2, rotation: 20 }),
    ...options,
  })
  return { model, history }
}

/** The same, stopped after a step; those of a dispatch are one. */
function trainUntil(epoch: number, step: number, options: Options) {
  const abort = new AbortController()
  return train({
    stepwise: true,
    ...options,
    signal: abort.signal,
    onStep: (report) => report.epoch === epoch && report.step === step && abort.abort(),
  })
}

const withoutTimes = ({ seconds, examplesPerSecond, ...report }: EpochReport) => report
const figures = ({ epochs, ...rest }: TrainingHistory) => ({
  ...rest,
  epochs: epochs.map(withoutTimes),
})

const checkpointsIn = (folder: string) =>
  readdirSync(join(folder, 'checkpoints'))
    .map((name) => name.replace('.safetensors', ''))
    .sort()

interface Line {
  event: string
  epoch?: number
  step?: number
  seconds?: number
  examplesPerSecond?: number
}

const linesOf = (folder: string): Line[] =>
  readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Without what differs from run to run. */
const eventsOf = (folder: string) =>
  linesOf(folder).map(({ seconds, examplesPerSecond, ...event }) => event)

onBothBackendsLater('goes on from within an epoch to the same bits', async (t) => {
  const extras: Options[] = [
    { metrics: ['accuracy', 'f1', 'auc', 'logLoss'] },
    { make: adam, ema: { decay: 0.9 }, clipNorm: 1, accumulate: 2 },
    { shuffle: false, earlyStopping: { patience: 2 } },
  ]
  for (const [i, extra] of extras.entries()) {
    const folder = join(t.testdir(), 'runs', `${i}`)
    const wholeFolder = join(t.testdir(), 'whole')
    const whole = await train({ ...extra, run: wholeFolder })
    await trainUntil(2, 3, { ...extra, run: folder })
    t.ok(checkpointsIn(folder).includes('epoch-1-step-3'), checkpointsIn(folder).join())
    // Dispatches of other lengths, and another interruption in the same epoch.
    await trainUntil(2, 4, { ...extra, run: { folder, every: 3 }, initialSeed: 2 })
    await trainUntil(4, 2, { ...extra, run: folder, initialSeed: 3, stepwise: false })
    const last = await train({ ...extra, run: folder, initialSeed: 4 })
    sameParameters(t, last.model, whole.model, `${i}`)
    t.strictSame(figures(last.history), figures(whole.history), `${i}: reports`)
    t.strictSame(eventsOf(folder), eventsOf(wholeFolder), `${i}: metrics`)
    const again = await train({ ...extra, run: folder, initialSeed: 5 })
    sameParameters(t, again.model, whole.model, `${i}: nothing left to do`)
    t.strictSame(eventsOf(folder), eventsOf(wholeFolder))
    t.strictSame(readdirSync(folder).sort(), ['checkpoints', 'config.json', 'metrics.jsonl'])
  }
})

t.test('with and without a folder, the bits are the same', async (t) => {
  const plain = await train({})
  const kept = await train({ run: { folder: join(t.testdir(), 'run'), every: 2 } })
  sameParameters(t, kept.model, plain.model, 'kept')
  t.strictSame(figures(kept.history), figures(plain.history))
})

t.test('which checkpoints stay', async (t) => {
  const dir = t.testdir()
  const all = await train({ run: { folder: join(dir, 'all'), keep: 100 } })
  t.strictSame(
    checkpointsIn(join(dir, 'all')),
    [0, 1, 2, 3, 4, 5].map((i) => `epoch-${i}`),
  )
  const losses = all.history.epochs.map(({ validationLoss }) => validationLoss!)
  const best = 1 + losses.indexOf(Math.min(...losses))
  await train({ run: { folder: join(dir, 'one'), keep: 1 } })
  t.strictSame(checkpointsIn(join(dir, 'one')), [...new Set([`epoch-${best}`, 'epoch-5'])].sort())

  const within = join(dir, 'within')
  await trainUntil(3, 6, { run: { folder: within, every: 2, keep: 2 } })
  // Steps 2, 4, …, 14 are epoch 1's 2, 4, 6, epoch 2's 1, 3, 5 and 7, its end.
  const stay = ['epoch-2', 'epoch-2-step-4', 'epoch-2-step-6']
  t.strictSame(checkpointsIn(within), stay, 'the last end of an epoch stays')

  const seldom = join(dir, 'seldom')
  await train({ run: { folder: seldom, every: 14, keep: 100 } })
  t.strictSame(checkpointsIn(seldom), ['epoch-0', 'epoch-2', 'epoch-4', 'epoch-5'])
})

t.test('long epochs have a checkpoint a minute, and one before a validation', async (t) => {
  const folder = join(t.testdir(), 'run')
  const { now } = performance
  let offset = 0
  performance.now = () => now.call(performance) + offset
  t.teardown(() => {
    performance.now = now
  })
  await train({
    run: { folder, keep: 100 },
    epochs: 1,
    stepwise: true,
    onStep: ({ step }) => {
      if (step === 3) offset += 61_000
      if (step === STEPS) offset += 1100
    },
  })
  const wanted = ['epoch-0', 'epoch-0-step-3', `epoch-0-step-${STEPS}`, 'epoch-1']
  t.strictSame(checkpointsIn(folder), wanted)
  rmSync(join(folder, 'checkpoints', 'epoch-1.safetensors'))
  const whole = await train({ epochs: 3 })
  const { model, history } = await train({ run: folder, epochs: 3, initialSeed: 2 })
  sameParameters(t, model, whole.model, 'goes on with the validation')
  t.strictSame(figures(history), figures(whole.history))
})

t.test('a damaged checkpoint: the one before is taken', async (t) => {
  const whole = await train({})
  for (const damage of [
    (file: string) => truncateSync(file, 1000),
    (file: string) => truncateSync(file, 0),
    (file: string) => {
      const bytes = readFileSync(file)
      bytes[bytes.length - 100] ^= 1
      writeFileSync(file, bytes)
    },
    (file: string) => {
      const bytes = readFileSync(file)
      // The third decimal of a loss.
      bytes[bytes.indexOf('validationLoss') + 'validationLoss\\":0.12'.length] ^= 1
      writeFileSync(file, bytes)
    },
  ]) {
    const folder = join(t.testdir(), 'run')
    await trainUntil(3, 4, { run: folder })
    damage(join(folder, 'checkpoints', 'epoch-2-step-4.safetensors'))
    const warnings = await warningsOf(async () => {
      const { model, history } = await train({ run: folder, initialSeed: 2 })
      sameParameters(t, model, whole.model, 'resumed')
      t.strictSame(figures(history), figures(whole.history))
    })
    t.match(warnings, [/epoch-2-step-4.safetensors: expected .*; tries the one before$/])
  }
  const folder = join(t.testdir(), 'run')
  await train({ run: { folder, keep: 1 }, epochs: 2 })
  const checkpoints = join(folder, 'checkpoints')
  for (const name of readdirSync(checkpoints)) truncateSync(join(checkpoints, name), 100)
  await warningsOf(() => rejects(t, train({ run: folder }), DataError, /epoch-2.safetensors: exp/))
})

t.test('what is in the folder', async (t) => {
  const folder = join(t.testdir(), 'runs', 'a')
  const options = { run: { folder, config: { note: 'first', lags: [1, 2] } } }
  await trainUntil(3, 4, { ...options, epochs: 12 })
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  t.match(config, {
    format: 1,
    created: /^\d{4}-\d\d-\d\dT/,
    versions: { neuroblas: /^\d/, node: process.version, backend: 'native' },
    seed: 4,
    data: { digest: /^[0-9a-f]{64}$/, validation: 0.2, examples: 48 },
    model: { modules: 'Linear, ReLU, Dropout, Linear', parameters: 16 * 20 + 20 + 20 * 3 + 3 },
    settings: { loss: 'softmaxCrossEntropy', optimizer: 'SGD', momentum: 0.9, batchSize: 7 },
    config: { note: 'first', lags: [1, 2] },
  })
  t.match(linesOf(folder), [
    { event: 'epoch', step: 7, epoch: 1, loss: Number, validationLoss: Number, lr: Number },
    { event: 'epoch', step: 14, epoch: 2 },
    { event: 'end', ended: 'aborted' },
  ])
  t.equal(linesOf(folder).length, 3, 'of the epoch that was begun, the next run tells')
  // What a killed run may leave: lines of steps beyond the checkpoint, and half of one.
  const path = join(folder, 'metrics.jsonl')
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"event":"step","epoch":3,"step":20}\n{"eve`)
  await train({ ...options, epochs: 12 })
  const lines = linesOf(folder)
  t.equal(lines.filter(({ event }) => event === 'epoch').length, 12)
  t.match(
    lines.filter(({ event }) => event === 'step'),
    [{ epoch: 8, step: 50, loss: Number }],
  )
  t.match(lines.at(-1), { event: 'end', ended: 'epochs' })
  const after = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  t.equal(after.created, config.created)
  const file = join(folder, 'checkpoints', 'epoch-12.safetensors')
  const { metadata } = decodeSafetensors(readFileSync(file), file)
  t.match(metadata.sha256, /^[0-9a-f]{64}$/)
})

t.test('a run that diverges: nothing leads there', async (t) => {
  const folder = join(t.testdir(), 'run')
  const make: Make = (parameters) =>
    new SGD(parameters, { lr: (step) => (step < 17 ? 0.1 : 1e30), momentum: 0.9, maxNorm: 2 })
  const run = { folder, every: 1, keep: 100 }
  await rejects(t, train({ run, make }), DivergenceError, /epoch 3/)
  t.equal(checkpointsIn(folder).at(-1), 'epoch-2')
  t.match(linesOf(folder).at(-1), { event: 'end', ended: 'diverged', message: /in epoch 3/ })
  const accepting = train({ run, resumeWith: ['lr', 'step'] })
  t.equal((await accepting).history.ended, 'epochs', 'goes on with another learning rate')
})

/** Of one's own, which cannot be saved. */
class Examples extends Metric {
  readonly targets = 'labels'
  #count = 0
  constructor() {
    super('examples')
  }
  override update(outputs: { shape: readonly number[] } & ArrayLike<number>): void {
    this.#count += outputs.shape[0]
  }
  override compute(): number {
    return this.#count
  }
  override reset(): void {
    this.#count = 0
  }
}

t.test('where only whole epochs are kept', async (t) => {
  const dir = t.testdir()
  const returning: Options = { onDivergence: 'restore' }
  const measuring: Options = { metrics: [new Examples()] }
  for (const [name, options] of Object.entries({ returning, measuring })) {
    const folder = join(dir, name)
    const whole = await train(options)
    await trainUntil(3, 4, { ...options, run: { folder, every: 2 } })
    t.equal(checkpointsIn(folder).at(-1), 'epoch-2')
    const last = await train({ ...options, run: folder, initialSeed: 2 })
    sameParameters(t, last.model, whole.model, name)
    t.strictSame(figures(last.history), figures(whole.history))
  }
})

t.test('other batches go on from the end of an epoch', async (t) => {
  const folder = join(t.testdir(), 'run')
  await trainUntil(3, 4, { run: folder })
  const other = { run: folder, batchSize: 8, initialSeed: 2 }
  await rejects(t, train(other), DataError, /batchSize \(was 7, is 8\)/)
  const epochs: number[] = []
  const onEpoch = ({ epoch }: EpochReport) => void epochs.push(epoch)
  await train({ ...other, resumeWith: ['batchSize', 'step'], onEpoch })
  t.strictSame(epochs, [3, 4, 5])
  // Another metric, by contrast, waits for the epoch's end.
  const measured = join(t.testdir(), 'measured')
  await trainUntil(3, 4, { run: measured, metrics: ['f1'] })
  const changed = train({ run: measured, metrics: ['auc'] })
  await rejects(t, changed, ArgumentError, /the metrics of the epoch that was begun, f1, /)
})

t.test('refusals', async (t: Test) => {
  const dir = t.testdir({ file: '', folder: { other: '' }, empty: {} })
  const cases: [Options, RegExp][] = [
    [{ run: join(dir, 'x'), checkpoint: join(dir, 'y') }, /expected run or checkpoint, got both/],
    [{ run: join(dir, 'file') }, /file: expected a folder for the run, got a file$/],
    [{ run: join(dir, 'folder') }, /folder: expected the folder of a run, or a new one/],
    [{ run: { folder: join(dir, 'x'), every: 0 } }, /every/],
    [{ run: { folder: join(dir, 'x'), keep: 1.5 } }, /keep/],
    [{ run: { folder: join(dir, 'x'), last: 2 } as never }, /last/],
    [{ run: { folder: join(dir, 'x'), config: [1] as never } }, /values by name in config/],
    [{ run: 3 as never }, /path/],
    [{ run: null as never }, /path/],
    [{ resumeWith: ['lr'] }, /resumeWith needs a checkpoint or a run$/],
  ]
  for (const [options, message] of cases) await rejects(t, train(options), ArgumentError, message)
  t.notOk(existsSync(join(dir, 'x')))
  await train({ run: join(dir, 'empty'), epochs: 1 })
  t.ok(existsSync(join(dir, 'empty', 'config.json')))
  const run = join(dir, 'both')
  const both = await Promise.allSettled([train({ run }), train({ run })])
  const [refused] = both.filter(({ status }) => status === 'rejected')
  t.match((refused as PromiseRejectedResult).reason.message, /no other training writes/)
  const model = mlp([16, 3])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const batches = [{ inputs: [[...Array(16).keys()]], targets: [1] }]
  const options = { loss: softmaxCrossEntropy, optimizer, epochs: 1, run } as never
  await rejects(t, fit(model, batches, options), ArgumentError, /beside run, got batches/)
})
