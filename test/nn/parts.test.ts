/** Where a module's parts are found, and what is refused rather than left untrained. */
import { runInNewContext } from 'node:vm'
import t from 'tap'
import {
  ArgumentError,
  Dropout,
  fit,
  Generator,
  iris,
  Linear,
  Module,
  mse,
  Parameter,
  SGD,
  setBackend,
  softmaxCrossEntropy,
  type Tensor,
  zeros,
} from '../../lib/index.js'
import { refuses, wrong } from '../support/reference.js'

setBackend('native')

/** A module that holds whatever is passed. */
class Holder extends Module {
  constructor(readonly held: unknown) {
    super()
  }
  forward(x: Tensor): Tensor {
    return x
  }
}

const paths = (held: unknown) => [...new Holder(held).namedParameters().keys()]
const layer = (fanIn = 2) => new Linear(fanIn, 1, { bias: false })

t.test('containers of every kind, and of another realm', async (t) => {
  const bare = Object.assign(Object.create(null), { a: layer() })
  const other = (code: string) => runInNewContext(code)(layer())
  for (const [held, path] of [
    [[layer()], 'held.0.weight'],
    [new Set([layer()]), 'held.0.weight'],
    [new Map([['a', layer()]]), 'held.a.weight'],
    [new Map([[Symbol('a'), layer()]]), 'held.Symbol(a).weight'],
    [{ a: { b: [layer()] } }, 'held.a.b.0.weight'],
    [{ [Symbol('a')]: layer() }, 'held.a.weight'],
    [bare, 'held.a.weight'],
    [other('(x) => [x]'), 'held.0.weight'],
    [other('(x) => ({ a: x })'), 'held.a.weight'],
    [other('(x) => new Set([x])'), 'held.0.weight'],
    [other("(x) => new Map([['a', x]])"), 'held.a.weight'],
  ]) {
    t.strictSame(paths(held), [path])
  }
  t.strictSame(paths(new Set([layer(), layer()])), ['held.0.weight', 'held.1.weight'])
  const circular: unknown[] = [layer()]
  circular.push(circular)
  t.strictSame(paths(circular), ['held.0.weight'])
  const drops = new Holder(new Set([new Dropout(0.5)]))
  t.strictSame([...drops.namedGenerators().keys()], ['held.0.generator'])
  t.equal(drops.eval().held instanceof Set && [...(drops.held as Set<Dropout>)][0].training, false)
})

t.test('layers in a set are trained', async (t) => {
  class Summed extends Module {
    readonly layers = new Set([new Linear(4, 3), new Linear(4, 3)])
    forward(x: Tensor): Tensor {
      const [a, b] = [...this.layers].map((layer) => layer.forward(x))
      return a.add(b)
    }
  }
  const model = new Summed()
  const before = model.parameters().map((parameter) => [...parameter.data()])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  await fit(model, iris(), { loss: softmaxCrossEntropy, optimizer, epochs: 1 })
  for (const [i, parameter] of model.parameters().entries()) {
    t.notSame([...parameter.data()], before[i], `parameter ${i}`)
  }
})

t.test('what cannot be trained is refused', async (t) => {
  const watched = new Holder(new Proxy(new Parameter(zeros([2])), {}))
  refuses(
    t,
    () => watched.parameters(),
    ArgumentError,
    /^Module: expected a Parameter at held, got a Proxy/,
  )
  const keyed = new Holder(new Map([[layer(), 1]]))
  refuses(t, () => keyed.parameters(), ArgumentError, /as values, got one as a key of held$/)
  refuses(
    t,
    () => mse(wrong(new Proxy(zeros([2]), {})), zeros([2])),
    ArgumentError,
    /got a Proxy of a tensor$/,
  )
  refuses(t, () => new Parameter(wrong([1, 2])), ArgumentError, /expected a tensor, got \[1, 2\]$/)
})

t.test('what a part is, is no question of its class alone', async (t) => {
  // As another copy of the library would make it.
  class Foreign {
    readonly weight = layer()
    get [Symbol.for('neuroblas.Module')]() {
      return true
    }
  }
  t.strictSame(paths(new Foreign()), ['held.weight.weight'])
  const forged = { [Symbol.for('neuroblas.Tensor')]: false }
  refuses(t, () => zeros([2]).add(wrong(forged)), ArgumentError, /expected a tensor/)
  refuses(t, () => new Linear(2, 2, { generator: wrong({}) }), ArgumentError, /a generator/)
  t.ok(new Linear(2, 2, { generator: new Generator(1) }))
})
