/** `fit` that is interrupted and goes on ends with the bits of one that was not. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
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
  mlp,
  type Optimizer,
  type Parameter,
  rand,
  SGD,
  saveModel,
  schedules,
  setSeed,
  softmaxCrossEntropy,
  type TrainingHistory,
} from '../../lib/index.js'
import { rewriteCheckpoint } from '../support/checkpoints.js'
import { onBothBackendsLater, rejects, sameParameters } from '../support/engine.js'

const size = 60
const data = dataset({
  inputs: new Generator(1).normal([size, 16]).data(),
  inputShape: [16],
  targets: Int32Array.from({ length: size }, (_, i) => i % 3),
})

const momentum = (parameters: Parameter[]) =>
  new SGD(parameters, {
    lr: schedules.cosine(0.1, 60),
    momentum: schedules.cosine(0.5, 30, 0.9),
    maxNorm: 2,
  })
const adam = (parameters: Parameter[]) => new Adam(parameters, { lr: 0.01 })

type Options = Partial<FitOptions> & { initialSeed?: number }

/** A training with everything that has a state of its own. */
async function train(
  make: (parameters: Parameter[]) => Optimizer,
  { initialSeed = 1, ...options }: Options,
) {
  const model = mlp([16, 20, 3], { dropout: 0.3, generator: new Generator(initialSeed) })
  const history = await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer: make(model.parameters()),
    epochs: 6,
    batchSize: 7,
    seed: 4,
    validation: 0.2,
    augment: distortion({ imageShape: [4, 4], alpha: 5, sigma: 2, rotation: 20 }),
    ...options,
  })
  return { model, history }
}

const figures = ({ epochs, ...rest }: TrainingHistory) => ({
  ...rest,
  epochs: epochs.map(({ seconds, examplesPerSecond, ...report }: EpochReport) => report),
})

onBothBackendsLater('goes on to the same bits', async (t) => {
  for (const [title, make] of [
    ['SGD', momentum],
    ['Adam', adam],
  ] as const) {
    const checkpoint = `${t.testdir()}/${title}.safetensors`
    const whole = await train(make, { keepBest: true })
    const first = await train(make, { keepBest: true, checkpoint, epochs: 2 })
    t.equal(first.history.epochs.length, 2)
    // In the middle of an epoch: what it had done is not in the file.
    const abort = new AbortController()
    await train(make, {
      initialSeed: 2,
      keepBest: true,
      checkpoint,
      signal: abort.signal,
      onStep: ({ epoch, step }) => epoch === 4 && step === 3 && abort.abort(),
    })
    const last = await train(make, { initialSeed: 3, keepBest: true, checkpoint })
    sameParameters(t, last.model, whole.model, title)
    t.strictSame(figures(last.history), figures(whole.history), `${title}: reports`)
    const again = await train(make, { initialSeed: 5, keepBest: true, checkpoint })
    sameParameters(t, again.model, whole.model, `${title}: nothing left to do`)
    t.strictSame(figures(again.history), figures(whole.history))
  }
})

t.test('without the best weights, and until early stopping', async (t) => {
  const dir = t.testdir()
  const plain = await train(momentum, {})
  await train(momentum, { checkpoint: `${dir}/plain`, epochs: 3 })
  const resumed = await train(momentum, { initialSeed: 2, checkpoint: `${dir}/plain` })
  sameParameters(t, resumed.model, plain.model, 'last weights')

  const stopping = { epochs: 200, earlyStopping: { patience: 2 } }
  const whole = await train(momentum, stopping)
  t.equal(whole.history.ended, 'earlyStopping')
  await train(momentum, { ...stopping, checkpoint: `${dir}/early`, epochs: 2 })
  for (const what of ['gone on', 'already stopped']) {
    const last = await train(momentum, { ...stopping, initialSeed: 2, checkpoint: `${dir}/early` })
    t.strictSame(figures(last.history), figures(whole.history), what)
    sameParameters(t, last.model, whole.model, what)
  }
})

t.test('a callback that throws loses no epoch', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const failing = train(momentum, {
    checkpoint,
    onEpoch: ({ epoch }) => {
      if (epoch === 2) throw new Error('full')
    },
  })
  await t.rejects(failing, new Error('full'))
  const epochs: number[] = []
  await train(momentum, { checkpoint, onEpoch: ({ epoch }) => void epochs.push(epoch) })
  t.strictSame(epochs, [3, 4, 5, 6])
})

t.test('a path that cannot be written fails before the first step', async (t) => {
  let steps = 0
  const training = train(momentum, {
    checkpoint: `${t.testdir()}/none/file`,
    onStep: () => steps++,
  })
  await rejects(t, training, ArgumentError, /expected a file in an existing folder/)
  t.equal(steps, 0)
})

t.test('a file that is something else is refused and kept', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const expectRefusal = async (make = momentum as typeof adam | typeof momentum) => {
    const before = readFileSync(checkpoint)
    await rejects(t, train(make, { checkpoint }), DataError, /file: expected /)
    t.ok(readFileSync(checkpoint).equals(before))
  }
  writeFileSync(checkpoint, 'nonsense')
  await expectRefusal()
  saveModel(mlp([16, 20, 3]), checkpoint)
  await expectRefusal()
  for (const notes of ['{"epochs": 3}', '{"epochs": [], "steps": 1}', 'null']) {
    saveModel(mlp([16, 20, 3]), checkpoint, { training: notes })
    await expectRefusal()
  }
  const other = mlp([16, 21, 3])
  const optimizer = new SGD(other.parameters(), { lr: 0.1 })
  rmSync(checkpoint)
  await fit(other, data, { loss: softmaxCrossEntropy, optimizer, epochs: 1, checkpoint })
  await expectRefusal()
  const good = `${checkpoint}-good`
  await train(momentum, { checkpoint: good, epochs: 1 })
  const kind = /optimizer \(was SGD, is Adam\).*; begin again with another file$/
  await rejects(t, train(adam, { checkpoint: good }), DataError, kind)
  for (const [changes, message] of [
    [{ batchSize: 8 }, / batchSize \(was 7, is 8\)/],
    [{ seed: 5 }, / seed \(was 4, is 5\)/],
    [{ shuffle: false }, / shuffle \(was true, is false\)/],
    [{ validation: 0.5 }, / examples \(was 48, is 30\).* validation \(was 0\.2, is 0\.5\)/],
  ] as const) {
    await rejects(t, train(momentum, { ...changes, checkpoint: good }), DataError, message)
  }
})

onBothBackendsLater('a refused file changes nothing, one begun again all', async (t) => {
  const dir = t.testdir()
  const wanted = await train(momentum, { epochs: 2 })
  const model = mlp([16, 20, 3], { dropout: 0.3, generator: new Generator(1) })
  const optimizer = momentum(model.parameters())
  const options = {
    loss: softmaxCrossEntropy,
    optimizer,
    batchSize: 7,
    seed: 4,
    validation: 0.2,
    augment: distortion({ imageShape: [4, 4], alpha: 5, sigma: 2, rotation: 20 }),
  }
  // Stopped in its first epoch: of velocities, the file knows nothing.
  const abort = new AbortController()
  const onStep = () => abort.abort()
  const checkpoint = `${dir}/begun`
  await fit(model, data, { ...options, epochs: 2, checkpoint, onStep, signal: abort.signal })
  await fit(model, data, { ...options, epochs: 2, checkpoint })
  sameParameters(t, model, wanted.model, 'velocities begin at 0 again')

  const before = model.stateDict()
  await train(adam, { checkpoint: `${dir}/adam`, epochs: 1 })
  const other = fit(model, data, { ...options, epochs: 3, checkpoint: `${dir}/adam` })
  await rejects(t, other, DataError, /optimizer \(was Adam, is SGD\)/)
  t.strictSame(model.stateDict(), before)
})

t.test('a file that breaks off in its best weights changes nothing either', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const { model } = await train(momentum, { checkpoint, epochs: 2, keepBest: true })
  rewriteCheckpoint<object>(checkpoint, (notes, tensors) => {
    for (const name of tensors.keys()) if (name.startsWith('best/')) tensors.delete(name)
    return notes
  })
  const [weights, generators] = [model.stateDict(), model.namedGenerators()]
  // Of another place than the file's.
  for (const generator of generators.values()) generator.uniform([3])
  const before = [...generators.values()].map((generator) => generator.save())
  const options = {
    loss: softmaxCrossEntropy,
    optimizer: momentum(model.parameters()),
    epochs: 3,
    batchSize: 7,
    seed: 4,
    validation: 0.2,
    augment: distortion({ imageShape: [4, 4], alpha: 5, sigma: 2, rotation: 20 }),
    keepBest: true,
    checkpoint,
  }
  await rejects(t, fit(model, data, options), DataError, /expected the best /)
  t.strictSame(model.stateDict(), weights)
  t.strictSame(
    [...generators.values()].map((generator) => generator.save()),
    before,
  )
})

t.test('looking for the best may begin and end where a training goes on', async (t) => {
  const dir = t.testdir()
  await train(momentum, { checkpoint: `${dir}/without`, epochs: 3 })
  const stopping = { epochs: 200, earlyStopping: { patience: 2 } }
  const begun = await train(momentum, { ...stopping, checkpoint: `${dir}/without` })
  t.ok(begun.history.epochs.length > 4, 'patience counts from there')
  t.ok(begun.history.bestEpoch > 3)

  const plain = await train(momentum, { epochs: 5 })
  await train(momentum, { checkpoint: `${dir}/with`, keepBest: true, epochs: 3 })
  const ended = await train(momentum, { checkpoint: `${dir}/with`, epochs: 5 })
  t.equal(ended.history.bestEpoch, 5)
  sameParameters(t, ended.model, plain.model, 'the last weights')
})

t.test(
  'of an epoch with a validation loss that is no finite number the file knows nothing',
  async (t) => {
    const checkpoint = `${t.testdir()}/file`
    const [zero, wide] = [new Float32Array(16), new Float32Array(16).fill(3e38)]
    const overflowing = dataset({ inputs: [zero, wide], targets: [0, 1] })
    await rejects(
      t,
      train(momentum, { checkpoint, epochs: 1, validation: overflowing }),
      DivergenceError,
      /^fit: the validation loss became NaN in epoch 1, step 9 \(all weights are finite\); try a smaller lr \(it was 0\.1\), or inputs on a smaller scale$/,
    )
    const onward = await train(momentum, {
      checkpoint,
      resumeWith: ['validation'],
      epochs: 2,
      validation: data,
    })
    const plain = await train(momentum, { epochs: 2, validation: data })
    sameParameters(t, onward.model, plain.model, 'as if it had not been')
  },
)

t.test('an aborted training leaves no beginning behind', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const { history } = await train(momentum, { checkpoint, signal: AbortSignal.abort() })
  t.equal(history.ended, 'aborted')
  t.notOk(existsSync(checkpoint))
})

onBothBackendsLater('without a seed, it goes on with the one that was drawn', async (t) => {
  const unseeded = { seed: undefined, epochs: 4 }
  setSeed(8)
  const whole = await train(momentum, unseeded)
  const next = rand([]).item()
  const checkpoint = `${t.testdir()}/unseeded.safetensors`
  setSeed(8)
  await train(momentum, { ...unseeded, epochs: 2, checkpoint })
  // The program that goes on has drawn something else before: the split and the orders do not change.
  setSeed(9)
  const resumed = await train(momentum, { ...unseeded, checkpoint })
  sameParameters(t, resumed.model, whole.model, 'as without an interruption')
  setSeed(8)
  await train(momentum, { ...unseeded, checkpoint })
  t.equal(rand([]).item(), next, 'what is drawn after it is the same as without an interruption')
})
