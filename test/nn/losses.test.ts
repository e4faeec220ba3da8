/** Losses of one output for two classes, whose labels are 0 and 1. */
import {
  binaryCrossEntropyWithLogits,
  dataset,
  evaluate,
  hinge,
  KernelError,
  Linear,
  mse,
  tensor,
} from '../../lib/index.js'
import { onBothBackendsLater } from '../support/engine.js'
import { onBothBackends, refuses } from '../support/reference.js'

const logits = [[-2], [0.5], [3], [-0.5]]
const labels = [0, 0, 1, 1]

onBothBackends('labels [batch] are the targets of outputs [batch, 1]', (t) => {
  const cases = [
    { loss: binaryCrossEntropyWithLogits, targets: [[0], [0], [1], [1]] },
    { loss: mse, targets: [[0], [0], [1], [1]] },
    { loss: hinge, targets: [[-1], [-1], [1], [1]] },
  ]
  for (const { loss, targets } of cases) {
    const found = loss(tensor(logits), tensor(labels, [4], 'int32'), 'none')
    t.strictSame(found.toArray(), loss(tensor(logits), tensor(targets), 'none').toArray())
    refuses(t, () => loss(tensor(logits), tensor([0, 1, 2, 0], [4], 'int32')), KernelError)
  }
})

onBothBackendsLater('a single output has an accuracy', async (t) => {
  const neuron = new Linear(1, 1)
  neuron.weight.assign([1])
  const data = dataset({ inputs: logits, targets: labels })
  const { accuracy } = await evaluate(neuron, data, { loss: binaryCrossEntropyWithLogits })
  t.equal(accuracy, 0.5)
})
