/**
 * What a captured function sees change between calls, as running it op by op does: what is trained and
 * how. What it does not take over is refused, and leaves everything as it was.
 */
import {
  AutogradError,
  CaptureError,
  capture,
  Dropout,
  Generator,
  Linear,
  Module,
  memory,
  noGrad,
  ones,
  Parameter,
  ReLU,
  ReleasedTensorError,
  rand,
  Sequential,
  SGD,
  type SGDSettings,
  StaleTensorError,
  setSeed,
  Tanh,
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
import { leaf, onBothBackends, refuses, same, wrong } from '../support/reference.js'

const UNITS = [6, 9, 4]
const examples = (seed: number) => batch(seed, [8, UNITS[0], UNITS[2]])

/** With momentum nothing is fused, so that replays agree with single ops to the bit. */
const training = (settings: Partial<SGDSettings> = {}) => {
  const model = network(UNITS)
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, ...settings })
  return { model, optimizer, step: stepOf(model, optimizer) }
}

type Training = ReturnType<typeof training>

/** Trains captured and op by op, with the same changes in between; both must stay the same bits. */
function alike(
  t: Parameters<typeof sameParameters>[0],
  changes: readonly ((training: Training) => void)[],
): { replayed: Training; recordings: number } {
  const [replayed, eager] = [training(), training()]
  let recordings = 0
  const step = capture((x: Tensor, labels: Tensor<'int32'>) => {
    recordings++
    return replayed.step(x, labels)
  })
  let seed = 0
  for (const [i, change] of [() => {}, ...changes].entries()) {
    for (const one of [replayed, eager]) change(one)
    for (let repeat = 0; repeat < 2; repeat++) {
      const [x, labels] = examples(seed++)
      t.equal(step(x, labels).item(), eagerly(eager.step, x, labels), `loss after change ${i}`)
    }
    sameParameters(t, replayed.model, eager.model, `after change ${i}`)
  }
  t.equal(replayed.optimizer.steps, 2 * (changes.length + 1))
  step.dispose()
  return { replayed, recordings }
}

onBothBackends('weights that are frozen, and trained again', (t) => {
  const frozen: Uint32Array[] = []
  const freeze = ({ model }: Training) => {
    model.parameters()[0].requiresGrad = false
    frozen.push(bits(model.parameters()[0]))
  }
  const { replayed, recordings } = alike(t, [freeze])
  t.strictSame(bits(replayed.model.parameters()[0]), frozen[0], 'as it was when it was frozen')
  t.equal(recordings, 2)
  const unfreeze = ({ model }: Training) => {
    model.parameters()[0].requiresGrad = true
  }
  const again = alike(t, [freeze, unfreeze, freeze, unfreeze])
  t.equal(again.recordings, 2, 'what was recorded before is used again')
})

onBothBackends('settings of an optimizer', (t) => {
  const own = { penalty: (weight: Tensor) => weight.abs().sum().mul(0.01) }
  const set =
    (settings: Partial<SGDSettings>) =>
    ({ optimizer }: Training) =>
      void Object.assign(optimizer.groups[0], settings)
  alike(t, [set({ maxNorm: 0.5 }), set({ maxNorm: undefined })])
  alike(t, [set({ regularizer: own }), set({ regularizer: [own, own] }), set({ regularizer: [] })])
  const { recordings } = alike(t, [set({ lr: 0.01 }), set({ weightDecay: 0.1 })])
  t.equal(recordings, 1, 'numbers are fed')
  alike(t, [
    ({ model, optimizer }) => {
      optimizer.groups[0].parameters = model.parameters().slice(2)
    },
  ])
  const plain = alike(t, [set({ momentum: 0.5, nesterov: true })])
  t.ok(plain.replayed.optimizer.stateDict().tensors.has('velocity.0'))
})

onBothBackends('momentum that is switched on', (t) => {
  const { model, optimizer, step } = training({ momentum: 0 })
  const captured = capture(step)
  captured(...examples(1))
  t.equal(optimizer.stateDict().tensors.size, 0)
  optimizer.groups[0].momentum = 0.9
  captured(...examples(1))
  t.equal(optimizer.stateDict().tensors.size, model.parameters().length)
  t.equal(optimizer.steps, 2)
})

class Noisy extends Module {
  readonly inner = new Linear(3, 3)
  calls = 0
  forward(x: Tensor): Tensor {
    this.calls++
    return this.training ? this.inner.forward(x).add(100) : this.inner.forward(x)
  }
}

onBothBackends('a module of one’s own that asks whether it is trained', (t) => {
  const model = new Sequential(new Noisy(), new ReLU())
  const [noisy] = model.layers
  const f = capture((x: Tensor) => model.forward(x))
  const x = ones([2, 3])
  const outputs = { train: noisy.forward(x).relu().data(), eval: [] as ArrayLike<number> }
  noisy.training = false
  outputs.eval = noisy.forward(x).relu().data()
  noisy.calls = 0
  for (const mode of ['train', 'eval', 'eval', 'train', 'eval'] as const) {
    model[mode]()
    t.strictSame(f(x).data(), outputs[mode], mode)
  }
  t.equal(noisy.calls, 2, 'one recording for each')
  model.train()
  noisy.training = false
  t.strictSame(f(x).data(), outputs.eval, 'set by itself')
})

onBothBackendsLater('run and runMany see it, too', async (t) => {
  const [replayed, eager] = [training(), training()]
  const step = capture(replayed.step)
  const [x, labels] = examples(1)
  const all = [x.reshape([1, 8, UNITS[0]]), labels.reshape([1, 8])] as [Tensor, Tensor<'int32'>]
  const run = {
    call: async () => step(x, labels).item(),
    run: async () => (await step.run(x, labels)).item(),
    runMany: async () => (await step.runMany(...all)).data()[0],
  }
  for (const isTrained of [true, false, true]) {
    for (const [name, call] of Object.entries(run)) {
      for (const { model } of [replayed, eager]) model.parameters()[2].requiresGrad = isTrained
      t.equal(await call(), eagerly(eager.step, x, labels), `${name}, ${isTrained}`)
    }
  }
  sameParameters(t, replayed.model, eager.model, 'weights')
  const running = step.run(x, labels)
  for (const parameter of replayed.model.parameters()) parameter.requiresGrad = false
  await running
  eagerly(eager.step, x, labels)
  sameParameters(t, replayed.model, eager.model, 'a run goes on as it was begun')
  const frozen = 'backward: expected a tensor computed from one with requiresGrad'
  await rejects(t, step.run(x, labels), AutogradError, frozen)
})

onBothBackends('dropout with another probability', (t) => {
  const dropout = new Dropout(0, new Generator(1))
  const f = capture((x: Tensor) => dropout.forward(x))
  const x = ones([1000])
  const kept = () =>
    f(x)
      .data()
      .filter((value) => value !== 0).length
  t.equal(kept(), 1000)
  dropout.p = 0.75
  const few = kept()
  t.ok(few > 150 && few < 350, `${few} of 1000`)
  dropout.p = 0
  t.equal(kept(), 1000)
  t.throws(() => (dropout.p = 1), { message: 'Dropout: expected p from 0 to below 1, got 1' })
  t.equal(dropout.p, 0)
})

onBothBackends('layers and weights that are put in place of others', (t) => {
  const model = new Sequential(new Linear(3, 2), new Tanh())
  const f = capture((x: Tensor) => model.forward(x))
  const x = ones([1, 3])
  const check = (what: string) => t.strictSame(f(x).data(), model.forward(x).data(), what)
  check('at first')
  wrong(model.layers)[0] = new Linear(3, 2, { generator: new Generator(5) })
  check('another layer')
  wrong(model).layers = [new Linear(3, 2, { generator: new Generator(6) })]
  check('other layers')
  wrong(model.layers[0]).weight = new Parameter(ones([3, 2]))
  check('another weight')
  wrong(model.layers[0]).bias = new Parameter(ones([2]))
  check('another bias')
})

onBothBackends('what is set inside', (t) => {
  const { model, optimizer, step } = training()
  const [x, labels] = examples(1)
  const [first] = model.parameters()
  const before = model.parameters().map(bits)
  const inside = (fn: () => void) =>
    capture((x: Tensor, labels: Tensor<'int32'>) => {
      fn()
      return step(x, labels)
    })
  const training_ = /^capture: training was set inside and left so, which replays would not repeat/
  refuses(t, () => inside(() => void model.eval())(x, labels), CaptureError, training_)
  t.equal(model.training, true, 'as it was')
  const freezing = inside(() => {
    first.requiresGrad = false
  })
  refuses(t, () => freezing(x, labels), CaptureError, /^capture: requiresGrad was set inside/)
  t.equal(first.requiresGrad, true, 'as it was')
  const setting = inside(() => {
    optimizer.groups[0].lr = 0.01
  })
  const lr =
    'capture: lr of SGD was set inside, which replays would not repeat; set it between calls, or make it a schedule'
  refuses(t, () => setting(x, labels), CaptureError, lr)
  t.equal(optimizer.lrOf(), 0.1)
  t.strictSame(model.parameters().map(bits), before)
  t.equal(optimizer.steps, 0)

  let recordings = 0
  const setBack = capture((x: Tensor) => {
    recordings++
    model.eval()
    first.requiresGrad = false
    const y = model.forward(x)
    first.requiresGrad = true
    model.train()
    return y
  })
  for (const isTraining of [true, true, false, true]) {
    model.train(isTraining)
    if (isTraining) same(t, setBack(x), { shape: [8, 4], data: [...model.forward(x).data()] }, 'y')
  }
  t.equal(recordings, 1, 'set back before the end')
})

onBothBackendsLater('what is switched while a step is prepared', async (t) => {
  const { model, optimizer, step } = training({
    lr: (steps) => {
      if (steps === 3) model.parameters()[0].requiresGrad = false
      return 0.1
    },
  })
  const captured = capture(step)
  const [x, labels] = examples(1)
  captured(x, labels)
  const before = model.parameters().map(bits)
  const [xs, all] = [ones([5, 8, UNITS[0]]), tensor(new Int32Array(40), [5, 8])] as [
    Tensor,
    Tensor<'int32'>,
  ]
  const message = /was switched while a step was prepared.*; switch it between calls$/
  await rejects(t, captured.runMany(xs, all), CaptureError, message)
  t.equal(optimizer.steps, 1, 'no step is taken')
  t.strictSame(model.parameters().map(bits), before)
  captured(x, labels)
  t.equal(optimizer.steps, 2, 'goes on as it is set now')
  t.strictSame(bits(model.parameters()[0]), before[0])
})

onBothBackends('gradients are not kept from call to call', (t) => {
  const { model, optimizer } = training()
  const [x] = examples(1)
  const loss = (x: Tensor) => model.forward(x).square().mean()
  const left =
    /^capture: a gradient is left on a tensor of shape \[.*\], and calls do not add up gradients; call zeroGrad\(\) inside, before backward\(\) or after step\(\), or return the gradient$/
  const refused: Record<string, (x: Tensor) => void> = {
    'gathered over calls': (x) => loss(x).backward(),
    'stepped along, and never forgotten': (x) => {
      loss(x).backward()
      optimizer.step()
    },
    'forgotten too early': (x) => {
      loss(x).backward()
      optimizer.zeroGrad()
      loss(x).backward()
      optimizer.step()
    },
  }
  for (const [name, fn] of Object.entries(refused)) {
    refuses(t, () => capture(fn)(x), CaptureError, left)
    t.equal(optimizer.steps, 0, name)
    t.ok(
      model.parameters().every(({ grad }) => grad === null),
      'no gradient is left',
    )
  }
  const allowed: Record<string, (x: Tensor) => Tensor | undefined> = {
    'forgotten before': (x) => {
      model.zeroGrad()
      loss(x).backward()
      optimizer.step()
      return undefined
    },
    'of a network that is not trained': (x) => {
      const teacher = leaf([1, 2, 3, 4])
      loss(x).add(x.sum().mul(teacher).sum()).backward()
      optimizer.step()
      optimizer.zeroGrad()
      return undefined
    },
    'added up inside': (x) => {
      loss(x).backward()
      loss(x).backward()
      optimizer.step()
      optimizer.zeroGrad()
      return undefined
    },
  }
  for (const [name, fn] of Object.entries(allowed)) {
    const step = capture(fn)
    step(x)
    step(x)
    t.pass(name)
  }
  t.equal(optimizer.steps, 6)
})

onBothBackends('a gradient from outside, at a later call', (t) => {
  const { model, optimizer, step } = training()
  const captured = capture(step)
  captured(...examples(1))
  model.forward(examples(2)[0]).sum().backward()
  refuses(
    t,
    () => captured(...examples(1)),
    CaptureError,
    'capture: a gradient from outside would be added to; call zeroGrad() before the call',
  )
  t.equal(optimizer.steps, 1)
  optimizer.zeroGrad()
  captured(...examples(1))
  t.equal(optimizer.steps, 2)
})

onBothBackends('a step without gradients', (t) => {
  const { model, optimizer } = training()
  const before = model.parameters().map(bits)
  const step = capture((x: Tensor) => {
    const y = model.forward(x)
    optimizer.step()
    return y
  })
  const message = /^SGD: expected a gradient on some parameter, got none; call backward\(\)/
  for (let i = 0; i < 2; i++) refuses(t, () => step(examples(1)[0]), AutogradError, message)
  t.equal(optimizer.steps, 0)
  t.strictSame(model.parameters().map(bits), before)
})

onBothBackends('arguments that want gradients', (t) => {
  const [x, plain] = [leaf([1, 2]), tensor([1, 2])]
  const f = capture((x: Tensor) => {
    if (!x.requiresGrad) return x.mul(1)
    x.square().sum().backward()
    return x.grad!
  })
  same(t, f(x), { shape: [2], data: [2, 4] }, 'the gradient is returned')
  same(t, f(plain), { shape: [2], data: [1, 2] }, 'another program')
  const leaving = capture((x: Tensor) => void x.square().sum().backward())
  refuses(
    t,
    () => leaving(x),
    CaptureError,
    /^capture: a gradient is left on a tensor of shape \[2\]/,
  )
  const own = capture((x: Tensor) => {
    x.requiresGrad = true
    x.square().sum().backward()
    return x.grad!.mul(1)
  })
  same(t, own(plain), { shape: [2], data: [2, 4] }, 'switched on inside')
  t.equal(plain.requiresGrad, false)
})

onBothBackends('without gradients', (t) => {
  const { optimizer, step } = training()
  const captured = capture(step)
  captured(...examples(1))
  const message = 'backward: expected a tensor computed from one with requiresGrad'
  refuses(t, () => noGrad(() => captured(...examples(1))), AutogradError, message)
  captured(...examples(1))
  t.equal(optimizer.steps, 2)
})

onBothBackends('the seed of random numbers', (t) => {
  const f = capture(() => rand([3]))
  const draw = () => {
    setSeed(7)
    return f().data()
  }
  const first = draw()
  t.strictSame(draw(), first, 'begins again')
  setSeed(7)
  t.strictSame(rand([3]).data(), first, 'as op by op')
})

onBothBackendsLater('what was recorded for settings of long ago is freed', async (t) => {
  const [, before] = await settledMemory()
  const dropout = new Dropout(0.5, new Generator(1))
  const f = capture((x: Tensor) => dropout.forward(x))
  const x = ones([10])
  const counts: number[] = []
  for (let i = 1; i <= 8; i++) {
    dropout.p = i / 10
    f(x)
    counts.push(memory().buffers)
  }
  t.equal(counts[7], counts[3], 'four programs are kept')
  const result = f(x)
  dropout.p = 0.05
  t.equal(result.data().length, 10, 'results stay until the next call')
  f.dispose()
  x.dispose()
  dropout.generator.dispose()
  t.equal(memory().buffers, before, 'all memory is back')
})

onBothBackends('tensors that are not there any more', (t) => {
  const { model, step } = training()
  const captured = capture(step)
  const infer = capture((x: Tensor) => noGrad(() => model.forward(x)))
  const [x, labels] = examples(1)
  captured(x, labels)
  infer(x)
  model.dispose()
  for (const call of [() => captured(x, labels), () => infer(x)]) {
    refuses(t, call, ReleasedTensorError, 'tensor [6, 9]: it was released by dispose()')
  }
  const first = capture((x: Tensor) => x.mul(2))
  const result = first(tensor([1, 2]))
  const second = capture(() => result.add(1))
  same(t, second(), { shape: [2], data: [3, 5] }, 'a result of another captured function')
  first(tensor([3, 4]))
  refuses(t, () => second(), StaleTensorError, /^tensor: a later call of the captured function/)
})

onBothBackends('a generator that was disposed of draws on', (t) => {
  const [captured, eager] = [new Generator(3), new Generator(3)]
  const f = capture(() => captured.uniform([2]))
  for (let i = 0; i < 3; i++) {
    t.strictSame(f().data(), eager.uniform([2]).data(), `draw ${i}`)
    if (i === 1) captured.dispose()
  }
})

onBothBackendsLater('a program of long ago that still runs', async (t) => {
  const [, before] = await settledMemory()
  const dropout = new Dropout(0, new Generator(1)).eval()
  const f = capture((x: Tensor) => dropout.forward(x).add(1))
  const x = ones([10])
  const running = f.run(x)
  for (let i = 1; i <= 6; i++) {
    dropout.p = i / 10
    f(x)
  }
  const y = await running
  t.strictSame([...y.data()], Array(10).fill(2), 'is not freed before its end')
  f.dispose()
  for (const own of [x, y]) own.dispose()
  t.equal(memory().buffers, before, 'all memory is back')
})
