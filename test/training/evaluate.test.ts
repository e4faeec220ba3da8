import {
  ArgumentError,
  dataset,
  evaluate,
  type Loss,
  memory,
  mlp,
  mse,
  noGrad,
  Sequential,
  ShapeError,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { predictedClasses } from '../../lib/training/evaluate.js'
import { close, network, onBothBackendsLater, rejects, settledMemory } from '../support/engine.js'
import { onBothBackends, wrong } from '../support/reference.js'

const SIZE = 40
const inputs = Array.from({ length: SIZE }, (_, i) => [Math.sin(i), Math.cos(3 * i), i / SIZE])
const labels = Array.from({ length: SIZE }, (_, i) => (i * i) % 3)
const data = dataset({ inputs, targets: labels })

onBothBackendsLater('loss and accuracy are means over the examples', async (t) => {
  const model = network([3, 8, 3])
  const logits = noGrad(() => model.forward(tensor(inputs)))
  const rows = logits.toArray() as number[][]
  const losses = rows.map((row, i) => {
    const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0)
    return Math.log(total) - row[labels[i]]
  })
  const expected = losses.reduce((a, b) => a + b) / SIZE
  const right = rows.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]).length
  t.ok(right > 0 && right < SIZE, `${right} right`)
  // Batches that divide the examples, leave a rest, are single examples, or are more than there are.
  for (const batchSize of [undefined, 10, 7, 1, 39, 1000]) {
    const { loss, accuracy } = await evaluate(model, data, { loss: softmaxCrossEntropy, batchSize })
    close(t, [loss], [expected], 1e-6, `loss by batches of ${batchSize}`)
    t.equal(accuracy, right / SIZE, `accuracy by batches of ${batchSize}`)
  }
})

onBothBackendsLater('targets that are no labels have no accuracy', async (t) => {
  const model = mlp([3, 2])
  const targets = inputs.map(([a, b]) => [a + b, a * b])
  const values = dataset({ inputs, targets })
  const outputs = noGrad(() => model.forward(tensor(inputs)))
  const expected = outputs.sub(tensor(targets)).square().mean().item()
  const { loss, accuracy } = await evaluate(model, values, { loss: mse, batchSize: 9 })
  close(t, [loss], [expected], 1e-6, 'mse')
  t.equal(accuracy, undefined)
})

onBothBackends('the class of outputs', (t) => {
  const several = tensor([
    [1, 3, 2],
    [5, 5, 0],
    [-3, -2, -1],
  ])
  t.strictSame(predictedClasses(several).toArray(), [1, 0, 2], 'the first of the largest')
  t.strictSame(predictedClasses(tensor([[-1], [2], [0]])).toArray(), [0, 1, 0], 'a single logit')
})

onBothBackendsLater('the model computes without gradients, as for inference', async (t) => {
  const modes: boolean[] = []
  class Watching extends Sequential {
    override forward(x: Tensor): Tensor {
      modes.push(this.training)
      return super.forward(x)
    }
  }
  const model = new Watching(...mlp([3, 4, 3], { dropout: 0.9 }).layers)
  for (const training of [true, false]) {
    model.train(training)
    const options = { loss: softmaxCrossEntropy }
    const [first, again] = [
      await evaluate(model, data, options),
      await evaluate(model, data, options),
    ]
    t.strictSame(again, first, 'nothing is dropped')
    t.equal(model.training, training, 'and is as it was')
  }
  t.strictSame(new Set(modes), new Set([false]))
  t.ok(model.parameters().every(({ grad }) => grad === null))
})

onBothBackendsLater('what is refused leaves the model and the memory as they were', async (t) => {
  const model = network([3, 4, 3])
  const [, buffers] = await settledMemory()
  const options = { loss: softmaxCrossEntropy }
  for (const batchSize of [0, -1, 1.5, Number.NaN]) {
    const message = `evaluate: expected batchSize >= 1, got ${batchSize}`
    await rejects(t, evaluate(model, data, { ...options, batchSize }), ArgumentError, message)
  }
  await rejects(t, evaluate(model, data, wrong(undefined)), ArgumentError, /expected a loss/)
  await rejects(t, evaluate(model, data, wrong({ loss: 'mse' })), ArgumentError, /got mse$/)
  const perExample: Loss<'labels'> = (logits, targets) =>
    softmaxCrossEntropy(logits, targets, 'none')
  await rejects(
    t,
    evaluate(model, data, { loss: perExample }),
    ShapeError,
    /expected a loss that gives a scalar, the mean of the batch, got shape \[40\]$/,
  )
  t.equal(model.training, true)
  t.equal(memory().buffers, buffers)
})
