/** L1, L2 and regularizers of one's own: what they add to the loss, and how weights move by them. */
import t from 'tap'
import {
  Adam,
  ArgumentError,
  Linear,
  l1,
  l2,
  type Regularizer,
  SGD,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { close } from '../support/engine.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const WEIGHTS = [0.5, -0.25, 0.01, -0.002, 0, 2]
const GRADIENTS = [0.1, -0.2, 0.03, 0.01, 0, -0.4]
const LR = 0.1

/** A layer [2, 3] with these weights and gradients, biases of 1 with gradients of 0.5. */
function layer(): Linear {
  const made = new Linear(2, 3)
  made.weight.assign(WEIGHTS)
  made.bias!.assign([1, 1, 1])
  made.weight.grad = tensor(GRADIENTS, [2, 3])
  made.bias!.grad = tensor([0.5, 0.5, 0.5])
  return made
}

/** The weights after one step. */
function stepped(regularizer: Regularizer | Regularizer[], weightDecay?: number): number[] {
  const made = layer()
  const optimizer = new SGD(made.parameters(), { lr: LR, regularizer, weightDecay })
  optimizer.step()
  close(t, made.bias!.data(), [0.95, 0.95, 0.95], 1e-6, 'biases follow their gradients alone')
  return [...made.weight.data()]
}

const sgd = (gradient: (w: number) => number) =>
  WEIGHTS.map((w, i) => w - LR * (GRADIENTS[i] + gradient(w)))
/** The proximal step of λ|w|: towards zero by lr·λ, and no further. */
const shrunk = (values: number[], lambda: number) =>
  values.map((w) => Math.sign(w) * Math.max(Math.abs(w) - LR * lambda, 0))

onBothBackends('penalties', (t) => {
  const w = tensor(WEIGHTS)
  const squares = WEIGHTS.reduce((sum, x) => sum + x * x, 0)
  const sizes = WEIGHTS.reduce((sum, x) => sum + Math.abs(x), 0)
  close(t, [l2(0.3).penalty(w).item()], [0.3 * squares], 1e-6, 'l2')
  close(t, [l1(0.3).penalty(w).item()], [0.3 * sizes], 1e-6, 'l1')
  const made = layer()
  const optimizer = new SGD(made.parameters(), { lr: 0.1, regularizer: [l1(0.3), l2(0.5)] })
  const expected = 0.3 * sizes + 0.5 * squares
  close(t, [optimizer.regularizationLoss()], [expected], 1e-6, 'of weights, not of biases')
})

onBothBackends('a step with L2 has its gradient, 2·lambda·w', (t) => {
  close(
    t,
    stepped(l2(0.3)),
    sgd((w) => 2 * 0.3 * w),
    1e-6,
    'l2',
  )
  close(
    t,
    stepped([l2(0.1), l2(0.2)]),
    sgd((w) => 2 * 0.3 * w),
    1e-6,
    'several add up',
  )
})

onBothBackends('a step with L1 ends at zero where it would cross it', (t) => {
  const expected = shrunk(
    sgd(() => 0),
    0.3,
  )
  const found = stepped(l1(0.3))
  close(t, found, expected, 1e-6, 'l1')
  t.strictSame(
    found.map((w) => w === 0),
    expected.map((w) => w === 0),
    'exactly zero',
  )
  t.ok(expected.filter((w) => w === 0).length >= 2)
  const both = shrunk(
    sgd((w) => 2 * 0.2 * w),
    0.3,
  )
  close(t, stepped([l1(0.3), l2(0.2)]), both, 1e-6, 'with l2')
})

onBothBackends('a regularizer of one’s own is differentiated', (t) => {
  const quartic: Regularizer = { penalty: (w: Tensor) => w.pow(4).sum().mul(0.25) }
  close(
    t,
    stepped(quartic),
    sgd((w) => w ** 3),
    1e-6,
    'alone',
  )
  close(
    t,
    stepped([quartic, l2(0.3)]),
    sgd((w) => w ** 3 + 0.6 * w),
    1e-6,
    'with l2',
  )
})

onBothBackends('Adam adds the gradient of L2 to that of the loss', (t) => {
  const [regularized, plain] = [layer(), layer()]
  new Adam(regularized.parameters(), { lr: LR, regularizer: l2(0.3) }).step()
  const gradients = GRADIENTS.map((g, i) => g + 0.6 * WEIGHTS[i])
  plain.weight.grad = tensor(gradients, [2, 3])
  new Adam(plain.parameters(), { lr: LR }).step()
  close(t, regularized.weight.data(), plain.weight.data(), 1e-6, 'weights')
})

onBothBackends('what is no strength, and what is no regularizer', (t) => {
  for (const lambda of [-1, Number.NaN, Infinity]) {
    refuses(t, () => l1(lambda), ArgumentError, `l1: expected lambda >= 0, got ${lambda}`)
    refuses(t, () => l2(lambda), ArgumentError, `l2: expected lambda >= 0, got ${lambda}`)
  }
  const message = 'SGD: expected regularizers such as l2(1e-4), got 0.1'
  const parameters = layer().parameters()
  refuses(
    t,
    () => new SGD(parameters, { lr: 0.1, regularizer: wrong(0.1) }),
    ArgumentError,
    message,
  )
})
