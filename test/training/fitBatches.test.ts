/** `fit` on batches from an iterable, and on several inputs and targets. */
import t from 'tap'
import {
  Accuracy,
  Adam,
  ArgumentError,
  type BatchArrays,
  type BatchFitOptions,
  DataLoader,
  DivergenceError,
  dataset,
  Embedding,
  fit,
  Generator,
  Linear,
  Module,
  mse,
  Parameter,
  SGD,
  ShapeError,
  softmaxCrossEntropy,
  softmaxCrossEntropyLoss,
  type Tensor,
  type TrainingHistory,
  tensor,
  zeros,
} from '../../lib/index.js'
import {
  nearParameters,
  network,
  onBothBackendsLater,
  rejects,
  sameParameters,
  settledMemory,
  warningsOf,
} from '../support/engine.js'
import { wrong } from '../support/reference.js'

const SIZE = 40
const rows = new Generator(7).normal([SIZE, 4]).toArray() as number[][]
const labels = rows.map(([a, b]) => (a > 0.5 ? 2 : b > 0 ? 1 : 0))
const data = dataset({ inputs: rows, targets: labels })
const loss = softmaxCrossEntropy

/** Batches of 8, in the order of the data. */
function* slices(
  form = (inputs: number[][], targets: number[]): BatchArrays => ({ inputs, targets }),
) {
  for (let i = 0; i < SIZE; i += 8) yield form(rows.slice(i, i + 8), labels.slice(i, i + 8))
}
const again = { [Symbol.iterator]: () => slices() }

const start = () => {
  const model = network([4, 6, 3])
  const optimizer = new Adam(model.parameters(), { lr: 0.02 })
  return { model, options: { loss, optimizer, epochs: 3 } }
}

async function expected() {
  const { model, options } = start()
  const history = await fit(model, data, { ...options, batchSize: 8, shuffle: false })
  return { model, losses: history.epochs.map((report) => report.loss) }
}

onBothBackendsLater('an iterable trains as the data set does', async (t) => {
  const wanted = await expected()
  const forms = [
    (inputs: number[][], targets: number[]) => ({ inputs, targets }),
    (inputs: number[][], targets: number[]) => ({
      inputs: { data: Float32Array.from(inputs.flat()), shape: [8, 4] },
      targets: Int32Array.from(targets),
    }),
    (inputs: number[][], targets: number[]) => ({
      inputs: tensor(inputs),
      targets: tensor(Int32Array.from(targets)),
    }),
  ]
  for (const form of forms) {
    const [, buffers] = await settledMemory()
    const { model, options } = start()
    const sources = [
      { [Symbol.iterator]: () => slices(form) },
      {
        async *[Symbol.asyncIterator]() {
          yield* slices(form)
        },
      },
    ]
    const { epochs } = await fit(model, sources[0], options)
    t.strictSame(
      epochs.map((report) => report.examples),
      [SIZE, SIZE, SIZE],
    )
    nearParameters(t, model, wanted.model, 1e-5, 'an iterable')
    const other = start()
    await fit(other.model, sources[1], other.options)
    sameParameters(t, other.model, model, 'an asynchronous one')
    model.dispose()
    other.model.dispose()
    options.optimizer.dispose()
    other.options.optimizer.dispose()
    // Tensors are the caller's, and the collector's.
    t.equal((await settledMemory())[1], buffers)
  }
})

t.test('metrics, with the numbers that they have beside a data set', async (t) => {
  const metrics = ['accuracy', 'f1'] as const
  const given = [start(), start()]
  const wanted = await fit(given[0].model, data, {
    ...{ ...given[0].options, metrics, validation: data },
    ...{ batchSize: 8, shuffle: false },
  })
  const { epochs } = await fit(given[1].model, again, {
    ...{ ...given[1].options, metrics, validation: again },
  })
  for (const [i, { metrics, validationMetrics }] of epochs.entries()) {
    t.strictSame(metrics, wanted.epochs[i].metrics)
    t.strictSame(validationMetrics, wanted.epochs[i].validationMetrics)
  }
  t.ok((epochs[2].validationMetrics?.accuracy as number) > 0)
  // A label that the loss ignores does not count.
  const ignoring = start()
  const few = await fit(ignoring.model, again, {
    ...ignoring.options,
    loss: softmaxCrossEntropyLoss({ ignoreIndex: 2 }),
    epochs: 1,
    metrics: [new Accuracy()],
    validation: { inputs: rows.slice(0, 8), targets: [0, 2, 2, 2, 2, 2, 2, 2] },
  })
  t.ok([0, 1].includes(few.epochs[0].validationMetrics?.accuracy as number))
  const several = start()
  await rejects(
    t,
    fit(several.model, { inputs: rows, targets: { y: labels } }, { ...several.options, metrics }),
    ArgumentError,
    /^fit: expected one output and one target beside metrics, got one and targets \{ y \}$/,
  )
})

t.test('a loader, and batches of several sizes', async (t) => {
  const { model, options } = start()
  const loader = new DataLoader(data, { batchSize: 8 })
  await fit(model, loader, options)
  loader.dispose()
  nearParameters(t, model, (await expected()).model, 1e-5, 'a loader')
  const { model: other, options: given } = start()
  const steps: [number, number][] = []
  const { epochs } = await fit(
    other,
    { inputs: rows, targets: labels },
    {
      ...given,
      batchSize: 16,
      shuffle: false,
      verbose: 0,
      onStep: ({ step, stepsPerEpoch }) => steps.push([step, stepsPerEpoch]),
    },
  )
  t.strictSame(steps.slice(0, 4), [
    [1, 3],
    [2, 3],
    [3, 3],
    [1, 3],
  ])
  const whole = start()
  const wanted = await fit(whole.model, data, { ...whole.options, batchSize: 16, shuffle: false })
  nearParameters(t, other, whole.model, 1e-5, 'arrays')
  t.ok(Math.abs(epochs[2].loss - wanted.epochs[2].loss) < 1e-5)
})

/** A generator that says when it is closed. */
function endless(closed: { times: number }, failAt = Infinity) {
  let at = 0
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          if (at === failAt) throw new Error('the disk is gone')
          const i = (8 * at++) % SIZE
          yield { inputs: rows.slice(i, i + 8), targets: labels.slice(i, i + 8) }
        }
      } finally {
        closed.times++
      }
    },
  }
}

t.test('one that goes on from epoch to epoch, and is closed', async (t) => {
  const closed = { times: 0 }
  const { model, options } = start()
  const { epochs } = await fit(model, endless(closed), { ...options, stepsPerEpoch: 5 })
  t.strictSame(
    epochs.map((report) => report.examples),
    [SIZE, SIZE, SIZE],
  )
  t.equal(closed.times, 1)
  nearParameters(t, model, (await expected()).model, 1e-5, 'as the data set')

  const { model: cut, options: given } = start()
  const few = await fit(cut, slices(), { ...given, stepsPerEpoch: 3 })
  t.strictSame(
    few.epochs.map((report) => report.examples),
    [24, 16],
    'until it ends',
  )
  const abort = new AbortController()
  const aborted = await fit(cut, endless(closed), {
    ...given,
    signal: abort.signal,
    onStep: ({ step }) => step === 2 && abort.abort(),
  })
  t.equal(aborted.ended, 'aborted')
  t.equal(aborted.epochs[0].examples, 16)
  t.equal(closed.times, 2, 'closed when aborted')
})

t.test('errors are passed on, and the iterable is closed', async (t) => {
  for (const stepsPerEpoch of [undefined, 2]) {
    const closed = { times: 0 }
    const { model, options } = start()
    const all = { ...options, stepsPerEpoch }
    await rejects(t, fit(model, endless(closed, 3), all), Error, 'the disk is gone')
    t.equal(closed.times, 1)
    const onStep = () => {
      throw new Error('enough')
    }
    await rejects(t, fit(model, endless(closed), { ...all, onStep }), Error, 'enough')
    t.equal(closed.times, 2)
    t.equal(model.training, false)
    await fit(model, again, options)
  }
  const { model, options } = start()
  await rejects(
    t,
    fit(model, slices(), options),
    ArgumentError,
    /^fit: expected batches in pass 2, got none; a generator goes through its own once: give stepsPerEpoch/,
  )
  await rejects(t, fit(model, [][Symbol.iterator](), options), ArgumentError, /in pass 1, got none/)
})

class Gated extends Module<[x: Tensor, gate: Tensor], { y: Tensor; open: Tensor }> {
  inner = new Linear(3, 2, { generator: new Generator(1) })
  forward(x: Tensor, gate: Tensor) {
    const open = gate.sigmoid()
    return { y: this.inner.forward(x).mul(open), open }
  }
}
class ByName extends Module<[{ x: Tensor; gate: Tensor }], { y: Tensor; open: Tensor }> {
  gated = new Gated()
  forward({ x, gate }: { x: Tensor; gate: Tensor }) {
    return this.gated.forward(x, gate)
  }
}

const x = rows.map((row) => row.slice(0, 3))
const gate = rows.map(([, , , g]) => [g])
const y = rows.map(([a, b]) => [a + b, a - b])
const shaped = (of: number[][]) => ({
  data: Float32Array.from(of.flat()),
  shape: [SIZE, of[0].length],
})

onBothBackendsLater('several inputs and outputs, by name and in a list', async (t) => {
  const byHand = new ByName()
  const hand = new SGD(byHand.parameters(), { lr: 0.1 })
  for (let epoch = 0; epoch < 2; epoch++) {
    for (let i = 0; i < SIZE; i += 8) {
      const of = (part: number[][]) => tensor(part.slice(i, i + 8))
      const outputs = byHand.forward({ x: of(x), gate: of(gate) })
      mse(outputs.y, of(y))
        .add(mse(outputs.open, of(gate)))
        .backward()
      hand.step()
      hand.zeroGrad()
    }
  }
  const common = { epochs: 2, batchSize: 8, shuffle: false }
  const targets = { y, open: gate }
  const trained: Module<never, unknown>[] = []
  for (const losses of [
    { losses: { y: mse, open: mse } },
    {
      loss: (outputs: { y: Tensor; open: Tensor }, targets: { y: Tensor; open: Tensor }) =>
        mse(outputs.y, targets.y).add(mse(outputs.open, targets.open)),
    },
  ]) {
    const model = new ByName()
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const validation = { inputs: { x, gate }, targets }
    const options = { ...common, ...losses, optimizer, validation, keepBest: true }
    const { epochs } = await fit(model, { inputs: { x, gate }, targets }, options)
    t.ok((epochs[1].validationLoss as number) < (epochs[0].validationLoss as number))
    trained.push(model as never)
  }
  const listed = new Gated()
  await fit(
    listed,
    { inputs: [shaped(x), shaped(gate)], targets: { y: shaped(y), open: shaped(gate) } },
    {
      ...common,
      losses: { y: mse, open: mse },
      optimizer: new SGD(listed.parameters(), { lr: 0.1 }),
    },
  )
  nearParameters(t, trained[0] as never, byHand as never, 1e-5, 'losses by name')
  sameParameters(t, trained[1] as never, trained[0] as never, 'a loss of everything')
  const [found, wanted] = [listed.inner, byHand.gated.inner]
  nearParameters(t, found as never, wanted as never, 1e-5, 'in a list')
})

t.test('indices and values read inside, early stopping', async (t) => {
  class Words extends Module<[{ words: Tensor<'int32'>; x: Tensor }], Tensor> {
    words = new Embedding(6, 3)
    out = new Linear(3, 1)
    forward({ words, x }: { words: Tensor<'int32'>; x: Tensor }): Tensor {
      x.data()
      return this.out.forward(this.words.forward(words).add(x))
    }
  }
  const model = new Words()
  const words = Int32Array.from(labels)
  const inputs = { words: { data: words, shape: [SIZE] }, x }
  const targets = Float32Array.from(rows, ([a]) => a)
  const lrs = new SGD(model.parameters(), { lr: 1e-12 })
  const warnings = await warningsOf(async () => {
    const { ended, epochs } = await fit(
      model,
      { inputs, targets },
      {
        loss: mse,
        optimizer: lrs,
        epochs: 9,
        validation: { inputs, targets },
        earlyStopping: { patience: 2 },
      },
    )
    t.equal(ended, 'earlyStopping')
    t.ok(epochs.length < 9)
  })
  t.match(warnings[0], /^fit: steps run one by one on this thread/)
})

onBothBackendsLater('what is done at each step, and after each epoch', async (t) => {
  const settings = {
    clipNorm: 0.25,
    clipValue: 0.125,
    ema: { decay: 0.8 },
    reduceOnPlateau: { patience: 0, factor: 0.5, threshold: 0.5 },
    epochs: 5,
    batchSize: 8,
    shuffle: false,
  }
  const [found, wanted] = [start(), start()]
  const arrays = { inputs: rows, targets: labels }
  const options = { ...found.options, ...settings, keepBest: true, validation: arrays }
  const ofArrays = await fit(found.model, arrays, options)
  const ofData = await fit(wanted.model, data, {
    ...wanted.options,
    ...settings,
    keepBest: true,
    validation: data,
  })
  nearParameters(t, found.model, wanted.model, 1e-5, 'as on the data set')
  const rates = (history: TrainingHistory) => history.epochs.map(({ lr }) => lr)
  t.strictSame(rates(ofArrays), rates(ofData))
  t.ok(ofArrays.epochs[4].lr < 0.01, 'the rate was lowered')
})

t.test(
  'numbers that int32 does not hold, tensors of other dtypes, a list of batches',
  async (t) => {
    const big = rows.map((_, i) => 3e9 + 3e7 * i)
    const model = network([4, 1])
    const first = async (inputs: BatchArrays['inputs'], targets: BatchArrays['targets']) => {
      const optimizer = new SGD(model.parameters(), { lr: 1e-30 })
      const options = { loss: mse, optimizer, epochs: 1, batchSize: SIZE, shuffle: false }
      return (await fit(model, { inputs, targets }, options)).epochs[0].loss
    }
    const wanted = mse(model.forward(tensor(rows)), tensor(big.map((value) => [value]))).item()
    for (const targets of [big, Uint32Array.from(big), big.map((value) => [value])]) {
      t.equal(await first(rows, targets), wanted)
    }
    const { model: classes, options } = start()
    const wrapped = labels.map((label) => label + 2 ** 32)
    await rejects(
      t,
      fit(classes, { inputs: rows, targets: wrapped }, options),
      ShapeError,
      /got \[32, 1\]; class labels are/,
    )
    const float64 = tensor(rows, [SIZE, 4], 'float64')
    await rejects(
      t,
      first(wrong(float64), big),
      ArgumentError,
      /expected a float64 tensor, got float32/,
    )
    const listed = await fit(classes, [...slices()], options)
    nearParameters(t, classes, (await expected()).model, 1e-5, 'a list of batches')
    t.equal(listed.epochs[2].examples, SIZE)
    await rejects(t, fit(classes, wrong(rows), options), ArgumentError, /expected a data set/)
  },
)

t.test('what is refused', async (t) => {
  const { model, options } = start()
  const before = model.stateDict()
  const cases: [data: unknown, options: object, type: typeof ArgumentError, message: RegExp][] = [
    [
      again,
      { checkpoint: 'a' },
      ArgumentError,
      /^fit: expected a data set, .* beside checkpoint, got batches$/,
    ],
    [again, { metrics: ['f2'] }, ArgumentError, /^fit: .*f2/],
    [again, { stepPerEpoch: 1 }, ArgumentError, /did you mean stepsPerEpoch\?$/],
    [again, { stepsPerEpoch: 0 }, ArgumentError, /stepsPerEpoch >= 1, got 0/],
    [again, { batchSize: 8 }, ArgumentError, /^fit: batchSize is for arrays/],
    [
      { inputs: rows, targets: labels },
      { stepsPerEpoch: 2 },
      ArgumentError,
      /^fit: stepsPerEpoch is for an iterable/,
    ],
    [again, { loss: undefined }, ArgumentError, /^fit: expected loss or losses, got neither$/],
    [again, { losses: { y: mse } }, ArgumentError, /^fit: expected loss or losses, got both$/],
    [
      again,
      { loss: undefined, losses: {} },
      ArgumentError,
      /losses by the names of outputs, got \{\}$/,
    ],
    [again, { loss: undefined, losses: { y: 'mse' } }, ArgumentError, /a loss for y, got mse$/],
    [
      again,
      { loss: undefined, losses: { y: mse } },
      ArgumentError,
      /for each of losses, got one tensor without y$/,
    ],
    [
      again,
      { validation: 0.2 },
      ArgumentError,
      /validation as batches or \{ inputs, targets \}, got 0.2$/,
    ],
    [again, { epochs: -1 }, ArgumentError, /epochs >= 0, got -1$/],
    [
      new Set([[1, 2]]),
      {},
      ArgumentError,
      /^fit: expected batches \{ inputs, targets \}, got \[1, 2\]$/,
    ],
    [
      { inputs: rows, targets: labels.slice(1) },
      {},
      ShapeError,
      /in all inputs and targets, got 40, 39$/,
    ],
    [
      { inputs: [[1, Number.NaN]], targets: [0] },
      {},
      ArgumentError,
      /inputs: expected finite numbers, got NaN at 1$/,
    ],
    [
      { inputs: { x: 'a' }, targets: [0] },
      {},
      ArgumentError,
      /^fit: inputs x: expected a number, arrays/,
    ],
    [
      { inputs: tensor(1), targets: tensor(1) },
      {},
      ShapeError,
      /at least one, in all inputs and targets, got a scalar, a scalar$/,
    ],
    [
      { inputs: { data: [1, 2], shape: [-1, -2] }, targets: [0] },
      {},
      ShapeError,
      /^fit: inputs: expected a shape of integers >= 0, got \[ ?-1, -2 ?\]$/,
    ],
    [
      { inputs: { data: [1, 2], shape: [1, 3] }, targets: [0] },
      {},
      ShapeError,
      /for the shape \[ ?1, 3 ?\], got 2/,
    ],
  ]
  for (const [given, changes, type, message] of cases) {
    const all = { ...options, ...changes } as BatchFitOptions
    await rejects(t, fit(model, wrong(given), all), type, message)
  }
  t.strictSame(model.stateDict(), before)
  const mixed = {
    *[Symbol.iterator]() {
      yield { inputs: rows.slice(0, 4), targets: labels.slice(0, 4) }
      yield { inputs: { x: rows.slice(0, 4) }, targets: labels.slice(0, 4) }
    },
  }
  await rejects(
    t,
    fit(model, mixed, options),
    ArgumentError,
    'fit: expected batches of inputs one and targets one as at first, got inputs { x } and targets one',
  )
  class Large extends Module {
    weight = new Parameter(zeros([1]))
    forward(x: Tensor): Tensor {
      return x.sum(-1).add(this.weight).exp().exp().exp().unsqueeze(-1)
    }
  }
  const large = new Large()
  await rejects(
    t,
    fit(
      large,
      { inputs: rows, targets: Float32Array.from(labels) },
      { loss: mse, optimizer: new SGD(large.parameters(), { lr: 1 }), epochs: 1 },
    ),
    DivergenceError,
    /^fit: the loss became (NaN|Infinity) in epoch 1, step 1; try a smaller lr/,
  )
})
