/**
 * While a captured function runs beside JavaScript: what may be used meanwhile, what is refused,
 * and several programs over the same weights.
 */
import {
  ArgumentError,
  BusyError,
  CaptureError,
  capture,
  Generator,
  KernelError,
  memory,
  noGrad,
  ones,
  SGD,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import {
  batch,
  bits,
  eagerly,
  network,
  onBothBackendsLater,
  rejects,
  sameParameters,
  settledMemory,
  stepOf,
} from '../support/engine.js'
import { onBothBackends, refuses } from '../support/reference.js'

const UNITS = [6, 9, 4]
const optimizerOf = (model: ReturnType<typeof network>) =>
  new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })

onBothBackendsLater('a running program excludes what would disturb it', async (t) => {
  const [w, other] = [ones([50, 50]), ones([50, 50])]
  const generator = new Generator(1)
  generator.uniform([1])
  // Long enough for what follows, and stopped at the end.
  const f = capture((x: Tensor) => {
    let y = x.add(generator.uniform([50, 50]))
    for (let i = 0; i < 20; i++) y = y.matmul(w).tanh()
    return y
  })
  const xs = ones([50_000, 50, 50])
  const running = f.runMany(xs)
  // It only reads the weights and its table, so others can read them, too.
  t.equal(w.data()[0], 1)
  t.equal(xs.data()[0], 1)
  t.equal(w.clone().data()[0], 1)
  t.equal(other.add(w).data()[0], 2)
  t.equal(other.matmul(w).data()[0], 50)
  const g = capture((x: Tensor) => x.matmul(w))
  t.equal(g(other).data()[0], 50)
  t.equal((await g.run(other)).data()[0], 50)
  const assigned = 'assign: runMany() uses the same memory and is not done; await it first'
  refuses(t, () => w.assign(new Float32Array(2500)), BusyError, assigned)
  const cases: [string, () => unknown][] = [
    ['uniform', () => generator.uniform([1])],
    ['read', () => generator.save()],
  ]
  for (const [kernel, use] of cases) {
    refuses(
      t,
      use,
      BusyError,
      `${kernel}: expected tensors that are free, got one that an awaited run uses; await that first`,
    )
  }
  t.equal(other.add(1).data()[0], 2, 'others can be used')
  // Freed when the program does not need it any more.
  const before = memory().live
  xs.dispose()
  t.equal(memory().live, before)
  f.dispose()
  await rejects(t, running, CaptureError, /disposed/)
  t.ok(memory().live < before - 4 * xs.size)
  t.equal(w.data()[0], 1)
  t.equal(other.add(w).data()[0], 2)
  w.assign(new Float32Array(2500))
  t.equal(w.data()[0], 0)
  t.equal(generator.uniform([1]).size, 1)
})

onBothBackendsLater('runs of one captured function that overlap', async (t) => {
  const [model, reference] = [1, 1].map((seed) => network(UNITS, seed))
  const [optimizer, expected] = [optimizerOf(model), optimizerOf(reference)]
  const step = capture(stepOf(model, optimizer))
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const running = step.run(x, labels)
  refuses(
    t,
    () => step(x, labels),
    BusyError,
    'capture: run() uses the same memory and is not done; await it first, or call run(), which waits for its turn',
  )
  t.equal(optimizer.steps, 1, 'a call that was refused is no step')
  const many = [ones([2, 8, UNITS[0]]), tensor(new Int32Array(16), [2, 8])] as const
  const others = [step.runMany(...many), step.run(x, labels)]
  const plain = stepOf(reference, expected)
  const wanted = [
    eagerly(plain, x, labels),
    ...[0, 1].map((i) =>
      eagerly(
        plain,
        many[0].slice([i, i + 1]).reshape([8, UNITS[0]]),
        many[1].slice([i, i + 1]).reshape([8]),
      ),
    ),
    eagerly(plain, x, labels),
  ]
  const [first, all, last] = await Promise.all([running, ...others])
  t.strictSame([first.item(), ...all.data(), last.item()], wanted, 'one after the other')
  sameParameters(t, model, reference, 'after four steps')
  t.equal(optimizer.steps, 4)
  t.equal(step(x, labels).item(), eagerly(plain, x, labels), 'and free again')
})

onBothBackendsLater('two programs that run at once over the same weights', async (t) => {
  const model = network(UNITS)
  const step = capture(stepOf(model, optimizerOf(model)))
  const infer = capture((x: Tensor) => noGrad(() => model.forward(x)))
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const before = infer(x).data()
  const running = step.run(x, labels)
  refuses(t, () => infer(x), BusyError, /^capture: run\(\) uses the same memory and is not done/)
  const queued = infer.run(x)
  await running
  const after = (await queued).data()
  t.strictSame(after, infer(x).data(), 'of the weights after the step')
  t.notSame(after, before)
})

onBothBackends('two programs over the same weights, one after the other', (t) => {
  const [model, reference] = [1, 1].map((seed) => network(UNITS, seed))
  const step = capture(stepOf(model, optimizerOf(model)))
  const plain = stepOf(reference, optimizerOf(reference))
  const infer = capture((x: Tensor) => noGrad(() => model.forward(x)))
  for (let i = 0; i < 5; i++) {
    const [x, labels] = batch(i, [8, UNITS[0], UNITS[2]])
    t.equal(step(x, labels).item(), eagerly(plain, x, labels))
    t.strictSame(bits(infer(x)), bits(noGrad(() => reference.forward(x))))
  }
  step.dispose()
  t.equal(infer(ones([8, UNITS[0]])).size, 8 * UNITS[2], 'the other one stays')
})

onBothBackendsLater('several programs run at once', async (t) => {
  const train = async (seed: number) => {
    const model = network(UNITS, seed)
    const step = capture(stepOf(model, optimizerOf(model)))
    const risks: number[] = []
    for (let i = 0; i < 20; i++) {
      const [x, labels] = batch(i, [8, UNITS[0], UNITS[2]])
      risks.push((await step.run(x, labels)).item())
    }
    return risks
  }
  const alone: number[][] = []
  for (const seed of [1, 2, 3]) alone.push(await train(seed))
  t.strictSame(await Promise.all([1, 2, 3].map(train)), alone)
})

onBothBackendsLater('all memory comes back', async (t) => {
  const model = network(UNITS)
  const optimizer = optimizerOf(model)
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const [fewX, fewLabels] = batch(2, [3, UNITS[0], UNITS[2]])
  const many = [ones([3, 8, UNITS[0]]), tensor(new Int32Array(24), [3, 8])] as const
  const use = async () => {
    const step = capture(stepOf(model, optimizer))
    step(x, labels)
    step(fewX, fewLabels)
    ;(await step.runMany(...many)).dispose()
    ;(await step.run(x, labels)).dispose()
    step.dispose()
  }
  // The optimizer's own buffers are made at first.
  await use()
  const [live, buffers] = await settledMemory()
  for (let i = 0; i < 3; i++) await use()
  t.strictSame([memory().live, memory().buffers], [live, buffers])
})

onBothBackendsLater('an optimizer counts the steps that were taken', async (t) => {
  const model = network(UNITS)
  const optimizer = optimizerOf(model)
  const step = capture(stepOf(model, optimizer))
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  step(x, labels)
  t.equal(optimizer.steps, 1)
  // There is no class 9, which the fourth of six passes has.
  const bad = new Int32Array(6 * 8)
  bad[3 * 8 + 2] = 9
  const many = [ones([6, 8, UNITS[0]]), tensor(bad, [6, 8])] as const
  await rejects(t, step.runMany(...many), KernelError, /got 9$/)
  t.equal(optimizer.steps, 4, 'a run that failed')
  refuses(t, () => step(x, tensor(bad.slice(24, 32))), KernelError, /got 9$/)
  t.equal(optimizer.steps, 4, 'a call that failed')
  await rejects(t, step.run(x, tensor(bad.slice(24, 32))), KernelError, /got 9$/)
  t.equal(optimizer.steps, 4, 'a run of one pass that failed')

  const infer = capture((x: Tensor) => noGrad(() => model.forward(x)))
  const running = infer.runMany(ones([1000, 8, UNITS[0]]))
  refuses(t, () => step(x, labels), BusyError)
  t.equal(optimizer.steps, 4, 'a call that was refused')
  await running

  step.dispose()

  // All of it takes a second, more where other work delays it: then the next one is given longer to begin.
  for (let wait = 50; optimizer.steps === 4; wait *= 2) {
    const cancelled = capture(stepOf(model, optimizer))
    const inputs = [ones([100_000, 8, UNITS[0]]), tensor(new Int32Array(8e5), [1e5, 8])] as const
    const endless = cancelled.runMany(...inputs)
    await new Promise((resolve) => setTimeout(resolve, wait))
    cancelled.dispose()
    await rejects(t, endless, CaptureError, /disposed/)
    for (const input of inputs) input.dispose()
  }
  t.ok(optimizer.steps < 100_000, `${optimizer.steps} after a cancelled run`)
})

onBothBackendsLater('a rate that fails in the middle counts no step', async (t) => {
  const model = network(UNITS)
  const lr = (step: number) => (step === 3 ? Number.NaN : 0.1)
  const optimizer = new SGD(model.parameters(), { lr })
  const step = capture(stepOf(model, optimizer))
  const many = [ones([6, 8, UNITS[0]]), tensor(new Int32Array(48), [6, 8])] as const
  await rejects(
    t,
    step.runMany(...many),
    ArgumentError,
    'SGD: expected lr >= 0 from the schedule for step 3, got NaN',
  )
  t.equal(optimizer.steps, 0)
})

onBothBackendsLater('groups of weights alone and of biases alone, in many passes', async (t) => {
  const [captured, eager] = [1, 1].map((seed) => network(UNITS, seed))
  const optimizerOf = (model: ReturnType<typeof network>) => {
    const isWeight = (parameter: Tensor) => parameter.shape.length === 2
    const parameters = model.parameters()
    const groups = [
      { parameters: parameters.filter(isWeight), lr: 0.2 },
      { parameters: parameters.filter((parameter) => !isWeight(parameter)) },
    ]
    return new SGD(groups, { lr: 0.1, momentum: 0.9 })
  }
  const step = capture(stepOf(captured, optimizerOf(captured)))
  const reference = stepOf(eager, optimizerOf(eager))
  const [x, labels] = batch(1, [24, UNITS[0], UNITS[2]])
  const risks = await step.runMany(x.reshape([3, 8, UNITS[0]]), labels.reshape([3, 8]))
  for (let pass = 0; pass < 3; pass++) {
    const part: [number, number] = [8 * pass, 8 * pass + 8]
    const expected = eagerly(reference, x.slice(part), labels.slice(part))
    t.equal(risks.data()[pass], expected, `risk of pass ${pass}`)
  }
  sameParameters(t, captured, eager, 'after three passes')
  step.dispose()
})
