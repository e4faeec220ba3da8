/** What an optimizer keeps is freed by `dispose`, and nothing goes on without it. */
import {
  Adam,
  capture,
  type Module,
  memory,
  type Optimizer,
  ReleasedTensorError,
  SGD,
} from '../../lib/index.js'
import { batch, bits, eagerly, network, stepOf } from '../support/engine.js'
import { onBothBackends, refuses } from '../support/reference.js'

const optimizers: Record<string, (model: Module) => Optimizer> = {
  SGD: (model) => new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, maxNorm: 3 }),
  Adam: (model) => new Adam(model.parameters(), { lr: 0.1 }),
}

for (const [name, make] of Object.entries(optimizers)) {
  onBothBackends(`dispose of ${name}`, (t) => {
    const model = network([3, 4, 2])
    const [x, labels] = batch(1, [5, 3, 2])
    const { buffers, live } = memory()
    for (let retraining = 0; retraining < 3; retraining++) {
      const optimizer = make(model)
      eagerly(stepOf(model, optimizer), x, labels)
      t.ok(memory().buffers > buffers)
      optimizer.dispose()
      t.strictSame([memory().buffers, memory().live], [buffers, live], 'all that it kept is freed')
      optimizer.dispose()
    }
    const optimizer = make(model)
    const step = stepOf(model, optimizer)
    const captured = capture(step)
    captured(x, labels)
    const before = model.parameters().map(bits)
    optimizer[Symbol.dispose]()
    const message = `${name}: step after dispose(); make a new optimizer`
    refuses(t, () => eagerly(step, x, labels), ReleasedTensorError, message)
    model.zeroGrad()
    refuses(t, () => captured(x, labels), ReleasedTensorError, message)
    t.strictSame(model.parameters().map(bits), before)
    const state = make(model).stateDict()
    refuses(t, () => optimizer.stateDict(), ReleasedTensorError, /: stateDict after dispose\(\)/)
    refuses(t, () => optimizer.loadStateDict(state), ReleasedTensorError, /: loadStateDict after/)
    captured.dispose()
  })
}
