/** Every loss with a weight for each example, and what is said where they do not fit. */
import {
  ArgumentError,
  capture,
  hinge,
  huber,
  mse,
  ShapeError,
  softmaxCrossEntropy,
  softmaxCrossEntropyLoss,
  tensor,
} from '../../lib/index.js'
import { close } from '../support/engine.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const logits = [
  [2, -1, 0.5],
  [0, 1, 3],
  [-2, 0.25, 1],
  [1, 1, 1],
]
const labels = [0, 1, 2, 0]
const weights = [2, 0.5, 0, 1]

onBothBackends('weights multiply the losses of each example', (t) => {
  const targets = tensor(labels, [4], 'int32')
  const sampleWeights = tensor(weights)
  for (const loss of [softmaxCrossEntropy, mse, huber, hinge]) {
    const each = loss(tensor(logits), targets, 'none')
    const width = each.size / 4
    const wanted = [...each.data()].map((value, i) => value * weights[Math.floor(i / width)])
    const sum = wanted.reduce((a, b) => a + b)
    const run = (reduction?: 'mean' | 'sum' | 'none') =>
      loss(tensor(logits), targets, { reduction, sampleWeights }).data()
    close(t, run('none'), wanted, 1e-6, `${loss.name}: none`)
    close(t, run('sum'), [sum], 1e-6, `${loss.name}: sum`)
    close(t, run(), [sum / each.size], 1e-6, `${loss.name}: mean, of the number of losses`)
    t.equal(loss(tensor(logits), targets, { reduction: 'sum' }).item(), each.sum().item())
  }
  const ofClasses = softmaxCrossEntropyLoss({ classWeights: [1, 2, 4] })
  const each = ofClasses(tensor(logits), targets, 'none').data()
  const sum = each.reduce((sum, value, i) => sum + value * weights[i], 0)
  const found = ofClasses(tensor(logits), targets, { sampleWeights })
  close(t, found.data(), [sum / (1 + 2 + 4 + 1)], 1e-6, 'beside weights of classes')
})

onBothBackends('weights of examples are arguments of a captured step', (t) => {
  const step = (w: typeof x) => mse(x, tensor(logits).neg(), { sampleWeights: w })
  const x = tensor(logits)
  const captured = capture(step)
  for (const values of [weights, [1, 1, 1, 1]]) {
    t.equal(captured(tensor(values)).item(), step(tensor(values)).item())
  }
  captured.dispose()
})

onBothBackends('weights that do not fit', (t) => {
  const x = tensor(logits)
  const weigh = (sampleWeights: unknown) => () => mse(x, x, { sampleWeights: wrong(sampleWeights) })
  const shapes =
    /^mse: expected sampleWeights \[batch\], one for each example, got \[3\] for losses \[4, 3\]$/
  refuses(t, weigh(tensor([1, 2, 3])), ShapeError, shapes)
  refuses(t, weigh(tensor([[1], [1], [1], [1]])), ShapeError, /got \[4, 1\]/)
  refuses(
    t,
    weigh(tensor([1, 1, -1, 1])),
    ArgumentError,
    'mse: expected sampleWeights >= 0, got -1 at 2',
  )
  refuses(t, weigh(tensor([Number.NaN, 1, 1, 1])), ArgumentError, /got NaN at 0$/)
  refuses(t, weigh(weights), ArgumentError, /^mse: sampleWeights: expected a tensor, got \[2, /)
  refuses(t, weigh(tensor([1, 1, 1, 1], [4], 'int32')), ArgumentError, /cast\('float32'\)/)
  refuses(t, () => mse(x, x, wrong('average')), ArgumentError, /mean, sum or none, got average$/)
  refuses(t, () => mse(x, x, wrong({ reduction: 'avg' })), ArgumentError, /got avg$/)
  refuses(t, () => mse(x, x, wrong({ weights })), ArgumentError, /^mse: .*sampleWeights/)
  const scalar = tensor(1)
  refuses(t, () => mse(scalar, scalar, { sampleWeights: tensor([1]) }), ShapeError, /losses \[\]$/)
})
