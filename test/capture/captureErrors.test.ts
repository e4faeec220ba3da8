/**
 * What a captured function refuses, and what it leaves behind: everything as it was, no memory in
 * use, and an error that says what to do.
 */
import {
  ArgumentError,
  CaptureError,
  capture,
  Generator,
  KernelError,
  memory,
  NeuroblasError,
  ones,
  ReleasedTensorError,
  SGD,
  ShapeError,
  StaleTensorError,
  setBackend,
  type Tensor,
  tensor,
  zeros,
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
import { leaf, onBothBackends, refuses, same, wrong } from '../support/reference.js'

const sgd = (model: ReturnType<typeof network>) =>
  new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })

/** fn(x) in a captured function is refused; what it made is freed, and the next call works. */
function refusesInside(
  t: Parameters<typeof refuses>[0],
  fn: (x: Tensor) => unknown,
  errorClass: Parameters<typeof refuses>[2],
  message: string | RegExp,
): void {
  const x = ones([3])
  const before = memory().buffers
  let isBad = true
  const f = capture((x: Tensor) => {
    const y = x.mul(tensor([2, 3, 4])).sum()
    return isBad ? wrong(fn(x)) : y
  })
  refuses(t, () => f(x), errorClass, message)
  t.equal(memory().buffers, before, 'nothing is left')
  isBad = false
  t.equal(f(x).item(), 9, 'works afterwards')
  f.dispose()
  t.equal(memory().buffers, before)
  x.dispose()
}

onBothBackends('what replays would not repeat is refused', (t) => {
  const w = leaf([1, 2, 3])
  const inner = capture((x: Tensor) => x.neg())
  const generator = new Generator(1)
  generator.uniform([2])
  const read =
    'capture: values cannot be read inside a captured function; return the tensor and read it outside'
  const write = /^capture: a tensor from outside is written from JavaScript.*make it an argument$/
  const cases: [(x: Tensor) => unknown, string | RegExp][] = [
    [(x) => x.sum().item(), read],
    [(x) => x.data(), read],
    [(x) => x.toArray(), read],
    [(x) => `${x}`, read],
    [() => w.data(), read],
    [() => generator.save(), read],
    [() => w.assign([4, 5, 6]), write],
    [() => generator.restore([1, 2, 3, 4]), write],
    [
      () => new Generator(1).uniform([2]),
      'capture: a generator made inside would go on from call to call; make it outside',
    ],
    [(x) => inner(x), 'capture: a captured function cannot call another'],
    [(x) => capture((y: Tensor) => y.neg())(x), 'capture: a captured function cannot call another'],
    [(x) => x.size, /expected tensors, or arrays and objects of tensors, as results, got number$/],
    [() => ['a'], /as results, got string$/],
    [() => ({ a: null }), /as results, got object$/],
  ]
  for (const [fn, message] of cases) refusesInside(t, fn, CaptureError, message)
  t.strictSame([...w.data()], [1, 2, 3])
})

onBothBackends('errors of other kinds come through', (t) => {
  class Own extends NeuroblasError {}
  const w = leaf([1, 2, 3])
  refusesInside(t, (x) => x.add(ones([2])), ShapeError, /^add: /)
  refusesInside(t, (x) => x.clip(1, 0), ArgumentError, /^clip: /)
  refusesInside(t, async (x) => x, ArgumentError, /^capture: expected a synchronous function/)
  const released = ones([3])
  released.dispose()
  refusesInside(t, (x) => x.add(released), ReleasedTensorError, /released/)
  refusesInside(
    t,
    (x) => {
      const y = x.neg()
      y.dispose()
      return y
    },
    ReleasedTensorError,
    /released/,
  )
  refusesInside(
    t,
    (x) => {
      x.mul(w).sum().backward()
      throw new Own('own')
    },
    Own,
    'own',
  )
  t.ok(w.grad === null, 'no gradient is left')
})

onBothBackends('arguments that do not fit', (t, backend) => {
  const f = capture((x: Tensor) => x.neg())
  refuses(
    t,
    () => f(wrong(3)),
    ArgumentError,
    'capture: expected a tensor, got 3; tensor(values) makes one of numbers',
  )
  const none = f as unknown as () => unknown
  refuses(t, () => none(), ArgumentError, 'capture: expected 1 tensors, got 0')
  const x = ones([2])
  setBackend(backend === 'js' ? 'native' : 'js')
  refuses(t, () => f(x), ArgumentError, 'capture: expected arguments on the current backend')
  setBackend(backend)
  x.dispose()
  refuses(t, () => f(x), ReleasedTensorError)
  same(t, f(ones([2])), { shape: [2], data: [-1, -1] }, 'works afterwards')
})

onBothBackendsLater('rows that do not fit', async (t) => {
  const f = capture((...xs: Tensor[]) => xs[0].neg())
  const message = 'capture: expected arguments with the same number of rows, one per iteration'
  await rejects(t, f.runMany(), ShapeError, message)
  await rejects(t, f.runMany(tensor(1)), ShapeError, message)
  await rejects(t, f.runMany(ones([2]), ones([3])), ShapeError, message)
  await rejects(
    t,
    f.runMany(wrong(1)),
    ArgumentError,
    'capture: expected a tensor, got 1; tensor(values) makes one of numbers',
  )
})

onBothBackendsLater('results of an earlier call', async (t) => {
  const f = capture((x: Tensor) => x.mul(2))
  const stale =
    'tensor: a later call of the captured function overwrote it; read results before, or clone() them'
  const first = f(tensor([1, 2]))
  const kept = first.clone()
  const view = first.reshape([2, 1])
  same(t, f(first), { shape: [2], data: [4, 8] }, 'as the next argument')
  for (const use of [() => first.data(), () => first.add(1), () => view.data(), () => f(first)]) {
    refuses(t, use, StaleTensorError, stale)
  }
  same(t, kept, { shape: [2], data: [2, 4] }, 'a clone stays')
  const other = f(tensor([1, 2, 3]))
  const second = f(ones([2]))
  same(t, other, { shape: [3], data: [2, 4, 6] }, 'another shape has results of its own')
  const running = f.run(ones([2]))
  refuses(t, () => second.data(), StaleTensorError)
  const third = await running
  const table = await f.runMany(ones([4, 2]))
  f(ones([2]))
  same(t, third, { shape: [2], data: [2, 2] }, "a run's are the caller's own")
  same(t, table, { shape: [4, 2], data: Array(8).fill(2) }, 'tables are not overwritten')
  f.dispose()
  refuses(t, () => other.data(), StaleTensorError)
  same(t, f(ones([2])), { shape: [2], data: [2, 2] }, 'after dispose() it is captured again')
})

onBothBackends('a gradient from before', (t) => {
  const model = network([3, 2])
  const optimizer = sgd(model)
  const step = stepOf(model, optimizer)
  const [x, labels] = batch(1, [4, 3, 2])
  model.forward(x).sum().backward()
  const captured = capture(step)
  refuses(t, () => captured(x, labels), CaptureError, /^capture: a gradient from outside.*zeroGrad/)
  optimizer.zeroGrad()
  t.equal(optimizer.steps, 0)
  captured(x, labels)
  t.equal(optimizer.steps, 1)
})

onBothBackends('settings out of range', (t) => {
  const model = network([3, 2])
  const optimizer = sgd(model)
  const step = capture(stepOf(model, optimizer))
  const [x, labels] = batch(1, [4, 3, 2])
  step(x, labels)
  const before = model.parameters().map(bits)
  optimizer.groups[0].lr = -1
  refuses(t, () => step(x, labels), ArgumentError, 'SGD: expected lr >= 0, got -1')
  t.strictSame(model.parameters().map(bits), before)
  optimizer.groups[0].lr = 0.1
  step(x, labels)
  t.equal(optimizer.steps, 2)
})

onBothBackendsLater('a label out of range', async (t) => {
  const [model, reference] = [1, 1].map((seed) => network([3, 4, 2], seed))
  const optimizer = sgd(model)
  const step = capture(stepOf(model, optimizer))
  const plain = stepOf(reference, sgd(reference))
  const [x, labels] = batch(1, [4, 3, 2])
  const bad = tensor(Int32Array.of(0, 1, 2, -1))
  const message = 'softmaxCrossEntropy: labels[2]: expected an index from 0 to below 2, got 2'
  step(x, labels)
  eagerly(plain, x, labels)
  refuses(t, () => step(x, bad), KernelError, message)
  await rejects(t, step.run(x, bad), KernelError, message)
  sameParameters(t, model, reference, 'the step with it changes nothing')
  // Four good passes, then one that is not.
  const passes = [labels, labels, labels, labels, bad, labels]
  const xs = tensor(
    passes.flatMap(() => [...x.data()]),
    [6, 4, 3],
  )
  const all = tensor(Int32Array.from(passes.flatMap((y) => [...y.data()])), [6, 4])
  const [, before] = await settledMemory()
  await rejects(t, step.runMany(xs, all), KernelError, message)
  t.equal(memory().buffers, before)
  for (let i = 0; i < 4; i++) eagerly(plain, x, labels)
  sameParameters(t, model, reference, 'the passes after it are not run')
  t.equal(step(x, labels).item(), eagerly(plain, x, labels), 'works afterwards')
  sameParameters(t, model, reference, 'afterwards')
})

onBothBackendsLater('disposed of while it is running', async (t) => {
  const [, before] = await settledMemory()
  const f = capture((x: Tensor) => {
    let y = x.mul(tensor([1, 2]))
    for (let i = 0; i < 30; i++) y = y.exp().neg()
    return y
  })
  const x = ones([2])
  const many = zeros([1000, 2])
  const message = 'capture: it was disposed of while it was running'
  const run = f.run(x)
  f.dispose()
  await rejects(t, run, CaptureError, message)
  const all = f.runMany(many)
  f.dispose()
  await rejects(t, all, CaptureError, message)
  f.dispose()
  t.strictSame(f(x).shape, [2], 'captured again')
  f.dispose()
  x.dispose()
  many.dispose()
  t.equal(memory().buffers, before, 'all memory is back')
})
