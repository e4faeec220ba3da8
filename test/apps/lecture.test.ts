/**
 * What the lecture claims, item by item, at small scale. The experiments that take a second or two
 * are run as they are, with everything they assert; what only the long ones show has a test of its
 * own, here or in the file that is named. The last test sees to it that no item is left out.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { experiments } from '../../lib/apps/lecture/index.js'
import {
  digits,
  evaluate,
  fit,
  Generator,
  init,
  Linear,
  l1,
  l2,
  mlp,
  type Regularizer,
  SGD,
  scope,
  setBackend,
  setSeed,
  softmaxCrossEntropy,
  split,
  tensor,
} from '../../lib/index.js'
import { hasOneOrder, onBothBackendsLater, rounding } from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'

const ITEMS = 18
const shown = new Set<number>()

/** The experiments that need no MNIST and no minutes. */
const quickOnes = [
  'neuron',
  'activations',
  'separation',
  'xor',
  'depth',
  'softmax',
  'risk',
  'sgd',
  'ingredients',
  'bounds',
  'gradients',
  'overfitting',
  'parity',
]

for (const name of quickOnes) {
  const experiment = experiments.find((candidate) => candidate.name === name)!
  for (const item of experiment.items) shown.add(item)
  t.test(`experiment ${name}`, async (t) => {
    setBackend('native')
    t.notOk(experiment.needsMnist)
    const { claims, figures } = await experiment.run({
      quick: true,
      seed: 0,
      signal: new AbortController().signal,
      progress: (done, total) => t.ok(done <= total, 'no further than its end'),
    })
    for (const { claim, measured, ok } of claims) t.ok(ok, `${claim}: ${measured}`)
    t.ok(claims.length > 0)
    t.ok(figures.length > 0)
    for (const { svg } of figures) t.match(svg, /^<svg.*<\/svg>$/s)
  })
}

/** A network that learned the small digits. */
async function train(settings: {
  activation?: 'relu' | 'sigmoid'
  scheme?: init.Initializer
  regularizer?: Regularizer
}) {
  setSeed(1)
  const { train: data, test } = split(digits(), 0.2, 1)
  const model = mlp([64, 12, 10], { activation: settings.activation, init: settings.scheme })
  const optimizer = new SGD(model.parameters(), { lr: 0.2, regularizer: settings.regularizer })
  await fit(model, data, { loss: softmaxCrossEntropy, optimizer, epochs: 5 })
  const { accuracy = 0 } = await evaluate(model, test, { loss: softmaxCrossEntropy })
  return { weights: model.parameters()[0], accuracy }
}

shown.add(11)
onBothBackendsLater('from zeros all hidden units stay the same', async (t, backend) => {
  const activation = 'sigmoid'
  const zeros = await train({ activation, scheme: init.zeros })
  const rows = zeros.weights.toArray() as number[][]
  // OpenBLAS may round some columns of a product otherwise, in each of the steps: five epochs of 45.
  const largest = Math.max(...rows.flat().map(Math.abs))
  const spread = hasOneOrder(backend) ? 0 : rounding(64, 5 * 45) * largest
  for (const row of rows) t.ok(Math.max(...row) - Math.min(...row) <= spread)
  const glorot = await train({ activation })
  for (const row of glorot.weights.toArray() as number[][]) t.equal(new Set(row).size, 12)
  t.ok(glorot.accuracy > zeros.accuracy + 0.3, `${glorot.accuracy} against ${zeros.accuracy}`)
})

onBothBackends('initial weights have the bounds and variances of their schemes', (t) => {
  const [fanIn, fanOut] = [300, 200]
  const variance = (scheme: init.Initializer) =>
    scheme([fanIn, fanOut], new Generator(3)).square().mean().item()
  const glorot = init.glorotUniform([fanIn, fanOut], new Generator(3)).abs().max().item()
  const bound = Math.sqrt(6 / (fanIn + fanOut))
  t.ok(glorot <= bound && glorot > 0.99 * bound, `${glorot} of ${bound}`)
  for (const [scheme, expected] of [
    [init.glorotNormal, 2 / (fanIn + fanOut)],
    [init.heUniform, 2 / fanIn],
    [init.heNormal, 2 / fanIn],
    [init.lecunUniform, 1 / fanIn],
    [init.lecunNormal, 1 / fanIn],
    [init.orthogonal(), 1 / fanIn],
  ] as const) {
    const ratio = variance(scheme) / expected
    t.ok(Math.abs(ratio - 1) < 0.03, `${ratio}`)
  }
  t.strictSame([...new Linear(4, 3).bias!.data()], [0, 0, 0])
})

shown.add(13)
onBothBackendsLater('L1 makes weights exactly zero, L2 none', async (t) => {
  const zeros = async (regularizer?: Regularizer) => {
    const { weights } = await train({ regularizer })
    return weights.data().filter((w) => w === 0).length
  }
  t.equal(await zeros(), 0)
  t.equal(await zeros(l2(5e-3)), 0)
  const withL1 = await zeros(l1(5e-3))
  t.ok(withL1 > 0.15 * 64 * 12, `${withL1}`)
})

onBothBackends('regularizers and weight decay move weights, never biases', (t) => {
  const x = new Generator(1).normal([8, 4])
  const labels = tensor([0, 1, 2, 0, 1, 2, 0, 1], [8], 'int32')
  const step = (settings: { regularizer?: Regularizer; weightDecay?: number }) => {
    const layer = new Linear(4, 3, { generator: new Generator(2) })
    layer.bias?.assign([1, -2, 3])
    const { weightDecay, regularizer } = settings
    const groups = [{ parameters: [layer.weight], weightDecay }, { parameters: [layer.bias!] }]
    const optimizer = new SGD(groups, { lr: 0.1, regularizer })
    scope(() => softmaxCrossEntropy(layer.forward(x), labels).backward())
    optimizer.step()
    return { weight: [...layer.weight.data()], bias: [...layer.bias!.data()] }
  }
  const free = step({})
  for (const regularizer of [l1(0.3), l2(0.3)]) {
    const penalized = step({ regularizer })
    t.strictSame(penalized.bias, free.bias)
    for (const [i, w] of penalized.weight.entries()) t.not(w, free.weight[i])
  }
  t.strictSame(
    step({ weightDecay: 0.6 }),
    step({ regularizer: l2(0.3) }),
    'weightDecay is 2·lambda',
  )
})

shown.add(17)
onBothBackends(
  'gradients shrink with depth for sigmoid, and not for relu from He’s weights',
  (t) => {
    const norms = (activation: 'sigmoid' | 'relu', scheme: init.Initializer) => {
      const generator = new Generator(1)
      const model = mlp([20, 64, 64, 64, 64, 64, 5], { activation, init: scheme, generator })
      const labels = tensor(Int32Array.from({ length: 50 }, (_, i) => i % 5))
      softmaxCrossEntropy(model.forward(generator.normal([50, 20])), labels).backward()
      const weights = model.parameters().filter(({ shape }) => shape.length === 2)
      return weights.map(({ grad }) => grad!.norm().item())
    }
    const sigmoid = norms('sigmoid', init.glorotUniform)
    for (const [i, norm] of sigmoid.slice(1).entries())
      t.ok(norm > 2 * sigmoid[i], `layer ${i + 2}`)
    t.ok(sigmoid[0] < 0.01 * sigmoid[4], `${sigmoid}`)
    const relu = norms('relu', init.heNormal)
    t.ok(relu[0] > 0.3 * relu[4], `${relu}`)
  },
)

/** Tests in other files that show an item. */
const elsewhere = [
  { item: 16, file: '../data/data.test.ts', title: 'mnist: the real files' },
  {
    item: 18,
    file: '../unsupervised/pretrain.test.ts',
    title: 'at equal supervised budget, a deep sigmoid network errs less after it',
  },
]

t.test('every item of the lecture has an experiment and a test', async (t) => {
  for (const { item, file, title } of elsewhere) {
    const source = readFileSync(new URL(file, import.meta.url), 'utf8')
    t.ok(source.includes(`('${title}', `), title)
    shown.add(item)
  }
  const items = Array.from({ length: ITEMS }, (_, i) => i + 1)
  const drawn = new Set(experiments.flatMap((experiment) => experiment.items))
  t.strictSame(
    [...drawn].sort((a, b) => a - b),
    items,
  )
  t.strictSame(
    [...shown].sort((a, b) => a - b),
    items,
  )
  const names = experiments.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
})
