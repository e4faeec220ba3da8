/**
 * What a captured function computes: the same as running it, however it is called. What it refuses
 * is in captureErrors.test.ts, how its memory is planned in plan.test.ts.
 */
import t from 'tap'
import {
  Adam,
  capture,
  Generator,
  type Module,
  matmul,
  memory,
  type Optimizer,
  ones,
  SGD,
  schedules,
  scope,
  setBackend,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import type { Schedule } from '../../lib/optim/schedules.js'
import type { AnyTensor } from '../../lib/tensor/tensor.js'
import {
  batch,
  bits,
  close,
  eagerly,
  network,
  onBothBackendsLater,
  sameParameters,
  settledMemory,
  stepOf,
} from '../support/engine.js'
import { leaf, onBothBackends, same } from '../support/reference.js'

const UNITS = [6, 9, 4]
const momentum = (model: Module, lr: number | Schedule = 0.1) =>
  new SGD(model.parameters(), { lr, momentum: 0.9 })

/** Nothing in these steps is fused, so that replays must agree to the bit. */
const trainings: Record<
  string,
  { activation: 'relu' | 'sigmoid' | 'tanh'; optimizer: (model: Module) => Optimizer }
> = {
  'tanh, momentum': { activation: 'tanh', optimizer: momentum },
  'relu, Nesterov, weight decay': {
    activation: 'relu',
    optimizer: (model) =>
      new SGD(model.parameters(), { lr: 0.1, momentum: 0.5, nesterov: true, weightDecay: 0.01 }),
  },
  'sigmoid, Adam': {
    activation: 'sigmoid',
    optimizer: (model) => new Adam(model.parameters(), { lr: 0.01 }),
  },
  'relu, groups with their own optimizer settings and schedules': {
    activation: 'relu',
    optimizer: (model) => {
      const [first, ...rest] = model.parameters()
      const lr = schedules.exponential(0.1, 0.9)
      const groups = [{ parameters: [first], lr: 0.3 }, { parameters: rest }]
      return new SGD(groups, { lr, momentum: schedules.cosine(0.5, 4, 0.8) })
    },
  },
}

for (const [name, { activation, optimizer }] of Object.entries(trainings)) {
  onBothBackends(`replay is what runs op by op, to the bit: ${name}`, (t) => {
    const [replayed, eager] = [1, 1].map((seed) => network(UNITS, seed, activation))
    const step = capture(stepOf(replayed, optimizer(replayed)))
    const reference = stepOf(eager, optimizer(eager))
    for (let i = 0; i < 12; i++) {
      const [x, labels] = batch(i, [i % 4 === 3 ? 5 : 8, UNITS[0], UNITS[2]])
      t.equal(step(x, labels).item(), eagerly(reference, x, labels), `risk of step ${i}`)
    }
    sameParameters(t, replayed, eager, 'after 12 steps')
    step.dispose()
  })
}

onBothBackends('every replay draws new random numbers, as running it does', (t) => {
  const run = (captured: boolean) => {
    const generator = new Generator(7)
    const model = network(UNITS)
    // Noise on the inputs, then dropout.
    const disturb = (x: Tensor) => {
      const noisy = x.add(generator.normal(x.shape, 0, 0.1))
      return noisy.mul(generator.bernoulli(x.shape, 0.5)).mul(2)
    }
    const plain = stepOf(model, momentum(model), disturb)
    const step = captured ? capture(plain) : plain
    const risks = [0, 1, 2, 3].map((i) => {
      const [x, labels] = batch(i, [8, UNITS[0], UNITS[2]])
      return scope(() => step(x, labels).item())
    })
    return { risks, model, state: generator.save() }
  }
  const [replayed, eager] = [run(true), run(false)]
  t.strictSame(replayed.risks, eager.risks)
  t.strictSame(replayed.state, eager.state)
  sameParameters(t, replayed.model, eager.model, 'weights')
  const shuffle = new Generator(3)
  const orders = capture(() => shuffle.permutation(50))
  const found = [orders().data(), orders().data()]
  const expected = new Generator(3)
  t.strictSame(found, [expected.permutation(50).data(), expected.permutation(50).data()])
})

t.test('native replay as the JavaScript oracle', async (t) => {
  const run = (backend: 'js' | 'native', optimizer: (model: Module) => Optimizer) => {
    setBackend(backend)
    const model = network([40, 33, 10])
    const step = capture(stepOf(model, optimizer(model)))
    const risks = Array.from({ length: 10 }, (_, i) => step(...batch(i, [17, 40, 10])).item())
    return { risks, weights: model.parameters().map((w) => w.data()) }
  }
  const optimizers: Record<string, (model: Module) => Optimizer> = {
    'plain SGD, fused': (model) => new SGD(model.parameters(), { lr: 0.1 }),
    momentum,
    Adam: (model) => new Adam(model.parameters(), { lr: 0.01 }),
  }
  for (const [name, optimizer] of Object.entries(optimizers)) {
    const [js, native] = [run('js', optimizer), run('native', optimizer)]
    close(t, native.risks, js.risks, 1e-5, `${name}: risks`)
    for (const [i, w] of native.weights.entries()) close(t, w, js.weights[i], 1e-4, `${name}: ${i}`)
  }
})

onBothBackendsLater('call, run and runMany compute the same', async (t) => {
  const passes = 6
  const batches = Array.from({ length: passes }, (_, i) => batch(i, [4, UNITS[0], UNITS[2]]))
  const makers = [1, 2, 3].map(() => {
    const generator = new Generator(5)
    const model = network(UNITS)
    const optimizer = momentum(model, schedules.stepDecay(0.5, 2))
    const drop = (x: Tensor) => x.mul(generator.bernoulli(x.shape, 0.7))
    return { model, optimizer, generator, step: capture(stepOf(model, optimizer, drop)) }
  })
  const [called, run, many] = makers
  const risks = batches.map(([x, labels]) => called.step(x, labels).item())
  const awaited: number[] = []
  for (const [x, labels] of batches) awaited.push((await run.step.run(x, labels)).item())
  const rows = (items: AnyTensor[]) => items.flatMap((x) => [...x.data()])
  const all = await many.step.runMany(
    tensor(rows(batches.map(([x]) => x)), [passes, 4, UNITS[0]]),
    tensor(Int32Array.from(rows(batches.map(([, labels]) => labels))), [passes, 4]),
  )
  t.strictSame(awaited, risks)
  t.strictSame(all.shape, [passes])
  t.strictSame([...all.data()], risks)
  for (const { model, optimizer, generator } of [run, many]) {
    sameParameters(t, model, called.model, 'weights')
    t.equal(optimizer.steps, passes)
    t.strictSame(generator.save(), called.generator.save())
  }
  const none = await many.step.runMany(
    tensor([], [0, 4, UNITS[0]]),
    tensor(new Int32Array(0), [0, 4]),
  )
  t.strictSame(none.shape, [0])
  t.equal(many.optimizer.steps, passes)
})

onBothBackends('a program per combination of shapes and dtypes', (t, backend) => {
  let traces = 0
  const double = capture((x: AnyTensor) => {
    traces++
    return x.dtype === 'int32'
      ? (x as Tensor<'int32'>).cast('float32').mul(2)
      : (x as Tensor).mul(2)
  })
  for (const size of [4, 4, 3, 4, 3, 0, 0]) {
    const x = Float32Array.from({ length: size }, (_, i) => i)
    t.strictSame([...double(tensor(x)).data()], [...x.map((value) => 2 * value)])
  }
  t.equal(traces, 3)
  t.strictSame(double(ones([2, 2])).shape, [2, 2])
  t.strictSame([...double(tensor(Int32Array.of(1, 2, 3, 4))).data()], [2, 4, 6, 8])
  t.equal(traces, 5)
  setBackend(backend === 'js' ? 'native' : 'js')
  t.strictSame([...double(ones([4])).data()], [2, 2, 2, 2])
  t.equal(traces, 6, 'and per backend')
})

onBothBackends('empty tensors', (t) => {
  const f = capture((x: Tensor, w: Tensor) => ({
    product: matmul(x.exp(), w).relu(),
    square: matmul(x.exp(), x.neg(), { transA: true }),
    sum: x.mul(x).sum(),
  }))
  const { product, square, sum } = f(tensor([], [0, 3]), ones([3, 2]))
  t.strictSame(product.shape, [0, 2])
  same(t, square, { shape: [3, 3], data: Array(9).fill(0) }, 'a product over nothing')
  t.equal(sum.item(), 0)
})

onBothBackendsLater('what varies from call to call is never frozen', async (t) => {
  const [replayed, eager] = [1, 1].map((seed) => network(UNITS, seed))
  const [a, b] = [momentum(replayed, schedules.stepDecay(0.2, 3)), momentum(eager)]
  b.groups[0].lr = schedules.stepDecay(0.2, 3)
  const step = capture(stepOf(replayed, a))
  const [plainA, plainB] = [stepOf(replayed, a), stepOf(eager, b)]
  const next = (i: number) => batch(i, [4, UNITS[0], UNITS[2]])
  for (let i = 0; i < 20; i++) {
    if (i === 5) a.groups[0].lr = b.groups[0].lr = 0.05
    if (i === 9) a.groups[0].momentum = b.groups[0].momentum = 0.5
    if (i === 12) a.groups[0].weightDecay = b.groups[0].weightDecay = 0.1
    // Back to what it was at the last step that was not replayed.
    if (i >= 15) a.groups[0].lr = b.groups[0].lr = i === 19 ? 0.05 : 0.3
    // Replays and steps op by op share the optimizer's buffers.
    const [x, labels] = next(i)
    const risk = i % 5 === 4 ? eagerly(plainA, x, labels) : (await step.run(x, labels)).item()
    t.equal(risk, eagerly(plainB, x, labels), `risk of step ${i}`)
    t.equal(a.steps, i + 1)
  }
  sameParameters(t, replayed, eager, 'weights')
  replayed.loadStateDict(network(UNITS, 2).stateDict())
  eager.loadStateDict(network(UNITS, 2).stateDict())
  const [x, labels] = next(0)
  t.equal(step(x, labels).item(), eagerly(plainB, x, labels), 'weights put in from outside')
})

onBothBackends('structures of results', (t) => {
  const w = leaf([1, 2])
  const f = capture((x: Tensor) => {
    const y = x.add(w)
    return { y, list: [y, y.reshape([2, 1]), x, w], deep: { sum: y.sum(), nothing: undefined } }
  })
  for (const value of [10, 20]) {
    const { y, list, deep } = f(tensor([value, value]))
    same(t, y, { shape: [2], data: [value + 1, value + 2] }, 'a result')
    same(t, list[0], { shape: [2], data: [value + 1, value + 2] }, 'the same again')
    same(t, list[1], { shape: [2, 1], data: [value + 1, value + 2] }, 'a view')
    same(t, list[2], { shape: [2], data: [value, value] }, 'the argument')
    same(t, list[3], { shape: [2], data: [1, 2] }, 'a tensor from outside')
    t.equal(deep.sum.item(), 2 * value + 3)
    t.ok('nothing' in deep && deep.nothing === undefined)
  }
  w.assign([5, 6])
  same(t, f(tensor([0, 0])).list[3], { shape: [2], data: [5, 6] }, 'as it is now')
  t.equal(capture((x: Tensor) => void x.neg())(ones([2])), undefined)
  t.strictSame(capture(() => [])(), [])
  same(t, capture(() => tensor([3]))(), { shape: [1], data: [3] }, 'without arguments')
})

onBothBackends('gradients and constants stay inside', (t) => {
  const w = leaf([1, 2])
  const f = capture((x: Tensor) => {
    const y = x
      .mul(w)
      .mul(tensor([2, 3]))
      .sum()
    y.backward()
    return { y, grad: w.grad! }
  })
  for (const value of [1, 5]) {
    const { y, grad } = f(tensor([value, value]))
    t.equal(y.item(), 8 * value)
    t.strictSame([...grad.data()], [2 * value, 3 * value])
    t.ok(w.grad === null, 'no gradient is left')
  }
})

t.test('20,000 replays in the same memory', async (t) => {
  setBackend('native')
  const model = network(UNITS)
  const step = capture(stepOf(model, new SGD(model.parameters(), { lr: 0.01 })))
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const many = [ones([100, 8, UNITS[0]]), tensor(new Int32Array(800), [100, 8])] as const
  const round = async (replays: number) => {
    for (let i = 0; i < replays; i++) step(x, labels)
    for (let i = 0; i < replays; i += 100) (await step.runMany(...many)).dispose()
  }
  await round(2000)
  // What other tests of this file left is collected before, not in between.
  await settledMemory()
  const before = memory()
  const { rss } = process.memoryUsage()
  await round(10_000)
  await settledMemory()
  t.strictSame(memory(), before)
  t.ok(process.memoryUsage().rss - rss < 50e6, 'the process does not grow')
  t.ok(bits(model.parameters()[0]).length > 0)
  step.dispose()
})
