/** A checkpoint belongs to one training: what differs is refused by name, or accepted and noted. */
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { version } from '../../lib/base/version.js'
import {
  Adam,
  ArgumentError,
  DataError,
  type Dataset,
  dataset,
  type EpochReport,
  type FitOptions,
  fit,
  Generator,
  huberLoss,
  Linear,
  type Loss,
  l1,
  l2,
  Module,
  mlp,
  mse,
  type Parameter,
  type Regularizer,
  Sequential,
  SGD,
  type SGDSettings,
  schedules,
  setBackend,
  softmaxCrossEntropy,
  softmaxCrossEntropyLoss,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { decodeSafetensors } from '../../lib/io/safetensors.js'
import { rewriteCheckpoint } from '../support/checkpoints.js'
import { root } from '../support/cli.js'
import { rejects, sameParameters } from '../support/engine.js'

const size = 30
const inputs = new Generator(1).normal([size, 6]).data()
const targets = Int32Array.from({ length: size }, (_, i) => i % 3)
const data = dataset({ inputs, inputShape: [6], targets })

const changed = (values: Float32Array, at: number) =>
  values.map((value, i) => (i === at ? value + 1 : value))

interface Plan {
  model?: Module
  data?: Dataset
  settings?: Partial<SGDSettings>
  make?: (parameters: Parameter[]) => FitOptions['optimizer']
  options?: Partial<FitOptions>
}

async function train(checkpoint: string, { options, ...plan }: Plan = {}) {
  const { model = network('relu'), settings } = plan
  const { make = (w: Parameter[]) => new SGD(w, { lr: 0.1, momentum: 0.5, ...settings }) } = plan
  const optimizer = make(model.parameters())
  return fit(model, plan.data ?? data, {
    loss: softmaxCrossEntropy,
    optimizer,
    epochs: 1,
    batchSize: 8,
    seed: 0,
    checkpoint,
    ...options,
  })
}

function network(activation: 'relu' | 'tanh', units = [6, 5, 3]): Module {
  return mlp(units, { activation, generator: new Generator(1) })
}

interface Notes {
  identity: Record<string, unknown> & { step: { digest: string | null; names: string } }
  accepted: { name: string; epochs: number; was: unknown; is: unknown }[]
  position: { epoch: number; step: number }
  [field: string]: unknown
}

const notesIn = (file: string): Notes =>
  JSON.parse(decodeSafetensors(readFileSync(file), file).metadata.training)

/** The file with other notes. */
const rewrite = rewriteCheckpoint<Notes>

const twice: Loss = (outputs, labels) => softmaxCrossEntropy(outputs, labels).mul(2)
const thrice: Loss = (outputs, labels) => softmaxCrossEntropy(outputs, labels).mul(3)

/** Two layers of one shape, one after the other. */
class Pair extends Module {
  readonly one = new Linear(6, 6, { generator: new Generator(1) })
  readonly other = new Linear(6, 6, { generator: new Generator(2) })
  constructor(readonly swapped: boolean) {
    super()
  }
  forward(x: Tensor): Tensor {
    const [first, second] = this.swapped ? [this.other, this.one] : [this.one, this.other]
    return second.forward(first.forward(x))
  }
}

/** Adds numbers that it makes of an array each time. */
class Shifted extends Module {
  readonly inner = network('relu')
  constructor(readonly shifts: number[]) {
    super()
  }
  forward(x: Tensor): Tensor {
    return this.inner.forward(x.add(tensor(this.shifts)))
  }
}

/** A penalty of one's own: an optimizer does not know it. */
const own = (lambda: number): Regularizer => ({
  penalty: (weight) => weight.square().square().sum().mul(lambda),
})

const groups = (biasLr: number) => (w: Parameter[]) =>
  new SGD(
    [
      { parameters: w.filter(({ regularized }) => regularized) },
      { parameters: w.filter(({ regularized }) => !regularized), lr: biasLr },
    ],
    { lr: 0.1 },
  )

const valid = (at: number) => ({
  options: { validation: dataset({ inputs: changed(inputs, at), inputShape: [6], targets }) },
})

/** Two trainings, and in what they differ. */
const pairs: Record<string, readonly [Plan, Plan, RegExp]> = {
  activation: [
    {},
    { model: network('tanh') },
    /in step \(was Linear, ReLU, Linear; softmaxCrossEntropy, is Linear, Tanh, Linear; soft/,
  ],
  loss: [{}, { options: { loss: mse } }, /in step \(was .*; softmaxCrossEntropy, is .*; mse\);/],
  'a number in the loss': [
    { options: { loss: twice } },
    { options: { loss: ((...args) => thrice(...args)) as Loss } },
    /in step \(/,
  ],
  'weights of classes': [
    { options: { loss: softmaxCrossEntropyLoss({ classWeights: [1, 2, 3] }) } },
    { options: { loss: softmaxCrossEntropyLoss({ classWeights: [1, 2, 4] }) } },
    /in step \(was .*softmaxCrossEntropy\({"classWeights":\[1,2,3\]}\), is .*\[1,2,4\]}\)\);/,
  ],
  'numbers in the model': [
    { model: new Shifted([1, 2, 3, 4, 5, 6]) },
    { model: new Shifted([1, 2, 3, 4, 5, 7]) },
    /in step \(the same modules and loss by name, but other numbers/,
  ],
  augment: [
    {},
    { options: { augment: (x) => x.mul(2) } },
    /in step \(was Linear, ReLU, Linear; softmaxCrossEntropy, is .*; augmented\);/,
  ],
  'layers in another order': [
    { model: new Pair(false) },
    { model: new Pair(true) },
    /in step \(the same modules/,
  ],
  lr: [{}, { settings: { lr: 0.2 } }, /in lr \(was 0\.1, is 0\.2\); .*resumeWith: \['lr'\]/],
  schedule: [
    { settings: { lr: schedules.cosine(0.1, 60) } },
    { settings: { lr: schedules.cosine(0.1, 61) } },
    /in lr \(was cosine\(0\.1, 60, 0\), is cosine\(0\.1, 61, 0\)\);/,
  ],
  'schedule of steps': [
    { settings: { lr: schedules.stepDecay(0.1, 600) } },
    { settings: { lr: schedules.exponential(0.1, 0.9) } },
    /in lr \(was stepDecay\(0\.1, 600, 0\.1\), is exponential\(0\.1, 0\.9\)\);/,
  ],
  'schedule of one’s own': [
    { settings: { lr: (step) => (step < 150 ? 0.1 : 0.01) } },
    { settings: { lr: (step) => (step < 250 ? 0.1 : 0.01) } },
    /in lr \(was a function \(0\.1, .*, is a function \(0\.1, /,
  ],
  momentum: [
    {},
    { settings: { momentum: schedules.constant(0.5) } },
    /in momentum \(was 0\.5, is constant\(0\.5\)\);/,
  ],
  nesterov: [{}, { settings: { nesterov: true } }, /in nesterov \(was none, is true\);/],
  l1: [
    { settings: { regularizer: l1(0.01) } },
    { settings: { regularizer: l1(0.02) } },
    /in regularizer \(was l1\(0\.01\), is l1\(0\.02\)\);/,
  ],
  l2: [
    {},
    { settings: { regularizer: [l1(0.01), l2(0.02)] } },
    /in regularizer \(was none, is l1\(0\.01\) \+ l2\(0\.02\)\);/,
  ],
  'regularizer of one’s own': [
    { settings: { regularizer: own(0.1) } },
    { settings: { regularizer: own(0.2) } },
    /in step \(the same modules/,
  ],
  maxNorm: [
    { settings: { maxNorm: 1 } },
    { settings: { maxNorm: 2 } },
    /in maxNorm \(was 1, is 2\)/,
  ],
  'a group’s lr': [
    { make: groups(0.1) },
    { make: groups(0.2) },
    /in lr \(was 0\.1, is \[0\.1, 0\.2\]\)/,
  ],
  inputs: [
    {},
    { data: dataset({ inputs: changed(inputs, 179), inputShape: [6], targets }) },
    /in data \(other contents\);/,
  ],
  targets: [
    {},
    { data: dataset({ inputs, inputShape: [6], targets: targets.map((label) => 2 - label) }) },
    /in data \(other contents\);/,
  ],
  'validation data': [valid(0), valid(1), /in validation \(other contents\);/],
  'validation at all': [{}, valid(0), /in validation \(was none, is /],
  seed: [{}, { options: { seed: 1 } }, /in seed \(was 0, is 1\);/],
  batchSize: [{}, { options: { batchSize: 9 } }, /in batchSize \(was 8, is 9\), step \(/],
}

for (const [title, [one, other, message]] of Object.entries(pairs)) {
  t.test(`another training is refused: ${title}`, async (t) => {
    const file = `${t.testdir()}/file`
    await train(file, one)
    await train(file, one)
    const before = readFileSync(file)
    await rejects(t, train(file, other), DataError, message)
    t.ok(readFileSync(file).equals(before))
    const names = /resumeWith: \[(.*)\] \(--resume-with/.exec(await refusalOf(file, other))![1]
    const resumeWith = names.split(', ').map((name) => name.slice(1, -1))
    const options = { epochs: 2, ...other.options, resumeWith }
    const { epochs } = await train(file, { ...other, options })
    t.equal(epochs.length, options.epochs, 'goes on where all is accepted')
    const { accepted } = notesIn(file)
    t.strictSame(
      accepted.map(({ name }) => name),
      resumeWith,
    )
    await train(file, other)
    t.strictSame(notesIn(file).accepted, accepted, 'and is that training from then on')
  })
}

async function refusalOf(file: string, plan: Plan): Promise<string> {
  return train(file, plan).then(
    () => '',
    ({ message }: Error) => message,
  )
}

t.test('what is accepted is noted at once, and only what is named is accepted', async (t) => {
  const file = `${t.testdir()}/file`
  await train(file, { options: { epochs: 3 } })
  const other = { model: network('tanh'), settings: { lr: 0.2 } }
  const some = train(file, { ...other, options: { resumeWith: ['lr', 'data'] } })
  await rejects(t, some, DataError, /in lr \(.*, step \(.*resumeWith: \['lr', 'step'\]/)
  await train(file, { ...other, options: { resumeWith: ['lr', 'step'] } })
  const { accepted, position } = notesIn(file)
  t.match(accepted, [
    { name: 'lr', epochs: 3, was: 0.1, is: 0.2 },
    { name: 'step', epochs: 3 },
  ])
  t.strictSame(position, { epoch: 3, step: 0 })
})

t.test('settings that a callback changed are kept, unless others are accepted', async (t) => {
  const dir = t.testdir()
  const run = async (checkpoint: string, epochs: number, lr = 0.1, resumeWith: string[] = []) => {
    const model = network('relu')
    const optimizer = new SGD(model.parameters(), { lr, momentum: schedules.constant(0.5) })
    const onEpoch = ({ epoch }: EpochReport) => {
      if (epoch === 2) optimizer.groups[0].lr = 0.01
    }
    const options = { loss: softmaxCrossEntropy, optimizer, batchSize: 8, seed: 0, onEpoch }
    const history = await fit(model, data, { ...options, epochs, checkpoint, resumeWith })
    return { model, lrs: history.epochs.map(({ lr }) => lr) }
  }
  const whole = await run(`${dir}/whole`, 6)
  for (const epochs of [2, 4, 6]) {
    const part = await run(`${dir}/parts`, epochs)
    t.strictSame(part.lrs, whole.lrs.slice(0, epochs))
    if (epochs === 6) sameParameters(t, part.model, whole.model, 'resumed')
  }
  const { lrs } = await run(`${dir}/parts`, 7, 0.2, ['lr'])
  t.equal(lrs.at(-1), 0.2)
  const file = `${dir}/parts`
  const strange = [
    { group: 7, name: 'lr', value: 1 },
    { group: 0, name: 'momentum', value: 1 },
    { group: 0, name: 'none', value: 1 },
  ]
  rewrite(file, (notes) => ({ ...notes, changed: strange }))
  t.equal((await run(file, 8, 0.2)).lrs.at(-1), 0.2, 'what is no setting is left alone')
})

t.test('a learning rate that is accepted holds as it is after returns, too', async (t) => {
  const file = `${t.testdir()}/file`
  await train(file)
  const good = readFileSync(file)
  const lrs = async (plan: Plan) => (await train(file, plan)).epochs.map(({ lr }) => lr)
  for (const [plan, wanted] of [
    [{ options: { epochs: 2 } }, [0.1, 0.001]],
    [{ settings: { lr: 0.2 }, options: { epochs: 2, resumeWith: ['lr'] } }, [0.1, 0.2]],
  ] as const) {
    writeFileSync(file, good)
    rewrite(file, (notes) => ({
      ...notes,
      epochs: (notes.epochs as object[]).map((report) => ({ ...report, returns: 2 })),
    }))
    t.strictSame(await lrs(plan as Plan), wanted)
  }
})

t.test('a state that does not fit is refused whatever is accepted', async (t) => {
  const file = `${t.testdir()}/file`
  await train(file)
  const wider = train(file, {
    model: network('relu', [6, 7, 3]),
    options: { resumeWith: ['step', 'parameters'] },
  })
  const shapes =
    /parameters \(layers\.0\.bias \(was \[5\], is \[7\]\), .*; begin again with another file$/
  await rejects(t, wider, DataError, shapes)
  const make = (w: Parameter[]) => new Adam(w, { lr: 0.1 })
  const adam = train(file, { make, options: { resumeWith: ['optimizer', 'step', 'momentum'] } })
  await rejects(t, adam, DataError, /optimizer \(was SGD, is Adam\)/)
  const reordered = new Sequential(...[...(network('relu') as Sequential).layers].reverse())
  await rejects(t, train(file, { model: reordered }), Error, /./)
})

t.test('what it was computed by does not matter', async (t) => {
  const file = `${t.testdir()}/file`
  t.teardown(() => setBackend('native'))
  setBackend('js')
  await train(file, { model: network('relu') })
  setBackend('native')
  const { epochs } = await train(file, { model: network('relu'), options: { epochs: 2 } })
  t.equal(epochs.length, 2)
})

t.test('the version is part of it', async (t) => {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  t.equal(version, manifest.version)
  const file = `${t.testdir()}/file`
  await train(file)
  rewrite(file, (notes) => ({ ...notes, identity: { ...notes.identity, version: '0.0.9' } }))
  await rejects(t, train(file), DataError, /in version \(was 0\.0\.9, is /)
  await train(file, { options: { resumeWith: ['version'] } })
})

/** Reads a value on its way, so that its steps cannot be captured. */
class Reading extends Module {
  readonly inner = network('relu')
  forward(x: Tensor): Tensor {
    x.max().item()
    return this.inner.forward(x)
  }
}

t.test('a step that cannot be captured: the file says so, the rest is compared', async (t) => {
  const file = `${t.testdir()}/file`
  const plan = { model: new Reading() }
  await train(file, plan)
  t.strictSame(notesIn(file).identity.step, {
    digest: null,
    names: 'Reading, Linear, ReLU, Linear; softmaxCrossEntropy',
  })
  const { epochs } = await train(file, { ...plan, options: { epochs: 2 } })
  t.equal(epochs.length, 2)
  const other = train(file, { ...plan, options: { loss: mse } })
  await rejects(
    t,
    other,
    DataError,
    /in step \(was Reading, .*; softmaxCrossEntropy, is Reading, .*; mse\)/,
  )
  await rejects(t, train(file, { ...plan, settings: { lr: 0.2 } }), DataError, /in lr /)
  const delta = (value: number) => ({ ...plan, options: { loss: huberLoss(value) } })
  await train(`${file}-huber`, delta(1))
  const sharper = train(`${file}-huber`, delta(0.5))
  await rejects(t, sharper, DataError, /huber\(1\), is .* huber\(0\.5\)\)/)
})

t.test('files of the format before, and positions in an epoch', async (t) => {
  const file = `${t.testdir()}/file`
  await train(file)
  const good = readFileSync(file)
  const refused = async (change: (notes: Notes) => object, message: RegExp) => {
    writeFileSync(file, good)
    rewrite(file, change)
    await rejects(t, train(file), DataError, message)
  }
  await refused(
    ({ epochs, optimizer, steps, best }) => ({ settings: {}, epochs, optimizer, steps, best }),
    /one of an earlier version, which did not keep what it was the training of; end that/,
  )
  await refused((notes) => ({ ...notes, format: 4 }), /expected one of format 3, got 4/)
  const begun = { examples: 16, sum: 1, milliseconds: 1 }
  for (const wrong of [
    { position: { epoch: 2, step: 0 } },
    { position: { epoch: 1, step: 2 } },
    { position: { epoch: 1, step: -1 }, begun },
    { position: { epoch: 1, step: 2 }, begun: { ...begun, sum: 'NaN' } },
    { begun },
    { position: undefined },
    { identity: null },
    { accepted: 'all' },
    { changed: null },
    { steps: 1.5 },
  ]) {
    await refused((notes) => ({ ...notes, ...wrong }), /expected identity, position, epochs and/)
  }
})

t.test('resumeWith is checked', async (t: Test) => {
  const file = `${t.testdir()}/file`
  for (const resumeWith of ['lr', [1], {}]) {
    const training = train(file, { options: { resumeWith: resumeWith as never } })
    await rejects(t, training, ArgumentError, /^fit: expected names in resumeWith, got /)
  }
  const options = { checkpoint: undefined, resumeWith: ['lr'] }
  await rejects(
    t,
    train(file, { options }),
    ArgumentError,
    'fit: resumeWith needs a checkpoint or a run',
  )
})
