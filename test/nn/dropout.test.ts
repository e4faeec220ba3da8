/** Dropout and the max-norm constraint (Srivastava et al. 2014). */
import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  Adam,
  ArgumentError,
  capture,
  Dropout,
  Generator,
  getNumThreads,
  Linear,
  loadMlp,
  mlp,
  ones,
  Parameter,
  randn,
  Sequential,
  SGD,
  saveMlp,
  setNumThreads,
  setSeed,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { batch, bits, identical, network, onBothBackendsLater, stepOf } from '../support/engine.js'
import { refuses } from '../support/reference.js'

const seeded = (p: number, seed = 1) => new Dropout(p, new Generator(seed))

onBothBackendsLater('drops with probability p and keeps the expectation', async (t) => {
  for (const p of [0.2, 0.5, 0.9]) {
    const values = seeded(p)
      .forward(ones([1000, 100]))
      .data()
    const kept = values.filter((value) => value !== 0)
    // Four standard deviations of a share of 100,000 draws.
    const bound = 4 * Math.sqrt((p * (1 - p)) / values.length)
    t.ok(Math.abs(1 - kept.length / values.length - p) < bound, `share dropped for ${p}`)
    t.ok(
      kept.every((value) => Math.abs(value * (1 - p) - 1) < 1e-6),
      'the others are x / (1 - p)',
    )
  }
})

onBothBackendsLater('the gradient passes where the value passed', async (t) => {
  const x = randn([7, 33])
  x.requiresGrad = true
  const y = seeded(0.4).forward(x)
  y.sum().backward()
  const expected = [...y.data()].map((value) =>
    value === 0 ? 0 : Math.fround(1 / Math.fround(0.6)),
  )
  for (const [i, value] of x.grad!.data().entries()) {
    t.ok(Math.abs(value - expected[i]) < 1e-6, `${i}: ${value} for ${expected[i]}`)
  }
})

onBothBackendsLater('in evaluation, and with p = 0, x is left as it is', async (t) => {
  const x = randn([3, 5])
  t.equal(seeded(0.5).eval().forward(x), x)
  t.equal(seeded(0).forward(x), x)
  const model = mlp([5, 4, 2], { dropout: 0.5, inputDropout: 0.2 }).eval()
  t.strictSame(bits(model.forward(x)), bits(model.forward(x)))
})

onBothBackendsLater('the seed fixes the masks, each call has another one', async (t) => {
  const draw = (layer: Dropout) => bits(layer.forward(ones([9, 9])))
  const [one, same] = [seeded(0.5), seeded(0.5)]
  const first = draw(one)
  t.strictSame(draw(same), first)
  t.notSame(draw(one), first)
  t.notSame(draw(seeded(0.5, 2)), first)
  const made = () => {
    setSeed(3)
    return [new Dropout(), new Dropout()]
  }
  const [[a, b], [c]] = [made(), made()]
  const mask = draw(a)
  t.strictSame(draw(c), mask, 'setSeed seeds the layers')
  t.notSame(draw(b), mask, 'each differently')
})

onBothBackendsLater('replays draw new masks, the same for any number of threads', async (t) => {
  const threads = getNumThreads()
  const run = async (count: number) => {
    setNumThreads(count)
    const layer = seeded(0.5)
    const step = capture((x: Tensor) => layer.forward(x))
    const passes = await step.runMany(ones([3, 40, 500]))
    const values = bits(passes)
    step.dispose()
    return values
  }
  const found = await run(1)
  const eager = seeded(0.5)
  for (let pass = 0; pass < 3; pass++) {
    const wanted = bits(eager.forward(ones([40, 500])))
    identical(t, found.slice(pass * 20000, (pass + 1) * 20000), wanted, `pass ${pass}`)
  }
  for (const count of [2, 3]) identical(t, await run(count), found, `${count} threads`)
  setNumThreads(threads)
})

t.test('as an option of mlp, and in its file', async (t) => {
  const architecture = {
    units: [6, 5, 4, 3],
    activation: 'relu',
    dropout: 0.5,
    inputDropout: 0.2,
  } as const
  const { units, ...options } = architecture
  const model = mlp(units, options)
  const kinds = model.layers.map((layer) => layer.constructor.name)
  const hidden = ['Linear', 'ReLU', 'Dropout']
  t.strictSame(kinds, ['Dropout', ...hidden, ...hidden, 'Linear'])
  t.equal(model.namedGenerators().size, 3)
  const file = `${t.testdir()}/model.safetensors`
  saveMlp(model, file, architecture)
  const loaded = loadMlp(file)
  t.strictSame(loaded.architecture, architecture)
  t.equal(loaded.model.training, false, 'nothing is dropped')
  t.strictSame(bits(loaded.model.forward(ones([1, 6]))), bits(model.eval().forward(ones([1, 6]))))
  for (const wrong of [
    { ...architecture, units: [6, 5, 3] },
    { ...architecture, activation: 'tanh' as const },
    { activation: 'relu' } as never,
  ]) {
    const before = readFileSync(file)
    const message = /saveMlp: expected the architecture of the model, units \[6, 5, 4, 3\]/
    t.throws(() => saveMlp(model, file, wrong), { name: 'ArgumentError', message })
    t.ok(readFileSync(file).equals(before))
  }
  const call = () => mlp(...([6, 5, 3] as unknown as [number[]]))
  t.throws(call, { name: 'ArgumentError', message: 'mlp: expected an array of units, got 6' })
})

t.test('a probability out of range is refused', async (t) => {
  for (const p of [1, -0.1, Number.NaN, 2]) {
    const message = `Dropout: expected p from 0 to below 1, got ${p}`
    refuses(t, () => new Dropout(p), ArgumentError, message)
    refuses(t, () => mlp([2, 2, 2], { dropout: p }), ArgumentError, message)
  }
})

/** The norm of the weights into each unit. */
function norms(weight: Tensor): number[] {
  return [...weight.square().sum(0).sqrt().data()]
}

onBothBackendsLater('max-norm holds after every step, eager and captured', async (t) => {
  for (const [title, make] of [
    ['SGD', (p: Parameter[]) => new SGD(p, { lr: 0.5, maxNorm: 0.7 })],
    ['momentum', (p: Parameter[]) => new SGD(p, { lr: 0.5, momentum: 0.9, maxNorm: 0.7 })],
    ['Adam', (p: Parameter[]) => new Adam(p, { lr: 0.1, maxNorm: 0.7 })],
  ] as const) {
    for (const captured of [false, true]) {
      const model = network([6, 40, 4])
      const optimizer = make(model.parameters())
      const step = stepOf(model, optimizer)
      const run = captured ? capture(step) : step
      let binding = 0
      for (let i = 0; i < 12; i++) {
        run(...batch(i, [8, 6, 4]))
        for (const [path, parameter] of model.namedParameters()) {
          if (path.endsWith('bias')) continue
          const found = norms(parameter)
          t.ok(Math.max(...found) <= 0.7 * (1 + 1e-6), `${title}, step ${i}: ${path}`)
          binding += found.filter((norm) => norm > 0.7 * (1 - 1e-6)).length
        }
      }
      t.ok(binding > 0, 'some units are at the limit')
    }
  }
})

onBothBackendsLater('max-norm scales a column as a whole and leaves biases alone', async (t) => {
  const layer = new Linear(2, 3)
  layer.weight.assign([3, 0.3, 0, 4, 0.4, 0])
  layer.bias!.assign([9, 9, 9])
  const optimizer = new SGD(layer.parameters(), { lr: 0, maxNorm: 1 })
  new Sequential(layer)
    .forward(ones([1, 2]))
    .sum()
    .backward()
  optimizer.step()
  const wanted = [0.6, 0.3, 0, 0.8, 0.4, 0]
  for (const [i, value] of layer.weight.data().entries()) {
    t.ok(Math.abs(value - wanted[i]) < 1e-6)
  }
  t.strictSame([...layer.bias!.data()], [9, 9, 9])
})

onBothBackendsLater('max-norm of weights whose squares overflow', async (t) => {
  const w = new Parameter(
    tensor([
      [1e20, 0.5],
      [1e20, 0],
    ]),
  )
  const optimizer = new SGD([w], { lr: 0, maxNorm: 1 })
  w.sum().backward()
  optimizer.step()
  const half = Math.SQRT1_2
  for (const [i, value] of w.data().entries()) {
    t.ok(Math.abs(value - [half, 0.5, half, 0][i]) < 1e-6, `${value}`)
  }
})

t.test('max-norm can change between steps, also of a captured step', async (t) => {
  const model = network([6, 40, 4])
  const optimizer = new SGD(model.parameters(), { lr: 0.1, maxNorm: 5 })
  const step = capture(stepOf(model, optimizer))
  step(...batch(1, [8, 6, 4]))
  optimizer.groups[0].maxNorm = 0.1
  step(...batch(2, [8, 6, 4]))
  t.ok(Math.max(...norms(model.parameters()[0])) <= 0.1 * (1 + 1e-6))
})

t.test('a max-norm that is not positive is refused', async (t) => {
  const w = new Parameter(tensor([[1]]))
  for (const maxNorm of [0, -1, Number.NaN]) {
    const message = `SGD: expected maxNorm > 0, got ${maxNorm}`
    refuses(t, () => new SGD([w], { lr: 0.1, maxNorm }), ArgumentError, message)
  }
})
