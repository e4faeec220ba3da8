/** `fit` on models that cannot be captured: step by step on this thread, said once, right all the same. */
import {
  dataset,
  fit,
  Generator,
  Module,
  memory,
  SGD,
  type StepReport,
  softmaxCrossEntropy,
  type Tensor,
} from '../../lib/index.js'
import {
  network,
  onBothBackendsLater,
  sameParameters,
  settledMemory,
  warningsOf,
} from '../support/engine.js'

/** Reads a value on its way, which nothing depends on. */
class Reading extends Module {
  readonly inner = network([6, 9, 4])
  largest = 0
  forward(x: Tensor): Tensor {
    this.largest = Math.max(this.largest, x.max().item())
    return this.inner.forward(x)
  }
}

function examples() {
  const size = 50
  return dataset({
    inputs: new Generator(1).normal([size, 6]).data(),
    inputShape: [6],
    targets: Int32Array.from({ length: size }, (_, i) => i % 4),
  })
}

onBothBackendsLater('a model that reads inside forward', async (t) => {
  const train = async (model: Module) => {
    const losses: number[] = []
    // With momentum nothing is fused, so that both ways agree to the bit.
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
    const options = { loss: softmaxCrossEntropy, optimizer, epochs: 3, batchSize: 8, seed: 5 }
    await fit(model, examples(), {
      ...options,
      onStep: ({ loss }: StepReport) => losses.push(loss),
    })
    t.equal(optimizer.steps, 3 * 7)
    return losses
  }
  const reading = new Reading()
  const plain = network([6, 9, 4])
  const wanted: number[][] = []
  t.strictSame(await warningsOf(async () => wanted.push(await train(plain))), [])
  const found: number[][] = []
  const messages = await warningsOf(async () => found.push(await train(reading)))
  t.strictSame(messages, [
    'fit: steps run one by one on this thread (capture: values cannot be read inside a captured function; return the tensor and read it outside)',
  ])
  t.strictSame(found, wanted, 'losses')
  sameParameters(t, reading.inner, plain, 'weights')
  t.ok(reading.largest > 1, 'it was run')
})

onBothBackendsLater('a model that reads only where it is not trained', async (t) => {
  class Checking extends Reading {
    override forward(x: Tensor): Tensor {
      return this.training ? this.inner.forward(x) : super.forward(x)
    }
  }
  const model = new Checking()
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const options = { loss: softmaxCrossEntropy, optimizer, epochs: 2, validation: 0.2 }
  t.strictSame(await warningsOf(() => fit(model, examples(), options)), [
    'evaluate: steps run one by one on this thread (capture: values cannot be read inside a captured function; return the tensor and read it outside)',
  ])
  t.ok(model.largest > 1)
})

onBothBackendsLater('what a failed capture made is freed', async (t) => {
  const model = new Reading()
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const data = examples()
  const round = () => fit(model, data, { loss: softmaxCrossEntropy, optimizer, epochs: 1 })
  await round()
  const [live, buffers] = await settledMemory()
  await round()
  t.strictSame([memory().live, memory().buffers], [live, buffers])
})
