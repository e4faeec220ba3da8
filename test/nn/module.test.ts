/** Modules: which parts are found in them and by which paths, their state, and when it is freed. */
import t from 'tap'
import {
  ArgumentError,
  Dropout,
  Generator,
  Linear,
  Module,
  memory,
  Parameter,
  ReleasedTensorError,
  rand,
  Sequential,
  ShapeError,
  scope,
  Tanh,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { growth, onBothBackends, refuses, wrong } from '../support/reference.js'

/** Parts in every kind of place where they are looked for, and in some where they are not. */
class Everywhere extends Module {
  first = new Linear(2, 3)
  list = [new Tanh(), new Linear(3, 3)]
  byName = { inner: new Linear(3, 1, { bias: false }), size: 3 }
  inMap = new Map<string, Module>([['key', new Sequential(new Linear(1, 2))]])
  again = this.first
  own = new Parameter(zeros([2]), { regularized: false })
  constant = zeros([4])
  noise = new Dropout(0.5)
  nothing = null
  readonly #hidden = new Linear(5, 5)

  forward(x: Tensor): Tensor {
    return this.#hidden.forward(x)
  }
}

const PATHS = [
  'first.weight',
  'first.bias',
  'list.1.weight',
  'list.1.bias',
  'byName.inner.weight',
  'inMap.key.layers.0.weight',
  'inMap.key.layers.0.bias',
  'own',
]

t.test('a module that knows the one it is in does not find it as a part', async (t) => {
  class Child extends Module {
    readonly own = new Parameter(zeros([2]))
    constructor(readonly parent: Module) {
      super()
    }
    forward(x: Tensor): Tensor {
      return x
    }
  }
  class Root extends Module {
    readonly child = new Child(this)
    readonly tail = new Linear(2, 2)
    forward(x: Tensor): Tensor {
      return this.tail.forward(this.child.forward(x))
    }
  }
  // As PyTorch's named_modules, which begins with the root itself.
  const root = new Root()
  t.strictSame([...root.namedModules().keys()], ['', 'child', 'tail'])
  t.strictSame([...root.namedParameters().keys()], ['child.own', 'tail.weight', 'tail.bias'])
  t.strictSame([...root.child.namedChildren().keys()], ['parent'])
})

onBothBackends('parameters and their paths', (t) => {
  const model = new Everywhere()
  t.strictSame([...model.namedParameters().keys()], PATHS, 'in order, shared ones once')
  t.equal(model.parameters().length, PATHS.length)
  t.ok(model.parameters().every((parameter) => parameter.requiresGrad))
  t.strictSame([...model.namedGenerators().keys()], ['noise.generator'])
  t.strictSame(
    [...model.namedParameters()]
      .filter(([, { regularized }]) => !regularized)
      .map(([path]) => path),
    ['first.bias', 'list.1.bias', 'inMap.key.layers.0.bias', 'own'],
  )
})

onBothBackends('a parameter takes over the buffer of its values', (t) => {
  const values = tensor([1, 2])
  const grown = growth(() => {
    const parameter = new Parameter(values)
    t.strictSame([...parameter.data()], [1, 2])
    t.throws(() => values.data(), ReleasedTensorError)
  })
  t.equal(grown, 0)
})

onBothBackends('train and eval reach every module inside', (t) => {
  const model = new Everywhere()
  const modes = () =>
    [
      model,
      model.first,
      model.list[0],
      model.byName.inner,
      model.inMap.get('key')!,
      model.noise,
    ].map(({ training }) => training)
  t.strictSame(new Set(modes()), new Set([true]), 'at first')
  t.equal(model.eval(), model)
  t.strictSame(new Set(modes()), new Set([false]))
  model.train()
  t.strictSame(new Set(modes()), new Set([true]))
})

onBothBackends('zeroGrad forgets all gradients', (t) => {
  const model = new Sequential(new Linear(2, 3), new Tanh(), new Linear(3, 1))
  scope(() =>
    model
      .forward(tensor([[1, 2]]))
      .sum()
      .backward(),
  )
  t.ok(model.parameters().every(({ grad }) => grad !== null))
  const { buffers } = memory()
  model.zeroGrad()
  t.ok(model.parameters().every(({ grad }) => grad === null))
  t.equal(memory().buffers, buffers - 4)
})

onBothBackends('stateDict is a copy, which loadStateDict takes', (t) => {
  const [model, other] = [1, 2].map((seed) => new Linear(2, 3, { generator: new Generator(seed) }))
  const before = model.weight.data()
  const state = model.stateDict()
  t.strictSame([...state.keys()], ['weight', 'bias'])
  t.strictSame(state.get('weight')!.shape, [2, 3])
  state.get('weight')!.data.fill(9)
  t.strictSame(model.weight.data(), before, 'what is written to the copy stays there')
  t.notSame(other.weight.data(), before)
  other.loadStateDict(model.stateDict())
  t.strictSame(other.weight.data(), before)
  other.weight.assign(zeros([2, 3]))
  t.strictSame(model.weight.data(), before, 'nor do models share anything')
})

onBothBackends('a state that does not fit changes nothing', (t) => {
  const model = new Linear(2, 3)
  const before = model.stateDict()
  const state = () => new Map(model.stateDict())
  const [missing, unknown, misshapen] = [state(), state(), state()]
  missing.delete('bias')
  unknown.set('scale', { shape: [1], data: new Float32Array(1) })
  for (const [path] of misshapen) misshapen.set(path, { shape: [6], data: new Float32Array(6) })
  refuses(
    t,
    () => model.loadStateDict(missing),
    ArgumentError,
    /^loadStateDict: .* missing: bias, unexpected: none$/,
  )
  refuses(t, () => model.loadStateDict(unknown), ArgumentError, /missing: none, unexpected: scale$/)
  refuses(
    t,
    () => model.loadStateDict(misshapen),
    ShapeError,
    /expected weight of shape \[2, 3\], got \[6\]$/,
  )
  const half = state().set('bias', { shape: [2], data: new Float32Array(2) })
  half.set('weight', { shape: [2, 3], data: new Float32Array(6) })
  refuses(t, () => model.loadStateDict(half), ShapeError, /expected bias of shape \[3\]/)
  t.strictSame(model.stateDict(), before)
})

onBothBackends('a state that need not be whole', (t) => {
  const model = new Linear(2, 1, { init: () => tensor([[1], [2]]) })
  const state = { bias: { shape: [1], data: [5] }, scale: { shape: [1], data: [6] } }
  t.strictSame(model.loadStateDict(state, { strict: false }), {
    missing: ['weight'],
    unexpected: ['scale'],
  })
  t.strictSame([...model.weight.data(), ...model.bias!.data()], [1, 2, 5])
  t.strictSame(model.loadStateDict(model.stateDict()), { missing: [], unexpected: [] })
  const misshapen = { ...state, weight: { shape: [1, 2], data: [0, 0] } }
  refuses(t, () => model.loadStateDict(misshapen, { strict: false }), ShapeError, /got \[1, 2\]$/)
  refuses(t, () => model.loadStateDict(state, { strict: wrong(0) }), ArgumentError, /strict/)
  t.strictSame([...model.weight.data(), ...model.bias!.data()], [1, 2, 5])
})

onBothBackends('dispose frees parameters, gradients and generators', (t) => {
  rand([1]) // the default generator's state, which stays, comes to this backend
  const grown = growth(() => {
    const model = new Sequential(new Linear(2, 3), new Dropout(0.5), new Linear(3, 1))
    scope(() =>
      model
        .forward(tensor([[1, 2]]))
        .sum()
        .backward(),
    )
    model.dispose()
    t.throws(() => model.parameters()[0].data(), ReleasedTensorError)
  })
  t.equal(grown, 0)
})

t.test('summary: paths, shapes, sizes and their sum', async (t) => {
  const model = new Sequential(new Linear(784, 100), new Tanh(), new Linear(100, 10))
  t.strictSame(model.summary().split('\n'), [
    'layers.0.weight  [784, 100]  78,400',
    'layers.0.bias    [100]          100',
    'layers.2.weight  [100, 10]    1,000',
    'layers.2.bias    [10]            10',
    'total                        79,510',
  ])
})
