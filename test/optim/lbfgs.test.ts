/** L-BFGS beside its numbers: what it keeps, what it refuses, regularizers. */
import {
  ArgumentError,
  CaptureError,
  capture,
  LBFGS,
  type LBFGSSettings,
  Linear,
  l1,
  l2,
  memory,
  noGrad,
  ReleasedTensorError,
  SGD,
  ShapeError,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { bits, close } from '../support/engine.js'
import { leaf, onBothBackends, refuses, wrong } from '../support/reference.js'

const DEFAULT = { lr: 1, lineSearch: 'strongWolfe', maxIter: 3 } as const

/** Rosenbrock's function of a pair, in two parameters. */
function valley(settings: LBFGSSettings = DEFAULT) {
  const [x, y] = [leaf([-1.5]), leaf([2])]
  const optimizer = new LBFGS([x, y], settings)
  const step = () =>
    optimizer.step(() => {
      optimizer.zeroGrad()
      const loss = x.mul(-1).add(1).square().add(y.sub(x.square()).square().mul(100)).sum()
      loss.backward()
      return loss
    })
  return { x, y, optimizer, step }
}

onBothBackends('finds the end of a valley, and frees what it kept', (t) => {
  const { buffers } = memory()
  const { x, y, optimizer, step } = valley({ ...DEFAULT, historySize: 4 })
  const losses = Array.from({ length: 40 }, () => step())
  close(t, [x.item(), y.item()], [1, 1], 1e-2, 'minimum')
  t.ok(losses[39] < 1e-4 && losses[0] > 1, `${losses[39]}`)
  t.equal(optimizer.steps, 40)
  const { tensors } = optimizer.stateDict()
  t.equal([...tensors.keys()].filter((name) => name.startsWith('move.')).length, 4)
  optimizer.dispose()
  refuses(t, step, ReleasedTensorError, /^LBFGS: step after dispose\(\)/)
  for (const w of [x, y]) w.dispose()
  optimizer.zeroGrad()
  t.ok(memory().buffers <= buffers, 'nothing is left')
})

onBothBackends('goes on to the same bits from its state', (t) => {
  const whole = valley()
  for (let i = 0; i < 3; i++) whole.step()
  const resumed = valley()
  resumed.x.assign(whole.x)
  resumed.y.assign(whole.y)
  resumed.optimizer.loadStateDict(JSON.parse(JSON.stringify(whole.optimizer.stateDict())))
  t.equal(resumed.optimizer.steps, 3)
  for (let i = 0; i < 3; i++) t.equal(resumed.step(), whole.step())
  t.strictSame([resumed.x, resumed.y].map(bits), [whole.x, whole.y].map(bits))
  const before = resumed.optimizer.stateDict()
  const { tensors } = before
  const load = (changed: [string, object | undefined]) => {
    const map = new Map<string, unknown>(tensors)
    if (changed[1]) map.set(...changed)
    else map.delete(changed[0])
    resumed.optimizer.loadStateDict({ ...before, tensors: wrong(map) })
  }
  const short = { shape: [1], data: [1] }
  refuses(
    t,
    () => load(['change.0', undefined]),
    ArgumentError,
    /expected move, .* without change.0$/,
  )
  refuses(t, () => load(['velocity.0', short]), ArgumentError, /got velocity.0$/)
  refuses(t, () => load(['move.0', short]), ShapeError, /expected move.0 of shape \[2\], got/)
  const sgd = new SGD([leaf([1])], { lr: 1 }).stateDict()
  refuses(t, () => resumed.optimizer.loadStateDict(sgd), ArgumentError, /state of LBFGS, got SGD/)
  t.strictSame(resumed.optimizer.stateDict(), before, 'it is as it was')
})

onBothBackends('regularizers are part of what is minimized', (t) => {
  const layer = new Linear(2, 1)
  layer.weight.assign([4, -3])
  const optimizer = new LBFGS(layer.parameters(), {
    lr: 1,
    lineSearch: 'strongWolfe',
    regularizer: [l2(0.5), { penalty: (w: Tensor) => w.mul(-1).sum() }],
  })
  const loss = optimizer.step(() => {
    optimizer.zeroGrad()
    const value = layer.weight.square().sum().mul(0.5).add(layer.bias!.square().sum())
    value.backward()
    return value
  })
  t.equal(loss, 12.5, 'the loss alone')
  // ½w² + ½w² - w
  close(t, layer.weight.data(), [0.5, 0.5], 1e-5, 'weights')
  const sparse = leaf([0.5])
  const other = new LBFGS([sparse], { lr: 0.1, maxIter: 1, regularizer: l1(2) })
  const closure = () => {
    other.zeroGrad()
    const value = sparse.square().sum()
    value.backward()
    return value
  }
  other.step(closure)
  // The first move is along the gradient, 2w + 2, by lr·min(1, 1 / ‖gradient‖₁).
  close(t, sparse.data(), [0.4], 1e-6, 'along the subgradient of l1')
})

onBothBackends('a loss that is no longer finite ends the step', (t) => {
  for (const lineSearch of ['none', 'strongWolfe'] as const) {
    const w = leaf([1])
    const optimizer = new LBFGS([w], { lr: 1, lineSearch })
    const step = () =>
      optimizer.step(() => {
        optimizer.zeroGrad()
        const loss = w.sub(2).log().sum()
        loss.backward()
        return loss
      })
    t.ok(Number.isNaN(step()))
    t.ok(Number.isNaN(w.item()) || Number.isFinite(w.item()))
  }
})

onBothBackends('what is refused', (t) => {
  const [a, b] = [leaf([1]), leaf([2])]
  const optimizer = new LBFGS([a], { lr: 1 })
  const { step } = valley()
  refuses(
    t,
    () => optimizer.step(),
    ArgumentError,
    /^LBFGS: expected step\(closure\) .* undefined$/,
  )
  const vector = () => optimizer.step(() => tensor([1, 2]))
  refuses(t, vector, ArgumentError, /a closure that returns the loss, a scalar, got a tensor of sh/)
  refuses(t, () => optimizer.step(() => wrong(3)), ArgumentError, /returns the loss, .*, got 3$/)
  refuses(
    t,
    () => capture(() => void step())(),
    CaptureError,
    /^capture: LBFGS reads the loss several times/,
  )
  t.ok(noGrad(step) > 0, 'a closure has a graph of its own')
  const groups = [{ parameters: [a] }, { parameters: [b] }]
  const make = (settings: object, parameters: unknown = [b]) =>
    new LBFGS(wrong(parameters), wrong({ lr: 1, ...settings }))
  const refused: [() => unknown, string | RegExp][] = [
    [() => make({}, groups), 'LBFGS: expected one group of parameters, got 2'],
    [() => make({ maxIter: 0 }), 'LBFGS: expected maxIter to be a whole number from 1, got 0'],
    [() => make({ toleranceGrad: -1 }), 'LBFGS: expected toleranceGrad >= 0, got -1'],
    [() => make({ lineSearch: 'wolfe' }), /expected lineSearch strongWolfe or none, got 'wolfe'$/],
    [() => make({ maxNorm: 1 }), 'LBFGS: expected no maxNorm, got 1'],
  ]
  for (const [call, message] of refused) refuses(t, call, ArgumentError, message)
})
