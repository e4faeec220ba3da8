/** Of every optimizer: settings out of range, regularizers, what it keeps and what it frees. */
import {
  Adadelta,
  Adagrad,
  Adam,
  AdamW,
  ArgumentError,
  type GroupSettings,
  Linear,
  Lion,
  l1,
  l2,
  memory,
  NAdam,
  type Optimizer,
  RAdam,
  ReduceOnPlateau,
  type Regularizer,
  RMSprop,
  SGD,
  schedules,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { bits, close } from '../support/engine.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

type Make = (parameters: Tensor[], settings: GroupSettings) => Optimizer

const optimizers: Record<string, Make> = {
  SGD: (w, settings) => new SGD(w, { ...settings, momentum: 0.5, dampening: 0.5 }),
  Adam: (w, settings) => new Adam(w, { ...settings, amsgrad: true }),
  AdamW: (w, settings) => new AdamW(w, settings),
  NAdam: (w, settings) => new NAdam(w, settings),
  RAdam: (w, settings) => new RAdam(w, settings),
  RMSprop: (w, settings) => new RMSprop(w, { ...settings, centered: true, momentum: 0.5 }),
  Adagrad: (w, settings) => new Adagrad(w, settings),
  Adadelta: (w, settings) => new Adadelta(w, settings),
  Lion: (w, settings) => new Lion(w, settings),
}

const WEIGHTS = [0.5, -0.25, 0.01, -0.002, 0, 2]

/** A layer after two steps along the same gradients. */
function stepped(make: Make, settings: Omit<GroupSettings, 'lr'> = {}, lr = 0.01) {
  const layer = new Linear(2, 3)
  layer.weight.assign(WEIGHTS)
  layer.bias!.assign([1, 1, 1])
  const optimizer = make(layer.parameters(), { lr, ...settings })
  for (let step = 0; step < 2; step++) {
    optimizer.zeroGrad()
    layer.weight.grad = tensor([0.1, -0.2, 0.03, 0.01, 0, -0.4], [2, 3])
    layer.bias!.grad = tensor([0.5, 0.5, 0.5])
    optimizer.step()
  }
  return { layer, optimizer }
}

for (const [name, make] of Object.entries(optimizers)) {
  onBothBackends(`${name}: regularizers`, (t) => {
    const plain = stepped(make).layer
    const own: Regularizer = { penalty: (w) => w.square().sum().mul(0.3) }
    const [builtIn, differentiated] = [l2(0.3), own].map(
      (regularizer) => stepped(make, { regularizer }).layer,
    )
    close(t, builtIn.weight.data(), differentiated.weight.data(), 2e-6, 'l2 is a gradient')
    t.notSame(bits(builtIn.weight), bits(plain.weight))
    t.strictSame(bits(builtIn.bias!), bits(plain.bias!), 'not of biases')
    const sparse = stepped(make, { regularizer: l1(1000) }).layer
    t.strictSame([...sparse.weight.data()], [0, 0, 0, 0, 0, 0], 'l1 makes weights 0')
    t.strictSame(bits(sparse.bias!), bits(plain.bias!))
    const short = stepped(make, { maxNorm: 0.125 }).layer.weight.data()
    for (let unit = 0; unit < 3; unit++) {
      t.ok(Math.hypot(short[unit], short[3 + unit]) <= 0.125 * (1 + 1e-6), 'maxNorm')
    }
  })

  onBothBackends(`${name}: its state, and what it frees`, (t) => {
    const { optimizer } = stepped(make)
    const other = stepped(make)
    other.optimizer.loadStateDict(JSON.parse(JSON.stringify(optimizer.stateDict())))
    t.strictSame(other.optimizer.stateDict(), optimizer.stateDict())
    t.equal(optimizer.stateDict().kind, name)
    const kept = optimizer.stateDict().tensors.size
    const { buffers } = memory()
    optimizer.dispose()
    t.equal(buffers - memory().buffers, kept + 2, 'with the settings of weights and of biases')
  })

  onBothBackends(`${name}: a gradient that is NaN is seen`, (t) => {
    const w = tensor([1, 1])
    const optimizer = make([w], { lr: 0.1 })
    w.grad = tensor([Number.NaN, 1])
    optimizer.step()
    t.ok(Number.isNaN(w.data()[0]) && Number.isFinite(w.data()[1]))
  })
}

onBothBackends('settings out of range', (t) => {
  const w = [tensor([1])]
  const refused: [() => unknown, string | RegExp][] = [
    [() => new AdamW(w, { lr: 1, weightDecay: -1 }), 'AdamW: expected weightDecay >= 0, got -1'],
    [() => new Adam(w, wrong({ lr: 1, amsgrad: 1 })), /amsgrad to be true or false, got 1$/],
    [() => new NAdam(w, { lr: 1, momentumDecay: -1 }), /^NAdam: expected momentumDecay >= 0, got/],
    [() => new RAdam(w, { lr: 1, beta2: 1 }), 'RAdam: expected beta2 from 0 to below 1, got 1'],
    [() => new RMSprop(w, { lr: 1, decay: 1 }), 'RMSprop: expected decay from 0 to below 1, got 1'],
    [() => new RMSprop(w, { lr: 1, momentum: -1 }), 'RMSprop: expected momentum >= 0, got -1'],
    [() => new RMSprop(w, wrong({ lr: 1, alpha: 0.9 })), /^RMSprop: .*alpha/],
    [() => new Adagrad(w, { lr: 1, lrDecay: -1 }), 'Adagrad: expected lrDecay >= 0, got -1'],
    [() => new Adadelta(w, { lr: 1, epsilon: 0 }), 'Adadelta: expected epsilon > 0, got 0'],
    [() => new Lion(w, { lr: 1, beta1: -0.1 }), 'Lion: expected beta1 from 0 to below 1, got -0.1'],
    [() => new SGD(w, { lr: 1, momentum: 0.5, dampening: 2 }), /dampening from 0 to 1, got 2$/],
    [
      () => new SGD(w, { lr: 1, momentum: 0.5, dampening: 0.5, nesterov: true }),
      'SGD: nesterov needs dampening 0, got 0.5',
    ],
    [() => new SGD(w, { lr: () => Number.NaN }), /lr >= 0 from the schedule for step 0, got NaN$/],
    [
      () => new ReduceOnPlateau(new SGD(w, { lr: schedules.constant(1) })),
      'ReduceOnPlateau: expected an optimizer whose lr is a number, got one with a schedule',
    ],
    [() => new ReduceOnPlateau(wrong({})), 'ReduceOnPlateau: expected an optimizer, got {}'],
  ]
  for (const [make, message] of refused) refuses(t, make, ArgumentError, message)
})

onBothBackends('an option that is switched between steps', (t) => {
  const { layer, optimizer } = stepped((w, settings) => new RMSprop(w, settings))
  const [group] = optimizer.groups as RMSprop['groups']
  group.centered = true
  group.momentum = 0.5
  layer.weight.grad = tensor([1, 1, 1, 1, 1, 1], [2, 3])
  optimizer.step()
  const kept = [...optimizer.stateDict().tensors.keys()]
  t.ok(['square.0', 'velocity.0', 'mean.0'].every((key) => kept.includes(key)))
})
