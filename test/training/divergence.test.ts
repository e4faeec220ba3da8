/** A training that explodes says where, loses nothing that was good, and goes back if it is asked to. */
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  Adam,
  ArgumentError,
  DataError,
  DivergenceError,
  dataset,
  type EpochReport,
  evaluate,
  type FitOptions,
  fit,
  Generator,
  l2,
  Module,
  mlp,
  mse,
  type Optimizer,
  Parameter,
  SGD,
  setBackend,
  softmaxCrossEntropy,
  type Tensor,
  type TrainingHistory,
  tensor,
} from '../../lib/index.js'
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js'
import { checksumOf } from '../../lib/training/checkpointFile.js'
import {
  bits,
  network,
  onBothBackendsLater,
  rejects,
  sameParameters,
  warningsOf,
} from '../support/engine.js'

const size = 60
const inputs = new Generator(1).normal([size, 8]).data()
const data = dataset({
  inputs,
  inputShape: [8],
  targets: Int32Array.from({ length: size }, (_, i) => i % 3),
})
/** Whose first step at a large rate is beyond float32. */
const wide = dataset({
  inputs: inputs.map((x) => 1000 * x),
  inputShape: [8],
  targets: data.targets,
})
const zeros = dataset({ inputs: new Float32Array(24), inputShape: [8], targets: [0, 1, 2] })
const loss = softmaxCrossEntropy

/** A network with everything that has a state of its own, three steps an epoch. */
function start(
  options: Partial<FitOptions> = {},
  lr: SGD['groups'][0]['lr'] = 0.1,
  units = [8, 12, 3],
) {
  const model = mlp(units, { inputDropout: 0.3, generator: new Generator(1) })
  const optimizer = new SGD(model.parameters(), { lr, momentum: 0.9 })
  const run = (more: Partial<FitOptions> = {}) =>
    fit(model, data, { loss, optimizer, epochs: 6, batchSize: 20, seed: 3, ...options, ...more })
  return { model, optimizer, run }
}

/** Explodes in its fourth epoch. */
const exploding = (step: number) => (step < 10 ? 0.1 : 1e38)

function sameState(
  t: Test,
  found: { model: ReturnType<typeof mlp>; optimizer: Optimizer },
  wanted: typeof found,
): void {
  sameParameters(t, found.model, wanted.model, 'parameters')
  t.strictSame(
    found.optimizer.stateDict(),
    wanted.optimizer.stateDict(),
    'what the optimizer keeps',
  )
  const generators = [found, wanted].map(({ model }) =>
    [...model.namedGenerators()].map(([path, generator]) => [path, generator.save()]),
  )
  t.strictSame(generators[0], generators[1], 'random generators')
}

onBothBackendsLater('an explosion in the last step is not kept', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const train = (lr: number, epochs: number, options: Partial<FitOptions> = {}) => {
    const model = network([8, 12, 3])
    const optimizer = new SGD(model.parameters(), { lr })
    const training = { loss, optimizer, epochs, batchSize: size, seed: 0, ...options }
    return { model, history: fit(model, data, training) }
  }
  await train(0.01, 3, { checkpoint }).history
  const kept = () => decodeSafetensors(readFileSync(checkpoint), checkpoint).tensors
  const good = kept()
  await rejects(
    t,
    train(1e38, 4, { checkpoint, resumeWith: ['lr'] }).history,
    DivergenceError,
    /^fit: the loss after the update became NaN in epoch 4, step 1 \(all weights are finite\); try a smaller lr \(it was 1e\+38\)/,
  )
  t.strictSame(kept(), good, 'the checkpoint holds the last good epoch')
  const onward = train(0.01, 5, { checkpoint, resumeWith: ['lr'] })
  t.equal((await onward.history).epochs.length, 5)
  const plain = train(0.01, 5)
  await plain.history
  sameParameters(t, onward.model, plain.model, 'a smaller lr goes on from it')
})

onBothBackendsLater('the error names epoch, step and layer', async (t) => {
  const model = network([8, 3])
  const fails = (options: Partial<FitOptions> & { lr: number }, message: RegExp) => {
    const { lr, ...rest } = options
    const optimizer = new SGD(model.parameters(), { lr })
    const training = fit(model, wide, { loss, optimizer, epochs: 2, batchSize: 30, ...rest })
    return rejects(t, training, DivergenceError, message)
  }
  const before = model.stateDict()
  await fails(
    { lr: 1e37, batchSize: size, epochs: 1 },
    /^fit: a weight is no longer finite in epoch 1, step 1 \(-?Infinity in layers\.0\.weight\); try a smaller lr \(it was 1e\+37\)/,
  )
  model.loadStateDict(before)
  await fails(
    { lr: 1e37 },
    /^fit: the loss became NaN in epoch 1, step 2 \((NaN|-?Infinity) in layers\.0\.weight\); try/,
  )
  t.notOk(model.parameters()[0].data().every(Number.isFinite), 'stop leaves the weights')
  model.loadStateDict(before)
  await fails(
    { lr: 1e37, batchSize: size, epochs: 3 },
    /^fit: the loss became NaN in epoch 2, step 1 \((NaN|-?Infinity) in layers\.0\.weight\); try/,
  )
})

t.test('weights of float64 are looked at, too', async (t) => {
  setBackend('js')
  t.teardown(() => setBackend('native'))
  const wide = tensor([1e200, 1e200, 1e200], [1, 3], 'float64') as unknown as Tensor
  class Wide extends Module {
    readonly weight = new Parameter(wide)
    override forward(x: Tensor): Tensor {
      return (x.cast('float64') as unknown as Tensor).matmul(this.weight)
    }
  }
  const model = new Wide()
  const optimizer = new SGD(model.parameters(), { lr: 0 })
  const zero = dataset({ inputs: [[0]], targets: [1] })
  t.equal((await fit(model, zero, { loss, optimizer, epochs: 1 })).epochs.length, 1)
  model.weight.assign([0, Number.NaN, 0])
  await rejects(
    t,
    fit(model, zero, { loss, optimizer, epochs: 1 }),
    DivergenceError,
    /^fit: the loss became NaN in epoch 1, step 1 \(NaN in weight\)/,
  )
})

onBothBackendsLater('what the optimizer keeps, the penalty and the validation count', async (t) => {
  // Gradients of 1e26, whose squares are beyond float32: such a weight would never move again.
  const values = dataset({ inputs: [[1e13], [1e13]], targets: [[0], [0]] })
  const one = network([1, 1])
  one.parameters()[0].assign([1])
  await rejects(
    t,
    fit(one, values, { loss: mse, optimizer: new Adam(one.parameters(), { lr: 0.1 }), epochs: 1 }),
    DivergenceError,
    /^fit: a weight is no longer finite in epoch 1, step 1 \(Infinity in the square of layers\.0\.weight\)/,
  )
  const train = (model = network([8, 3]), options: Partial<FitOptions> = {}) => {
    const optimizer = new SGD(model.parameters(), { lr: 0, regularizer: l2(1e-4) })
    return fit(model, zeros, { loss, optimizer, epochs: 1, ...options })
  }
  const large = network([8, 3])
  large.parameters()[0].assign(new Float32Array(24).fill(1e25))
  await rejects(
    t,
    train(large),
    DivergenceError,
    /^fit: the regularization loss became Infinity in epoch 1, step 1 \(all weights are finite\)/,
  )
  const validation = dataset({
    inputs: new Float32Array(16).fill(3e38),
    inputShape: [8],
    targets: [0, 1],
  })
  const tens = network([8, 3])
  tens.parameters()[0].assign(new Float32Array(24).fill(10))
  await rejects(
    t,
    train(tens, { validation, keepBest: true }),
    DivergenceError,
    /^fit: the validation loss became NaN in epoch 1, step 1 \(all weights are finite\)/,
  )
})

onBothBackendsLater('a weight whose square is beyond float32 is finite', async (t) => {
  const model = network([8, 3])
  // The norm of these is beyond float32, too.
  model.parameters()[0].assign(new Float32Array(24).fill(3e38))
  const optimizer = new SGD(model.parameters(), { lr: 0, momentum: 0.5 })
  const { epochs } = await fit(model, zeros, { loss, optimizer, epochs: 3, onEpoch: () => {} })
  t.equal(epochs.length, 3)
  const many = network([64, 32])
  many.parameters()[0].assign(new Float32Array(2048).fill(1e37))
  const still = new SGD(many.parameters(), { lr: 0 })
  const blank = dataset({ inputs: new Float32Array(64), inputShape: [64], targets: [0] })
  t.equal((await fit(many, blank, { loss, optimizer: still, epochs: 2 })).epochs.length, 2)
})

onBothBackendsLater('a look at the loss changes nothing', async (t) => {
  const train = async (factor: number) => {
    // Large weights behind a dead layer: the loss is looked at after each epoch.
    const model = mlp([8, 4, 3], { dropout: 0.5, generator: new Generator(2) })
    const [first, bias] = model.parameters()
    first.assign(new Float32Array(32).fill(-factor))
    bias.assign([1, 1, 1, 1])
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const { epochs } = await fit(model, zeros, {
      loss,
      optimizer,
      epochs: 4,
      seed: 0,
      onEpoch: () => {},
    })
    const [, , ...rest] = model.parameters().map(bits)
    return { losses: epochs.map((report) => report.loss), rest }
  }
  t.strictSame(await train(1e20), await train(1), 'no dropout is drawn, nothing is updated')
})

onBothBackendsLater('restore goes back to the end of the last good epoch', async (t) => {
  const exploded = start({ onDivergence: 'restore' }, exploding)
  let history: TrainingHistory | undefined
  const reports: number[] = []
  const warnings = await warningsOf(async () => {
    history = await exploded.run({ onEpoch: ({ epoch }) => void reports.push(epoch) })
  })
  t.match(history, { ended: 'diverged', bestEpoch: 3 })
  t.strictSame(reports, [1, 2, 3], 'the bad epoch is not reported')
  t.equal(warnings.length, 1)
  t.match(
    warnings[0],
    /^fit: the loss became .* in epoch 4, step 3 .*; went back to the last good state, and ended there$/,
  )
  const wanted = start({}, exploding)
  await wanted.run({ epochs: 3 })
  sameState(t, exploded, wanted)
})

onBothBackendsLater('restore without a good epoch, and with best weights', async (t) => {
  const [early, untouched] = [start({ onDivergence: 'restore' }, 1e38), start()]
  await warningsOf(async () => {
    const { epochs, bestEpoch, ended } = await early.run()
    t.strictSame({ epochs, bestEpoch, ended }, { epochs: [], bestEpoch: 0, ended: 'diverged' })
  })
  sameParameters(t, early.model, untouched.model, 'where training began')

  const best = start({ onDivergence: 'restore', validation: 0.2, keepBest: true }, exploding)
  await warningsOf(async () => {
    const { epochs, bestEpoch, ended } = await best.run()
    t.equal(ended, 'diverged')
    const losses = epochs.map(({ validationLoss }) => validationLoss!)
    t.equal(bestEpoch, losses.indexOf(Math.min(...losses)) + 1)
  })
  t.ok(best.model.parameters().every((parameter) => parameter.data().every(Number.isFinite)))
})

onBothBackendsLater('other errors are no reason to go back', async (t) => {
  const mine = new RangeError('mine')
  const { run } = start({ onDivergence: 'restore' })
  const onStep = () => {
    throw mine
  }
  await rejects(t, run({ onStep }), RangeError, 'mine')
})

onBothBackendsLater('stop puts the best weights back', async (t) => {
  const options = { validation: 0.2, keepBest: true }
  const [exploded, wanted] = [start(options, exploding), start(options, exploding)]
  await rejects(t, exploded.run(), DivergenceError, /in epoch 4/)
  await wanted.run({ epochs: 3 })
  sameParameters(t, exploded.model, wanted.model, 'of the epochs before')
})

onBothBackendsLater('restoreAndLowerLr tries five times', async (t) => {
  const exploded = start({ onDivergence: 'restoreAndLowerLr' }, 1e20)
  const warnings = await warningsOf(async () => {
    const { epochs, ended } = await exploded.run()
    t.strictSame([epochs, ended], [[], 'diverged'])
  })
  t.strictSame(
    warnings.map((message) => message.replace(/^.*went back to the last good state, and /, '')),
    [1e19, 1e18, 1e17, 1e16, 1e15].map((lr) => `on with lr ${lr}`).concat('ended there'),
  )
  sameParameters(t, exploded.model, start().model, 'where training began')
  t.equal(exploded.optimizer.lrOf(), 1e20, 'the rate was lowered for the run alone')
})

// A single layer bears the most, for its weights are never multiplied by each other: some 1e36.
const steep = (step: number): number => (step < 10 ? 0.1 : 1e38)

onBothBackendsLater('restoreAndLowerLr goes on as a training of lower rates', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const begin = (options: Partial<FitOptions> = {}, lr = steep) => start(options, lr, [8, 3])
  const lowered = begin({ onDivergence: 'restoreAndLowerLr' })
  const [parted, onward] = [1, 2].map(() =>
    begin({ onDivergence: 'restoreAndLowerLr', checkpoint }),
  )
  let reports: EpochReport[] = []
  await warningsOf(async () => {
    const { epochs, ended } = await lowered.run()
    t.equal(ended, 'epochs')
    reports = epochs
    await parted.run({ epochs: 4 })
    await onward.run()
  })
  const returns = reports.map((report) => report.returns ?? 0)
  t.strictSame(returns.slice(0, 3), [0, 0, 0])
  t.ok(returns[3] > 0, `${returns[3]} returns in the fourth epoch`)
  const rate = (step: number) => steep(step) / 10 ** returns[Math.floor(step / 3)]
  const wanted = begin({}, rate)
  const { epochs } = await wanted.run()
  t.strictSame(
    reports.map((report) => report.loss),
    epochs.map((report) => report.loss),
  )
  sameState(t, lowered, wanted)
  sameState(t, onward, wanted)
})

t.test('a checkpoint that is not finite is refused by name', async (t) => {
  setBackend('native')
  const checkpoint = `${t.testdir()}/file`
  await start({ checkpoint }).run({ epochs: 1 })
  const { tensors, metadata } = decodeSafetensors(readFileSync(checkpoint), checkpoint)
  const spoil = (name: string) => {
    const spoilt = new Map(tensors)
    const { shape, data } = tensors.get(name)!
    spoilt.set(name, { dtype: 'F32', shape, data: Float32Array.from(data).fill(Number.NaN, 0, 1) })
    const { training } = metadata
    const sha256 = checksumOf(spoilt, training)
    writeFileSync(checkpoint, encodeSafetensors(spoilt, { training, sha256 }))
  }
  const { model, run } = start({ checkpoint })
  const before = model.stateDict()
  for (const [name, found] of [
    ['model/layers.1.weight', 'NaN in layers.1.weight'],
    ['optimizer/velocity.1', 'NaN in the velocity of layers.1.bias'],
  ]) {
    spoil(name)
    await rejects(
      t,
      run(),
      DataError,
      `${checkpoint}: expected a checkpoint of this training, expected finite values, got ${found}; remove it to begin anew`,
    )
    t.strictSame(model.stateDict(), before, 'nothing is changed')
  }
})

t.test('options, and evaluate', async (t) => {
  const { model, run } = start()
  await rejects(
    t,
    run({ onDivergence: 'goBack' as never }),
    ArgumentError,
    'fit: expected onDivergence stop, restore, restoreAndLowerLr, got goBack',
  )
  model.parameters()[0].assign(new Float32Array(96).fill(Number.NaN))
  await rejects(
    t,
    evaluate(model, data, { loss }),
    DivergenceError,
    'evaluate: expected a finite loss, got NaN (NaN in layers.1.weight)',
  )
  const values = dataset({ inputs: [[1e30]], targets: [[0]] })
  const one = network([1, 1])
  one.parameters()[0].assign([1])
  await rejects(
    t,
    evaluate(one, values, { loss: mse }),
    DivergenceError,
    'evaluate: expected a finite loss, got Infinity (all parameters are finite)',
  )
})
