/** Runs of captured functions that are asked for at once: each in its turn, with its own arguments and results. */
import t from 'tap'
import {
  BusyError,
  CaptureError,
  capture,
  Dropout,
  Generator,
  KernelError,
  memory,
  noGrad,
  ones,
  SGD,
  setBackend,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import {
  batch,
  bits,
  network,
  onBothBackendsLater,
  rejects,
  settledMemory,
  stepOf,
} from '../support/engine.js'
import { refuses } from '../support/reference.js'

const UNITS = [6, 9, 4]

/** A captured forward pass, and what it gives. */
function asked(units: number[]) {
  const model = network(units)
  const infer = capture((x: Tensor) => noGrad(() => model.forward(x)))
  return { model, infer }
}

// The second is too much to be computed at once.
for (const [size, units] of Object.entries({ small: UNITS, large: [60, 400, 400, 4] })) {
  onBothBackendsLater(`50 runs at once of a ${size} network`, async (t) => {
    const { infer, model } = asked(units)
    const xs = Array.from({ length: 50 }, (_, i) => batch(i, [20, units[0], 2])[0])
    const wanted = xs.map((x) => infer(x).data())
    const round = async () => {
      const results = xs.map((x) => {
        const given = x.clone()
        const running = infer.run(given)
        // It is the caller's again, who may overwrite and free it.
        given.assign(new Float32Array(given.size).fill(7))
        given.dispose()
        return running
      })
      const found = await Promise.all(results)
      for (const [i, y] of found.entries()) t.strictSame(y.data(), wanted[i], `run ${i}`)
      await infer.run(xs[0])
      infer(xs[1])
      t.strictSame(found[3].data(), wanted[3], 'stays after other runs and calls')
      for (const y of found) y.dispose()
    }
    await round()
    const before = await settledMemory()
    await round()
    t.strictSame(await settledMemory(), before, 'all memory is back')
    model.dispose()
  })
}

onBothBackendsLater('one run after another takes no new memory', async (t) => {
  const model = network(UNITS)
  const step = capture(stepOf(model, new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })))
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const next = async () => (await step.run(x, labels)).dispose()
  await next()
  await settledMemory()
  const before = { ...memory() }
  for (let i = 0; i < 100; i++) await next()
  t.strictSame({ ...memory() }, before)
  step.dispose()
})

onBothBackendsLater('readers and writers in the order in which they ask', async (t) => {
  const [{ model, infer }, reference] = [asked(UNITS), network(UNITS)]
  const [step, plain] = [model, reference].map((m) =>
    stepOf(m, new SGD(m.parameters(), { lr: 0.5 })),
  )
  const [train, trainReference] = [step, plain].map((one) => capture(one))
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const order: string[] = []
  const told = <T>(name: string, running: Promise<T>) => running.finally(() => order.push(name))
  const found = [
    told('a', infer.run(x)),
    told('step 1', train.run(x, labels)),
    told('b', infer.run(x)),
    told('step 2', train.run(x, labels)),
    told('c', infer.run(x)),
  ]
  const outputs = () => noGrad(() => bits(reference.forward(x)))
  const wanted = [outputs()]
  for (let i = 0; i < 2; i++) {
    trainReference(x, labels)
    wanted.push(outputs())
  }
  const [a, , b, , c] = await Promise.all(found)
  t.strictSame(order, ['a', 'step 1', 'b', 'step 2', 'c'])
  t.strictSame([a, b, c].map(bits), wanted)
})

onBothBackendsLater('what a queue survives', async (t) => {
  const model = network(UNITS)
  const step = capture(stepOf(model, new SGD(model.parameters(), { lr: 0.1 })))
  const [x, labels] = batch(1, [8, UNITS[0], UNITS[2]])
  const results = await Promise.allSettled([
    step.run(x, labels),
    step.run(x, tensor(Int32Array.of(0, 1, 2, 3, 9, 1, 2, 3))),
    step.run(x, labels),
  ])
  t.strictSame(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  const [, bad] = results
  t.ok(bad.status === 'rejected' && bad.reason instanceof KernelError, 'one with a wrong label')

  const dropout = new Dropout(0.5, new Generator(1))
  const drop = capture((x: Tensor) => dropout.forward(x))
  const inputs = ones([50])
  const [, queued] = [drop.run(inputs), drop.run(inputs)]
  dropout.eval()
  t.ok((await queued).data().includes(0), 'a run goes on as it was asked for')
  t.notOk((await drop.run(inputs)).data().includes(0))

  const [, before] = await settledMemory()
  const f = capture((x: Tensor) => x.mul(tensor([1, 2])))
  const given = ones([2])
  const many = ones([100, 2])
  const [first, second] = [f.runMany(many), f.run(given)]
  f.dispose()
  const message = 'capture: it was disposed of while it was running'
  for (const run of [first, second]) await rejects(t, run, CaptureError, message)
  for (const x of [given, many]) x.dispose()
  t.equal(memory().buffers, before, 'disposed of, it gives all memory back')
})

onBothBackendsLater('a result of one function that another one uses', async (t) => {
  const f = capture((x: Tensor) => x.mul(2))
  const shown = f(tensor([1, 2]))
  const g = capture((x: Tensor) => x.add(shown))
  const running = g.run(tensor([10, 10]))
  refuses(t, () => f(tensor([3, 3])), BusyError, /^capture: run\(\) uses the same memory/)
  // It overwrites what g reads, and waits for it.
  const next = f.run(tensor([5, 5]))
  t.strictSame([...(await running).data()], [12, 14])
  t.strictSame([...(await next).data()], [10, 10])
})

/** Whether a promise is resolved before anything but promises goes on. */
async function isAtOnce(running: Promise<unknown>): Promise<boolean> {
  let isLater = false
  process.nextTick(() => {
    isLater = true
  })
  await running
  return !isLater
}

t.test('what is short runs at once', async (t) => {
  setBackend('native')
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
  const { infer } = asked(UNITS)
  const large = asked([60, 400, 400, 4]).infer
  const [x, wide] = [ones([8, UNITS[0]]), ones([20, 60])]
  for (const f of [() => infer.run(x), () => large.run(wide)]) await f()
  await nextTurn()
  t.ok(await isAtOnce(infer.run(x)), 'a small network')
  t.notOk(await isAtOnce(large.run(wide)), 'a large one')
  t.notOk(await isAtOnce(infer.runMany(ones([2, 8, UNITS[0]]))), 'many at a time')
  const running = large.run(wide)
  t.notOk(await isAtOnce(infer.run(x)), 'not beside another run')
  await running

  // Some 10,000 exponentials each, of which less than a tenth of a million are a turn's share.
  const exp = capture((x: Tensor) => x.exp())
  const values = ones([10_000])
  await nextTurn()
  for (let turn = 0; turn < 3; turn++) {
    let runs = 0
    while (await isAtOnce(exp.run(values))) runs++
    t.ok(runs >= 2 && runs < 10, `${runs} runs, before the event loop goes on`)
  }

  await nextTurn()
  const queued = Array.from({ length: 20 }, () => exp.run(values))
  exp.dispose()
  const [, ...rest] = await Promise.allSettled(queued)
  for (const { status } of rest) t.equal(status, 'rejected')
  t.end()
})
