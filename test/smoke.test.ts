/**
 * The shortest proof that what was built works: a network learns the digits on each backend, through
 * the public exports alone.
 */
import t from 'tap'
import {
  digits,
  evaluate,
  fit,
  mlp,
  SGD,
  setBackend,
  setSeed,
  softmaxCrossEntropy,
  split,
} from '../lib/index.js'

for (const backend of ['native', 'js'] as const) {
  t.test(`${backend} learns the digits`, async (t) => {
    setBackend(backend)
    setSeed(1)
    const { train, test } = split(digits(), 0.2, 1)
    const model = mlp([64, 32, 10])
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
    const before = await evaluate(model, test, { loss: softmaxCrossEntropy })
    await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 5 })
    const after = await evaluate(model, test, { loss: softmaxCrossEntropy })
    t.ok(before.accuracy! < 0.3, `before: ${before.accuracy}`)
    t.ok(after.accuracy! > 0.9, `after: ${after.accuracy}`)
    t.ok(after.loss < before.loss / 3)
    model.dispose()
  })
}
