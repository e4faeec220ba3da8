/**
 * Losses with their options against PyTorch (fixtures/losses.json; the script is beside it), in float32 on
 * both backends and in float64; ten steps of training, op by op and captured.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { withBackend } from '../../lib/backend/current.js'
import { JsBackend } from '../../lib/backend/js/backend.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import {
  binaryCrossEntropyWithLogitsLoss,
  capture,
  cosineEmbeddingLoss,
  gradCheck,
  klDivergence,
  klDivergenceLoss,
  linear,
  negativeCosineSimilarity,
  nllLoss,
  poissonNllLoss,
  SGD,
  sigmoidFocalLoss,
  smoothL1Loss,
  softmaxCrossEntropyLoss,
  softmaxFocalLoss,
  type Tensor,
  tensor,
  tripletMarginLoss,
  zeros,
} from '../../lib/index.js'
import { withDefaultFloat } from '../../lib/tensor/defaultFloat.js'
import type { Nested } from '../../lib/tensor/print.js'
import { identical } from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'

interface Case {
  name: keyof typeof factories
  options: any
  inputs: Nested[]
  targets: Nested | null
  mean: number
  sum: number
  none: Nested
  gradients: Nested[]
}
interface Curve {
  options: any
  x: Nested
  labels: number[]
  w: Nested
  losses: number[]
}

const file = new URL('../fixtures/losses.json', import.meta.url)
const { cases, curve }: { cases: Case[]; curve: Curve } = JSON.parse(readFileSync(file, 'utf8'))

const factories = {
  softmaxCrossEntropy: softmaxCrossEntropyLoss,
  nll: nllLoss,
  binaryCrossEntropyWithLogits: binaryCrossEntropyWithLogitsLoss,
  klDivergence: klDivergenceLoss,
  sigmoidFocal: sigmoidFocalLoss,
  softmaxFocal: softmaxFocalLoss,
  smoothL1: smoothL1Loss,
  poissonNll: poissonNllLoss,
  negativeCosineSimilarity: () => negativeCosineSimilarity,
  cosineEmbedding: cosineEmbeddingLoss,
  tripletMargin: tripletMarginLoss,
}
/** Of floats. Only these take labels: whole numbers, of which all fixtures have one above 1. */
const LABELLED = ['softmaxCrossEntropy', 'nll', 'softmaxFocal']

function lossOf({ name, options }: Pick<Case, 'name' | 'options'>) {
  return factories[name](options) as (...args: unknown[]) => Tensor
}

const flat = (x: Nested): number[] => (typeof x === 'number' ? [x] : x.flatMap(flat))
const isWhole = (x: Nested) => flat(x).every(Number.isInteger)

function targetsOf({ name, targets }: Case): Tensor[] {
  if (targets === null) return []
  const isLabels = LABELLED.includes(name) && isWhole(targets)
  return [tensor(targets, undefined, isLabels ? 'int32' : tensor([0]).dtype) as Tensor]
}

const leavesOf = (values: Nested[]) =>
  values.map((each) => {
    const x = tensor(each)
    x.requiresGrad = true
    return x
  })

/** To a tolerance, relative to the largest of the numbers wanted. */
function close(t: Test, y: Nested, expected: Nested, tolerance: number, label: string): void {
  const [a, b] = [flat(y), flat(expected)]
  const largest = Math.max(...b.map(Math.abs))
  const found = Math.max(...b.map((value, i) => Math.abs(a[i] - value))) / largest
  t.ok(a.length === b.length && found <= tolerance, `${label}: ${found}`)
}

const runs = [
  { name: 'js', backend: new JsBackend(), dtype: 'float32', tolerance: 2e-6 },
  { name: 'native', backend: new NativeBackend(), dtype: 'float32', tolerance: 2e-6 },
  { name: 'float64', backend: new JsBackend(), dtype: 'float64', tolerance: 1e-12 },
] as const

for (const { name, backend, dtype, tolerance } of runs) {
  t.test(`with PyTorch's numbers (${name})`, async (t) => {
    const check = (row: Case) => {
      const loss = lossOf(row)
      const label = `${row.name}(${JSON.stringify(row.options)})`
      for (const reduction of ['mean', 'sum', 'none'] as const) {
        const y = loss(...leavesOf(row.inputs), ...targetsOf(row), reduction)
        close(t, y.toArray(), row[reduction], tolerance, `${label}: ${reduction}`)
      }
      const leaves = leavesOf(row.inputs)
      loss(...leaves, ...targetsOf(row)).backward()
      for (const [i, { grad }] of leaves.entries()) {
        close(t, grad!.toArray(), row.gradients[i], tolerance, `${label}: gradient ${i}`)
      }
    }
    withBackend(backend, () => withDefaultFloat(dtype, () => cases.forEach(check)))
  })
}

onBothBackends('captured, to the same bits', (t) => {
  for (const row of cases) {
    const loss = lossOf(row)
    const leaves = leavesOf(row.inputs)
    const step = (...targets: Tensor[]) => {
      for (const leaf of leaves) leaf.grad = null
      const y = loss(...leaves, ...targets)
      y.backward()
      return [y, ...leaves.map(({ grad }) => grad!)]
    }
    const numbers = (results: Tensor[]) => results.flatMap((x) => [...x.data()])
    const wanted = numbers(step(...targetsOf(row)))
    const captured = numbers(capture(step)(...targetsOf(row)))
    identical(t, captured, wanted, `${row.name}(${JSON.stringify(row.options)})`)
  }
})

t.test('every loss has numbers', async (t) => {
  t.strictSame(new Set(cases.map(({ name }) => name)), new Set(Object.keys(factories)))
})

t.test('gradients of targets', async (t) => {
  const values = [
    [0.5, -1.5, 2],
    [0.25, 1, -0.75],
  ]
  const compared = [
    [0.25, 0.5, 1.25],
    [2, 0.75, 0.5],
  ]
  for (const loss of [
    klDivergence,
    klDivergenceLoss({ logTarget: true }),
    negativeCosineSimilarity,
  ]) {
    const { ok } = gradCheck((x, y) => loss(x, y, 'none'), [values, compared])
    t.ok(ok, loss.name)
  }
})

onBothBackends('ten steps of training', (t) => {
  const loss = softmaxCrossEntropyLoss(curve.options)
  const train = (around: <F extends (...args: any[]) => Tensor>(step: F) => F) => {
    const [w] = leavesOf([curve.w])
    const b = zeros([3])
    b.requiresGrad = true
    const optimizer = new SGD([w, b] as never, { lr: 0.5 })
    const step = around((x: Tensor, labels: Tensor<'int32'>) => {
      const risk = loss(linear(x, w, b), labels)
      risk.backward()
      optimizer.step()
      optimizer.zeroGrad()
      return risk
    })
    const labels = tensor(curve.labels, undefined, 'int32')
    return curve.losses.map(() => step(tensor(curve.x), labels).item())
  }
  const losses = train((step) => step)
  close(t, losses, curve.losses, 2e-6, 'op by op')
  identical(
    t,
    train((step) => capture(step) as never),
    losses,
    'captured',
  )
})

onBothBackends('all labels ignored', (t) => {
  const loss = softmaxCrossEntropyLoss({ ignoreIndex: 1 })
  const [logits] = leavesOf([[[1, 2]]])
  const labels = tensor([1], [1], 'int32')
  t.ok(Number.isNaN(loss(logits, labels).item()), 'a mean of nothing, as in PyTorch')
  const sum = loss(logits, labels, 'sum')
  t.equal(sum.item(), 0)
  sum.backward()
  t.strictSame(logits.grad!.toArray(), [[0, 0]])
  const masked = tensor([[-Infinity, 0]])
  t.equal(loss(masked, labels, 'sum').item(), 0, 'whatever its logits are')
})

onBothBackends('far logits', (t) => {
  const far = [[1000], [-1000], [-1000], [1000]]
  const labels = tensor([0, 1, 0, 1], [4], 'int32')
  for (const gamma of [0, 0.5, 1, 2]) {
    const [x] = leavesOf([far])
    const each = sigmoidFocalLoss({ gamma })(x, labels, 'none')
    t.strictSame(each.toArray(), [[1000], [1000], [0], [0]], `sigmoidFocal, gamma ${gamma}`)
    each.sum().backward()
    t.strictSame(x.grad!.toArray(), [[1], [-1], [0], [0]])
    const [y] = leavesOf([far.map(([value]) => [0, value])])
    const entropies = softmaxFocalLoss({ gamma })(y, labels, 'none')
    t.strictSame(entropies.toArray(), [1000, 1000, 0, 0], `softmaxFocal, gamma ${gamma}`)
    entropies.sum().backward()
    close(
      t,
      y.grad!.toArray(),
      [
        [-1, 1],
        [1, -1],
        [0, 0],
        [0, 0],
      ],
      1e-6,
      'its gradient',
    )
  }
})

onBothBackends('empty batches', (t) => {
  const x = zeros([0, 3])
  const labels = tensor([], [0], 'int32')
  const ofLabels = [
    softmaxCrossEntropyLoss({ classWeights: [1, 2, 3], ignoreIndex: 0 }),
    softmaxFocalLoss(),
  ]
  for (const loss of ofLabels) t.equal(loss(x, labels, 'sum').item(), 0)
  t.equal(tripletMarginLoss()(x, x, x, 'sum').item(), 0)
  t.equal(cosineEmbeddingLoss()(x, x, labels, 'sum').item(), 0)
  t.equal(klDivergence(x, x, 'sum').item(), 0)
})

t.test('settings are part of a name', async (t) => {
  t.equal(softmaxCrossEntropyLoss().name, 'softmaxCrossEntropy')
  t.equal(
    softmaxCrossEntropyLoss({ labelSmoothing: 0.1 }).name,
    'softmaxCrossEntropy({"labelSmoothing":0.1})',
  )
  t.equal(tripletMarginLoss({ swap: true }).name, 'tripletMargin({"swap":true})')
  t.equal(smoothL1Loss(0.5).name, 'smoothL1(0.5)')
})
