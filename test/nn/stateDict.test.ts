/** States that go through JSON and come back to the same bits. */
import {
  Adam,
  ArgumentError,
  type Module,
  type Optimizer,
  SGD,
  ShapeError,
  StateDict,
  softmaxCrossEntropy,
} from '../../lib/index.js'
import { batch, bits, network, sameParameters } from '../support/engine.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const throughJSON = (state: unknown) => JSON.parse(JSON.stringify(state))

onBothBackends('the state of a model', (t) => {
  const [model, other] = [network([3, 4, 2], 1), network([3, 4, 2], 2)]
  const [first] = model.parameters()
  const numbers = [0.1, -0, 0, Number.NaN, Infinity, -Infinity, 1e-45, 3.4e38, -7, 1 / 3, 1e-40, 2]
  first.assign(numbers)
  t.type(model.stateDict(), StateDict)
  const json = throughJSON(model.stateDict())
  t.strictSame(Object.keys(json), [...model.namedParameters().keys()])
  t.strictSame(json['layers.0.weight'].shape, [3, 4])
  t.strictSame(json['layers.0.weight'].data.slice(0, 6), [
    Math.fround(0.1),
    '-0',
    0,
    'NaN',
    'Infinity',
    '-Infinity',
  ])
  other.loadStateDict(json)
  sameParameters(t, other, model, 'to the bit')
  other.loadStateDict(Object.fromEntries(network([3, 4, 2], 2).stateDict()))
  t.notSame(bits(other.parameters()[0]), bits(first), 'an object of typed arrays, too')
})

onBothBackends('the state of an optimizer', (t) => {
  const optimizers: Record<string, (model: Module) => Optimizer> = {
    SGD: (model: Module) => new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }),
    Adam: (model: Module) => new Adam(model.parameters(), { lr: 0.1 }),
  }
  for (const [name, make] of Object.entries(optimizers)) {
    const models = [network([3, 4, 2]), network([3, 4, 2])]
    const [whole, resumed] = models.map((model) => make(model))
    const step = (i: number, seed: number) => {
      const [x, labels] = batch(seed, [5, 3, 2])
      softmaxCrossEntropy(models[i].forward(x), labels).backward()
      ;[whole, resumed][i].step()
      models[i].zeroGrad()
    }
    for (const seed of [1, 2, 3]) step(0, seed)
    models[1].loadStateDict(throughJSON(models[0].stateDict()))
    resumed.loadStateDict(throughJSON(whole.stateDict()))
    t.equal(resumed.steps, 3)
    for (const i of [0, 1]) step(i, 4)
    sameParameters(t, models[1], models[0], `${name} goes on`)
  }
})

onBothBackends('what is no state', (t) => {
  const model = network([3, 2])
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
  const before = model.parameters().map(bits)
  const weight = (values: unknown) => ({
    ...throughJSON(model.stateDict()),
    'layers.0.weight': values,
  })
  const six = [1, 2, 3, 4, 5, 6]
  const expected = /^loadStateDict: expected /
  for (const state of [undefined, null, 3, 'state', []]) {
    refuses(t, () => model.loadStateDict(wrong(state)), ArgumentError, expected)
  }
  for (const values of [null, 3, six, { data: six }, { shape: 6, data: six }]) {
    refuses(t, () => model.loadStateDict(wrong(weight(values))), ArgumentError, expected)
  }
  const words = { shape: [3, 2], data: [1, 2, 3, 4, 5, 'six'] }
  refuses(t, () => model.loadStateDict(weight(words)), ArgumentError)
  refuses(t, () => model.loadStateDict(weight({ shape: [6], data: six })), ShapeError)
  const ofNothing = { kind: 'SGD', steps: 0, tensors: wrong(undefined) }
  refuses(t, () => optimizer.loadStateDict(ofNothing), ArgumentError, expected)
  t.strictSame(model.parameters().map(bits), before)
})
