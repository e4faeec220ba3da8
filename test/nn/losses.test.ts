/** Losses of one output for two classes, whose labels are 0 and 1, and Huber's loss. */
import {
  ArgumentError,
  binaryCrossEntropyWithLogits,
  dataset,
  evaluate,
  hinge,
  huber,
  huberLoss,
  KernelError,
  Linear,
  mae,
  mse,
  sigmoidFocal,
  softmaxCrossEntropy,
  tensor,
} from '../../lib/index.js'
import { close, onBothBackendsLater } from '../support/engine.js'
import { gradOf, leaf, onBothBackends, refuses } from '../support/reference.js'

const logits = [[-2], [0.5], [3], [-0.5]]
const labels = [0, 0, 1, 1]

onBothBackends('labels [batch] are the targets of outputs [batch, 1]', (t) => {
  const cases = [
    { loss: binaryCrossEntropyWithLogits, targets: [[0], [0], [1], [1]] },
    { loss: sigmoidFocal, targets: [[0], [0], [1], [1]] },
    { loss: hinge, targets: [[-1], [-1], [1], [1]] },
  ]
  for (const { loss, targets } of cases) {
    const found = loss(tensor(logits), tensor(labels, [4], 'int32'), 'none')
    t.strictSame(found.toArray(), loss(tensor(logits), tensor(targets), 'none').toArray())
    const inTime = loss(tensor(logits, [2, 2, 1]), tensor(labels, [2, 2], 'int32'), 'none')
    t.strictSame(inTime.data(), found.data(), 'also of [batch, time, 1]')
    const message =
      /: oneHot: labels\[2\]: .* below 2, got 2; values to predict are float32, in .* \[4, 1\]$/
    const beyond = tensor([0, 1, 2, 0], [4], 'int32')
    refuses(t, () => loss(tensor(logits), beyond), KernelError, message)
  }
})

onBothBackends('whole numbers [batch] are the values of outputs [batch, 1]', (t) => {
  const counts = [5, 3, -1, 0]
  const whole = tensor(counts, [4], 'int32')
  // Errors -7, -2.5, 4, -0.5, from which PyTorch's losses on float targets [4, 1] make these.
  const expected = [
    { loss: mse, value: (49 + 6.25 + 16 + 0.25) / 4 },
    { loss: mae, value: (7 + 2.5 + 4 + 0.5) / 4 },
    { loss: huber, value: (6.5 + 2 + 3.5 + 0.125) / 4 },
  ]
  for (const { loss, value } of expected) {
    t.equal(loss(tensor(logits), whole).item(), value)
    t.strictSame(
      loss(tensor(logits), whole, 'none').toArray(),
      loss(tensor(logits), tensor(counts, [4, 1]), 'none').toArray(),
    )
    const beyond = () => loss(tensor([[1, 2]]), tensor([200], [1], 'int32'))
    const message =
      /oneHot: labels\[0\]: .* below 2, got 200; values to predict are float32, in .* \[1, 2\]$/
    refuses(t, beyond, KernelError, message)
  }
})

onBothBackends('outputs of the activation that the loss computes itself', (t) => {
  const x = leaf([
    [1, 2],
    [3, 4],
  ])
  const classes = tensor([0, 1], [2], 'int32')
  const values = tensor([
    [0, 1],
    [1, 0],
  ])
  const message = (op: string, activation: string) =>
    `${op}: expected logits, got the outputs of ${activation}, which the loss computes itself; leave it out`
  const softmax = message('softmaxCrossEntropy', 'softmax')
  for (const targets of [classes, values]) {
    refuses(t, () => softmaxCrossEntropy(x.softmax(), targets), ArgumentError, softmax)
  }
  const moved = x.softmax(0).reshape([1, 2, 2]).reshape([2, 2]).slice([0, 2])
  refuses(t, () => softmaxCrossEntropy(moved, classes), ArgumentError, softmax)
  const binary = 'binaryCrossEntropyWithLogits'
  for (const activation of ['sigmoid', 'softmax'] as const) {
    const run = () => binaryCrossEntropyWithLogits(x[activation](), values)
    refuses(t, run, ArgumentError, message(binary, activation))
  }
  t.ok(softmaxCrossEntropy(x.sigmoid(), classes).item() > 0, 'another activation')
  t.ok(softmaxCrossEntropy(x.softmax().mul(10), classes).item() > 0, 'scaled')
  t.ok(softmaxCrossEntropy(x, x.softmax()).item() > 0, 'as targets')
})

onBothBackendsLater('a single output has an accuracy', async (t) => {
  const neuron = new Linear(1, 1)
  neuron.weight.assign([1])
  const data = dataset({ inputs: logits, targets: labels })
  const { accuracy } = await evaluate(neuron, data, { loss: binaryCrossEntropyWithLogits })
  t.equal(accuracy, 0.5)
})

onBothBackends('huberLoss: quadratic up to delta, linear beyond', (t) => {
  const residuals = [-5, -2, -0.5, -0.1, 0, 0.3, 1, 2, 3, 40]
  const zeros = residuals.map(() => 0)
  for (const delta of [0.25, 1, 2, 100]) {
    const losses = residuals.map((r) =>
      Math.abs(r) <= delta ? r ** 2 / 2 : delta * (Math.abs(r) - delta / 2),
    )
    const outputs = leaf(residuals)
    const found = huberLoss(delta)(outputs, tensor(zeros), 'none')
    close(t, found.data(), losses, 1e-6, `delta ${delta}`)
    found.sum().backward()
    const slopes = residuals.map((r) => Math.max(-delta, Math.min(r, delta)))
    close(t, gradOf(outputs) as number[], slopes, 1e-6, `gradient for delta ${delta}`)
    const mean = losses.reduce((a, b) => a + b) / losses.length
    close(t, [huberLoss(delta)(outputs, tensor(zeros)).item()], [mean], 1e-6, 'the mean')
  }
  const [outputs, targets] = [tensor(residuals), tensor(zeros)]
  t.equal(huber(outputs, targets).item(), huberLoss(1)(outputs, targets).item())
  for (const delta of [0, -1, Number.NaN]) {
    refuses(t, () => huberLoss(delta), ArgumentError, `huber: expected delta > 0, got ${delta}`)
  }
})
