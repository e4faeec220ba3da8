/**
 * Against PyTorch (fixtures/torch.json; the script is beside it): a two-layer net with its
 * gradients, every loss, and ten steps of SGD, in float32 on both backends and in float64.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { withBackend } from '../../lib/backend/current.js'
import { JsBackend } from '../../lib/backend/js/backend.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import {
  binaryCrossEntropyWithLogits,
  hinge,
  huber,
  type Loss,
  linear,
  mae,
  mse,
  SGD,
  type SGDSettings,
  softmaxCrossEntropy,
  type TargetKind,
  type Targets,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { withDefaultFloat } from '../../lib/tensor/defaultFloat.js'
import type { Nested } from '../../lib/tensor/print.js'

type Activation = 'relu' | 'tanh' | 'sigmoid'
type WeightName = 'w1' | 'b1' | 'w2' | 'b2'
type Weights<T> = Record<WeightName, T>

interface LossCase {
  name: string
  outputs: Nested
  targets: Nested
  mean: number
  sum: number
  none: Nested
  gradient: Nested
}

interface Numbers {
  nets: {
    activation: Activation
    logits: Nested
    loss: number
    gradients: Weights<Nested> & { x: Nested }
  }[]
  losses: LossCase[]
  curves: { name: string; settings: SGDSettings; losses: number[]; weights: Weights<Nested> }[]
}

const fixture: { x: Nested; labels: number[]; weights: Weights<Nested> } & Record<
  'float32' | 'float64',
  Numbers
> = JSON.parse(readFileSync(new URL('../fixtures/torch.json', import.meta.url), 'utf8'))

const runs = [
  {
    name: 'js',
    backend: new JsBackend(),
    dtype: 'float32',
    numbers: fixture.float32,
    tolerance: 2e-6,
  },
  {
    name: 'native',
    backend: new NativeBackend(),
    dtype: 'float32',
    numbers: fixture.float32,
    tolerance: 2e-6,
  },
  {
    name: 'float64',
    backend: new JsBackend(),
    dtype: 'float64',
    numbers: fixture.float64,
    tolerance: 1e-12,
  },
] as const

function leaf(data: Nested): Tensor {
  const x = tensor(data)
  x.requiresGrad = true
  return x
}

function makeWeights(): Weights<Tensor> {
  const { w1, b1, w2, b2 } = fixture.weights
  return { w1: leaf(w1), b1: leaf(b1), w2: leaf(w2), b2: leaf(b2) }
}

const labels = () => tensor(fixture.labels, undefined, 'int32')

/** Largest difference from PyTorch's numbers, relative to the largest of them. */
function difference(y: Nested | undefined, expected: Nested): number {
  const flat = (x: Nested): number[] => (typeof x === 'number' ? [x] : x.flatMap(flat))
  const [a, b] = [flat(y ?? []), flat(expected)]
  if (a.length !== b.length) return Infinity
  const largest = Math.max(...b.map(Math.abs))
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / largest
}

for (const { name, backend, dtype, numbers, tolerance } of runs) {
  const test = (label: string, fn: (t: Test) => void) =>
    t.test(`${label} (${name})`, async (t) =>
      withBackend(backend, () => withDefaultFloat(dtype, () => fn(t))),
    )
  const close = (t: Test, y: Nested | undefined, expected: Nested, label: string) => {
    const found = difference(y, expected)
    t.ok(found <= tolerance, `${label}: ${found}`)
  }

  for (const { activation, logits, loss, gradients } of numbers.nets) {
    test(`two layers, ${activation}`, (t) => {
      const x = leaf(fixture.x)
      const w = makeWeights()
      for (const fused of [true, false]) {
        const affine = (a: Tensor, weight: Tensor, bias: Tensor) =>
          fused ? linear(a, weight, bias) : a.matmul(weight).add(bias)
        const y = affine(affine(x, w.w1, w.b1)[activation](), w.w2, w.b2)
        const risk = fused
          ? softmaxCrossEntropy(y, labels())
          : y
              .logSoftmax()
              .mul(tensor(fixture.labels.map((label) => [0, 1, 2].map((k) => +(k === label)))))
              .sum(-1)
              .mean()
              .neg()
        close(t, y.toArray(), logits, 'logits')
        close(t, risk.item(), loss, 'loss')
        risk.backward()
        for (const [key, leaf] of Object.entries({ x, ...w })) {
          close(t, leaf.grad?.toArray(), gradients[key as WeightName], `gradient of ${key}`)
          leaf.grad = null
        }
      }
    })
  }

  const losses: Record<string, Loss<TargetKind>> = {
    softmaxCrossEntropy,
    'softmaxCrossEntropy of probabilities': softmaxCrossEntropy,
    binaryCrossEntropyWithLogits,
    mse,
    mae,
    huber,
    hinge,
    'hinge of signs': hinge,
  }
  test('every loss has its numbers', (t) => {
    t.strictSame(
      numbers.losses.map((row) => row.name),
      Object.keys(losses),
    )
  })
  for (const { name: loss, outputs, targets, gradient, ...reductions } of numbers.losses) {
    test(loss, (t) => {
      const isLabels = (targets as Nested[]).every((target) => typeof target === 'number')
      const wanted: Targets = isLabels ? tensor(targets, undefined, 'int32') : tensor(targets)
      for (const reduction of ['mean', 'sum', 'none'] as const) {
        const y = losses[loss](tensor(outputs), wanted, reduction)
        close(t, y.toArray(), reductions[reduction], reduction)
      }
      const x = leaf(outputs)
      losses[loss](x, wanted).backward()
      close(t, x.grad?.toArray(), gradient, 'gradient')
    })
  }

  for (const { name: settings, settings: options, losses: curve, weights } of numbers.curves) {
    test(`ten steps of SGD, ${settings}`, (t) => {
      const w = makeWeights()
      const optimizer = new SGD(Object.values(w), options)
      const x = tensor(fixture.x)
      const found = curve.map(() => {
        optimizer.zeroGrad()
        const h = linear(x, w.w1, w.b1).tanh()
        const risk = softmaxCrossEntropy(linear(h, w.w2, w.b2), labels())
        risk.backward()
        optimizer.step()
        return risk.item()
      })
      close(t, found, curve, 'losses')
      for (const [key, expected] of Object.entries(weights)) {
        close(t, w[key as WeightName].toArray(), expected, key)
      }
    })
  }
}
