import {
  Adam,
  ArgumentError,
  AutogradError,
  Linear,
  l2,
  SGD,
  scope,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { close } from '../support/engine.js'
import { leaf, onBothBackends, refuses, wrong } from '../support/reference.js'

/** Tensors of these values, all with gradients of 1. */
const withGradients = (...values: number[]) =>
  values.map((value) => {
    const x = leaf([value])
    scope(() => x.sum().backward())
    return x
  })

onBothBackends('a group’s own settings go before the common ones', (t) => {
  const [a, b, c] = withGradients(1, 1, 1)
  const optimizer = new SGD(
    [{ parameters: [a], lr: 0.5 }, { parameters: [b], weightDecay: 0 }, { parameters: [c] }],
    { lr: 0.1, weightDecay: 0.2 },
  )
  t.strictSame(
    optimizer.groups.map(({ lr, weightDecay }) => [lr, weightDecay]),
    [
      [0.5, 0.2],
      [0.1, 0],
      [0.1, 0.2],
    ],
  )
  optimizer.step()
  // w - lr·(g + weightDecay·w)
  close(t, [a.item(), b.item(), c.item()], [1 - 0.5 * 1.2, 1 - 0.1, 1 - 0.1 * 1.2], 1e-6, 'a step')
  t.strictSame(optimizer.parameters(), [a, b, c])
})

onBothBackends('each group follows its schedule, with the steps of the optimizer', (t) => {
  const [a, b] = withGradients(0, 0)
  const groups = [{ parameters: [a], lr: (step: number) => 2 ** -step }, { parameters: [b] }]
  const optimizer = new SGD(groups, { lr: 0.25 })
  for (let step = 0; step < 3; step++) {
    t.strictSame(
      optimizer.groups.map((group) => optimizer.lrOf(group)),
      [2 ** -step, 0.25],
    )
    optimizer.step()
  }
  t.strictSame([a.item(), b.item()], [-1.75, -0.75])
})

onBothBackends('a setting that is changed between steps counts from the next one', (t) => {
  const [a, b] = withGradients(0, 0)
  const optimizer = new SGD([{ parameters: [a] }, { parameters: [b] }], { lr: 1 })
  optimizer.step()
  optimizer.groups[1].lr = 0.5
  optimizer.step()
  t.strictSame([a.item(), b.item()], [-2, -1.5])
  optimizer.groups[0].lr = -1
  refuses(t, () => optimizer.step(), ArgumentError, 'SGD: expected lr >= 0, got -1')
  t.equal(optimizer.steps, 2)
})

onBothBackends('regularizers and maxNorm of a group are for its weights', (t) => {
  const [first, second] = [1, 2].map(() => {
    const layer = new Linear(2, 1)
    layer.weight.assign([3, 4])
    layer.bias!.assign([10])
    return layer
  })
  const groups = [
    { parameters: first.parameters(), maxNorm: 1 },
    { parameters: second.parameters(), regularizer: l2(0.5) },
  ]
  const optimizer = new SGD(groups, { lr: 0.1 })
  for (const parameter of optimizer.parameters()) parameter.grad = zeros(parameter.shape)
  optimizer.step()
  close(t, first.weight.data(), [0.6, 0.8], 1e-6, 'of length 5, scaled down to 1')
  close(t, second.weight.data(), [3 - 0.3, 4 - 0.4], 1e-6, 'w - lr·2·lambda·w')
  t.strictSame([first.bias!.item(), second.bias!.item()], [10, 10])
  close(t, [optimizer.regularizationLoss()], [0.5 * (2.7 ** 2 + 3.6 ** 2)], 1e-5, 'penalty')
})

onBothBackends('what is kept for parameters is found again in the same order', (t) => {
  const make = (values: number[]) => {
    const [a, b] = withGradients(...values)
    const groups = [{ parameters: [a], lr: 0.5 }, { parameters: [b] }]
    return { parameters: [a, b], optimizer: new Adam(groups, { lr: 0.1 }) }
  }
  const [whole, resumed] = [make([1, 2]), make([1, 2])]
  for (let step = 0; step < 3; step++) whole.optimizer.step()
  for (const [i, parameter] of resumed.parameters.entries()) {
    parameter.assign(whole.parameters[i].data())
  }
  resumed.optimizer.loadStateDict(whole.optimizer.stateDict())
  t.equal(resumed.optimizer.steps, 3)
  for (const { optimizer } of [whole, resumed]) optimizer.step()
  t.strictSame(
    resumed.parameters.map((parameter) => parameter.item()),
    whole.parameters.map((parameter) => parameter.item()),
  )
})

onBothBackends('zeroGrad forgets the gradients of all groups', (t) => {
  const [a, b] = withGradients(1, 2)
  const optimizer = new SGD([{ parameters: [a] }, { parameters: [b] }], { lr: 0.1 })
  optimizer.zeroGrad()
  t.strictSame([a.grad, b.grad], [null, null])
  scope(() => a.sum().backward())
  optimizer.step()
  close(t, [a.item()], [0.9], 1e-6, 'moved along its gradient')
  t.equal(b.item(), 2, 'what has no gradient is not moved')
})

onBothBackends('a step without any gradient', (t) => {
  const [a] = withGradients(1)
  const optimizer = new SGD([a], { lr: 0.1 })
  optimizer.zeroGrad()
  const hint = 'call backward() of a loss that depends on them before step()'
  const message = `SGD: expected a gradient on some parameter, got none; ${hint}`
  refuses(t, () => optimizer.step(), AutogradError, message)
  a.requiresGrad = false
  refuses(t, () => optimizer.step(), AutogradError, /; requiresGrad is false on all of them$/)
  t.equal(optimizer.steps, 0, 'does not count')
  t.equal(a.item(), 1)
})

onBothBackends('settings and lists that a group does not have', (t) => {
  const [a, b] = withGradients(1, 1)
  const regularizers = [l2(0.5)]
  const optimizer = new SGD([a], { lr: 0.1, regularizer: regularizers })
  const [group] = optimizer.groups
  refuses(t, () => Object.assign(group, { learningRate: 1 }), ArgumentError, /^SGD: .*learningRate/)
  const none = () => Object.assign(group, { parameters: ['w'] })
  refuses(t, none, ArgumentError, /^SGD: expected a list of tensors to optimize, got 'w'$/)
  regularizers.push(l2(1000))
  close(t, [optimizer.regularizationLoss()], [0.5], 1e-6, "the caller's list is copied")
  t.throws(() => wrong(group.regularizer).push(l2(1)), TypeError, 'a list is replaced, not changed')
  t.throws(() => wrong(optimizer.groups).push({ parameters: [b], lr: 0.1 }), TypeError)
  delete wrong(group).regularizer
  t.equal(optimizer.regularizationLoss(), 0)
})

onBothBackends('weights that are frozen', (t) => {
  const [a, b] = withGradients(2, 3)
  const own = { penalty: (weight: Tensor) => weight.square().sum().mul(0.5) }
  const optimizer = new SGD([a, b], { lr: 0.1, regularizer: own })
  optimizer.zeroGrad()
  b.requiresGrad = false
  scope(() => a.sum().backward())
  optimizer.step()
  // w - lr·(1 + w)
  close(t, [a.item(), b.item()], [2 - 0.1 * 3, 3], 1e-6, 'get no gradient of a regularizer')
  close(t, [optimizer.regularizationLoss()], [0.5 * 1.7 ** 2], 1e-6, 'nor count in its loss')
})

onBothBackends('what is refused', (t) => {
  const [a] = withGradients(1)
  const once = 'SGD: expected each parameter once'
  const none =
    'SGD: expected parameters to optimize, such as model.parameters(), got none; modules find them in public properties'
  const refused: [() => unknown, string | RegExp][] = [
    [() => new SGD([], { lr: 0.1 }), none],
    [() => new SGD(wrong(undefined), { lr: 0.1 }), none],
    [() => new SGD([a, a], { lr: 0.1 }), once],
    [() => new SGD([{ parameters: [a] }, { parameters: [a] }], { lr: 0.1 }), once],
    [
      () => new SGD([{ parameters: [a], lr: Number.NaN }], { lr: 0.1 }),
      'SGD: expected lr >= 0, got NaN',
    ],
    [
      () => new SGD([{ parameters: [a], maxNorm: 0 }], { lr: 0.1 }),
      'SGD: expected maxNorm > 0, got 0',
    ],
    [() => new SGD([{ parameters: [a], momentun: 0.9 } as never], { lr: 0.1 }), /momentun/],
  ]
  for (const [make, message] of refused) refuses(t, make, ArgumentError, message)
  const optimizer = new SGD([a], { lr: 0.1 })
  const adam = new Adam([tensor([1])], { lr: 0.1 })
  refuses(
    t,
    () => optimizer.loadStateDict(adam.stateDict()),
    ArgumentError,
    /^loadStateDict: expected the state of SGD, got Adam$/,
  )
})
