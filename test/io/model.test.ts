/** Model files: what is written is read again to the bit, and what does not fit changes nothing. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  ArgumentError,
  Autoencoder,
  BusyError,
  capture,
  DataError,
  DivergenceError,
  Linear,
  loadMlp,
  loadModel,
  Module,
  mlp,
  Parameter,
  RBM,
  ReLU,
  ReleasedTensorError,
  Sequential,
  SGD,
  ShapeError,
  Sigmoid,
  saveClassifier,
  saveMlp,
  saveModel,
  setBackend,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js'
import { bits, identical, network, sameParameters } from '../support/engine.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

type ErrorClass = typeof ShapeError | typeof ArgumentError
const readModelValue = (file: string) =>
  decodeSafetensors(readFileSync(file), file).tensors.get('layers.2.weight')!.data[3]
const fileIn = (t: Test) => `${t.testdir()}/model.safetensors`

onBothBackends('a model and the text beside it', (t) => {
  const file = fileIn(t)
  const [model, other] = [1, 2].map((seed) => network([5, 4, 3], seed))
  model.parameters()[0].assign([Number.NaN, -0, Infinity, 2 ** -149, ...new Array(16).fill(0.1)])
  const metadata = { note: 'ä "quoted" text\n', empty: '' }
  saveModel(model, file, metadata)
  t.strictSame(loadModel(other, file), metadata)
  sameParameters(t, other, model, 'the same bits')
  const { tensors } = decodeSafetensors(readFileSync(file), file)
  t.strictSame([...tensors.keys()].sort(), [...model.namedParameters().keys()].sort())
  t.strictSame(tensors.get('layers.0.weight')!.shape, [5, 4], '[fanIn, fanOut]')
  saveModel(model, file)
  t.strictSame(loadModel(other, file), {}, 'the old content is gone')
})

onBothBackends('a state that does not fit changes nothing, whatever part of it is wrong', (t) => {
  const model = network([3, 2, 2])
  const before = model.stateDict()
  const state = (bias: unknown) =>
    new Map([...network([3, 2, 2], 2).stateDict(), ['layers.2.bias', wrong(bias)]])
  const refused: [unknown, ErrorClass, RegExp][] = [
    [
      { shape: [2], data: [1, 2, 3] },
      ShapeError,
      /expected 2 values for layers\.2\.bias .* got 3$/,
    ],
    [{ shape: [2], data: new Float32Array(0) }, ShapeError, /of shape \[2\], got 0$/],
    [{ shape: [3], data: [1, 2, 3] }, ShapeError, /layers\.2\.bias of shape \[2\], got \[3\]$/],
    [
      { shape: [2], data: [1, '2'] },
      ArgumentError,
      /layers\.2\.bias: expected numbers, got '2' at 1$/,
    ],
    [
      { shape: [2], data: null },
      ArgumentError,
      /layers\.2\.bias: expected a list of numbers, got null$/,
    ],
  ]
  for (const [bias, kind, message] of refused) {
    refuses(t, () => model.loadStateDict(state(bias)), kind, message)
    t.strictSame(model.stateDict(), before)
  }
  const last = model.namedParameters().get('layers.2.bias')!
  last.dispose()
  const fitting = network([3, 2, 2], 2).stateDict()
  refuses(t, () => model.loadStateDict(fitting), ReleasedTensorError)
  const first = model.namedParameters().get('layers.0.weight')!
  t.strictSame(first.data(), before.get('layers.0.weight')!.data, 'one was released')
})

for (const machine of [new RBM(3, 2), new Autoencoder(3, 2, { tied: false })]) {
  t.test(`${machine.constructor.name}: nothing changes either`, async (t) => {
    const before = machine.stateDict()
    const path = [...before.keys()].at(-1)!
    const state = new Map(
      [...before].map(([name, { shape, data }]) => [name, { shape, data: data.map((x) => x + 1) }]),
    )
    state.set(path, { ...state.get(path)!, data: new Float32Array(1) })
    refuses(t, () => machine.loadStateDict(state), ShapeError, /got 1$/)
    t.strictSame(machine.stateDict(), before)
  })
}

onBothBackends('an optimizer’s state that does not fit changes nothing', (t) => {
  const trained = (seed: number) => {
    const model = network([3, 2], seed)
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
    model
      .forward(tensor([[1, 2, seed]]))
      .sum()
      .backward()
    optimizer.step()
    return optimizer
  }
  const optimizer = trained(1)
  const before = optimizer.stateDict()
  const { tensors, ...state } = trained(2).stateDict()
  const refused: [object, ErrorClass, RegExp][] = [
    [{ 'velocity.1': { shape: [2], data: [1] } }, ShapeError, /2 values for velocity\.1 .* got 1$/],
    [{ 'velocity.1': { shape: [2], data: [1, null] } }, ArgumentError, /got null at 1$/],
    [
      { 'velocity.2': { shape: [2], data: [1, 2] } },
      ArgumentError,
      /2 parameters, got velocity\.2$/,
    ],
    [{ 'velocity.01': { shape: [2], data: [1, 2] } }, ArgumentError, /got velocity\.01$/],
    [
      { 'velocity.': { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] } },
      ArgumentError,
      /got velocity\.$/,
    ],
    [{ 'toString.0': { shape: [2], data: [1, 2] } }, ArgumentError, /got toString\.0$/],
  ]
  for (const [entries, kind, message] of refused) {
    const wanted = { ...state, tensors: new Map([...tensors, ...Object.entries(entries)]) }
    refuses(t, () => optimizer.loadStateDict(wanted), kind, message)
    t.strictSame(optimizer.stateDict(), before)
  }
  for (const steps of [-1, 0.5, Number.NaN, '3']) {
    const load = () => optimizer.loadStateDict(wrong({ ...state, steps, tensors }))
    refuses(t, load, ArgumentError, /expected steps >= 0, got /)
  }
  t.strictSame(optimizer.stateDict(), before)
})

t.test('while a run uses a parameter, no other is overwritten', async (t) => {
  setBackend('native')
  const model = network([300, 300, 2])
  const [, , weight] = model.parameters()
  const before = model.stateDict()
  const step = capture((x: Tensor) => weight.assign(weight.add(x)))
  const running = step.runMany(zeros([1000, 300, 2]))
  const state = network([300, 300, 2], 2).stateDict()
  const message = 'loadStateDict: runMany() uses the same memory and is not done; await it first'
  refuses(t, () => model.loadStateDict(state), BusyError, message)
  await running
  for (const [path, { data }] of model.stateDict()) identical(t, data, before.get(path)!.data, path)
})

onBothBackends('what is not finite never replaces what is', (t) => {
  const file = fileIn(t)
  const [good, bad] = [network([5, 4, 3]), network([5, 4, 3])]
  bad.parameters()[2].assign([...bad.parameters()[2].data().fill(Number.NaN, 3, 4)])
  const architecture = { units: [5, 4, 3], activation: 'relu' } as const
  const notes = {
    dataset: 'mine',
    seed: 0,
    classes: ['a', 'b', 'c'],
    preprocessing: { mean: [0], scale: [1] },
    loss: 'cross-entropy',
    testAccuracy: 1,
  } as const
  saveModel(bad, file)
  t.ok(Number.isNaN(readModelValue(file)), 'where nothing is to be lost')
  saveModel(bad, file)
  writeFileSync(file, 'no model')
  saveModel(bad, file)
  saveClassifier(good, file, architecture, notes)
  const before = readFileSync(file)
  const message = `${file}: expected finite values in place of its own, got NaN in layers.2.weight; the file stays as it was`
  refuses(t, () => saveModel(bad, file), DivergenceError, message)
  refuses(t, () => saveMlp(bad, file, architecture), DivergenceError, message)
  refuses(t, () => saveClassifier(bad, file, architecture, notes), DivergenceError, message)
  t.ok(readFileSync(file).equals(before))
})

onBothBackends('a file of another model changes nothing', (t) => {
  const file = fileIn(t)
  saveModel(network([5, 4, 3]), file)
  const others: [Module, RegExp][] = [
    [network([5, 6, 3]), /expected layers\.0\.weight of shape \[5, 6\], got \[5, 4\]$/],
    [network([5, 3]), /unexpected: layers/],
    [network([5, 4, 4, 3]), /missing: layers\.4\.weight, layers\.4\.bias/],
  ]
  for (const [model, message] of others) {
    const before = model.stateDict()
    refuses(t, () => loadModel(model, file), DataError, message)
    t.strictSame(model.stateDict(), before)
  }
})

t.test('what is no model file', async (t) => {
  const dir = t.testdir({ folder: {}, text: 'no model' })
  const model = network([5, 3])
  const refused: [string, RegExp][] = [
    ['nothing', /nothing: expected a model file, found nothing$/],
    ['folder', /folder: expected a model file, found no file$/],
    ['text', /text: expected/],
  ]
  for (const [name, message] of refused) {
    refuses(t, () => loadModel(model, `${dir}/${name}`), DataError, message)
    refuses(t, () => loadMlp(`${dir}/${name}`), DataError, message)
  }
})

onBothBackends('a perceptron is built again as it was', (t) => {
  const file = fileIn(t)
  for (const activation of ['relu', 'sigmoid', 'tanh'] as const) {
    const architecture = { units: [5, 4, 3], activation, dropout: 0.5, inputDropout: 0.1 }
    const { units, ...options } = architecture
    const model = mlp(units, options)
    saveMlp(model, file, architecture, { note: activation })
    const loaded = loadMlp(file)
    t.strictSame(loaded.architecture, architecture)
    t.equal(loaded.metadata.note, activation)
    t.equal(loaded.model.training, false, 'ready to be asked')
    sameParameters(t, loaded.model, model, activation)
    const x = tensor([[0.1, -0.2, 0.3, -0.4, 0.5]])
    model.eval()
    identical(t, bits(loaded.model.forward(x)), bits(model.forward(x)), 'outputs')
  }
})

t.test('an architecture that is not the model’s is not written', async (t) => {
  const file = fileIn(t)
  const units = [5, 4, 3]
  const refused: [Module, object, RegExp][] = [
    [
      mlp(units),
      { units: [5, 3], activation: 'relu' },
      /units \[5, 4, 3\], got \[5, 3\] and relu$/,
    ],
    [mlp(units), { units, activation: 'tanh' }, /\[5, 4, 3\] and relu, got \[5, 4, 3\] and tanh$/],
    [new Sequential(new ReLU()), { units, activation: 'relu' }, /units \[\], got \[5, 4, 3\]/],
    [
      new Sequential(new Linear(5, 4), new Sigmoid(), new Linear(4, 3)),
      { units, activation: 'relu' },
      /and sigmoid, got/,
    ],
  ]
  for (const [model, architecture, message] of refused) {
    refuses(t, () => saveMlp(model, file, wrong(architecture)), ArgumentError, message)
  }
  t.notOk(existsSync(file))
})

t.test('nor is one that mlp could not build again', async (t) => {
  const file = fileIn(t)
  const units = [5, 4, 3]
  const relu = { units, activation: 'relu' }
  const dropping = mlp(units, { dropout: 0.5 })
  const refused: [Module, object, RegExp][] = [
    [mlp(units), { ...relu, accuracy: 0.98 }, /architecture: expected options among units, /],
    [
      mlp([5, 3]),
      { units: [5, 3], activation: 'gelu' },
      /expected an activation of relu, .* gelu$/,
    ],
    [mlp(units, { bias: false }), relu, /got Linear without bias, ReLU, Linear without bias; /],
    [
      dropping,
      relu,
      /expected a model .*, Linear, ReLU, Linear, got Linear, ReLU, Dropout\(0\.5\), /,
    ],
    [
      dropping,
      { ...relu, dropout: 0.1 },
      /Dropout\(0\.1\), Linear, got .*Dropout\(0\.5\), Linear; /,
    ],
    [dropping, { ...relu, dropout: 2 }, /Dropout: expected p from 0 to below 1, got 2/],
    [
      new Sequential(new Linear(5, 4), new Linear(4, 3)),
      relu,
      /got Linear, Linear; saveModel takes/,
    ],
  ]
  for (const [model, architecture, message] of refused) {
    refuses(t, () => saveMlp(model, file, wrong(architecture)), ArgumentError, message)
  }
  t.notOk(existsSync(file))
})

onBothBackends('weights of another program need a layout', (t) => {
  const file = fileIn(t)
  // As torch.nn.Linear(2, 2) keeps them: y = x·weightᵀ + bias.
  const entries = [
    ['weight', { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    ['bias', { shape: [2], data: Float32Array.of(10, 20) }],
  ] as const
  writeFileSync(file, encodeSafetensors(entries, { format: 'pt' }))
  const layer = new Linear(2, 2)
  const before = layer.stateDict()
  const message = /does not say how .* 'inputOutput' for \[fanIn, fanOut\] .* 'torch' for/
  refuses(t, () => loadModel(layer, file), ArgumentError, message)
  refuses(t, () => loadModel(layer, file, wrong({ layout: 'OI' })), ArgumentError, /got 'OI'$/)
  refuses(t, () => loadModel(layer, file, wrong({ format: 1 })), ArgumentError, /got format$/)
  t.strictSame(layer.stateDict(), before)

  t.strictSame(loadModel(layer, file, { layout: 'outputInput' }), { format: 'pt' })
  // torch: Linear with this state gives [15., 31.] for [1., 2.].
  t.strictSame(layer.forward(tensor([[1, 2]])).toArray(), [[15, 31]])
  loadModel(layer, file, { layout: 'inputOutput' })
  t.strictSame(layer.forward(tensor([[1, 2]])).toArray(), [[17, 30]])

  saveModel(layer, file)
  loadModel(layer, file, { layout: 'inputOutput' })
  const other = /expected layout inputOutput, as .* says, got outputInput$/
  refuses(t, () => loadModel(layer, file, { layout: 'outputInput' }), ArgumentError, other)
  refuses(
    t,
    () => saveModel(layer, file, { layout: 'mine' }),
    ArgumentError,
    /^saveModel: expected layout 'torch'/,
  )
})

onBothBackends(
  'a layout turns the weights of affine layers, and needs to be said only for these',
  (t) => {
    const file = fileIn(t)
    class Net extends Module {
      readonly table = new Parameter(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
      )
      readonly layers = [new Linear(3, 2)]
      forward(x: Tensor): Tensor {
        return this.layers[0].forward(x)
      }
    }
    const entries = [
      ['table', { shape: [2, 3], data: Float32Array.of(6, 5, 4, 3, 2, 1) }],
      ['layers.0.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ['layers.0.bias', { shape: [2], data: Float32Array.of(7, 8) }],
    ] as const
    writeFileSync(file, encodeSafetensors(entries))
    const model = new Net()
    refuses(t, () => loadModel(model, file, { layout: 'inputOutput' }), DataError, /got \[2, 3\]$/)
    loadModel(model, file, { layout: 'outputInput' })
    t.strictSame(model.table.toArray(), [
      [6, 5, 4],
      [3, 2, 1],
    ])
    t.strictSame(model.layers[0].weight.toArray(), [
      [1, 4],
      [2, 5],
      [3, 6],
    ])

    const norm = new (class extends Module {
      readonly scale = new Parameter(tensor([1, 1]))
      forward(x: Tensor): Tensor {
        return x.mul(this.scale)
      }
    })()
    writeFileSync(file, encodeSafetensors([['scale', { shape: [2], data: Float32Array.of(2, 3) }]]))
    loadModel(norm, file)
    t.strictSame(norm.scale.toArray(), [2, 3])
  },
)

t.test('a file that does not say what it holds is no perceptron', async (t) => {
  const file = fileIn(t)
  const model = mlp([5, 3])
  saveModel(model, file)
  refuses(t, () => loadMlp(file), DataError, /found no architecture in it$/)
  const malformed = [
    'nonsense',
    '{}',
    '{"units":5,"activation":"relu"}',
    '{"units":[5,-3],"activation":"relu"}',
    '{"units":[5,3],"activation":"gelu"}',
  ]
  for (const architecture of malformed) {
    saveModel(model, file, { architecture })
    refuses(t, () => loadMlp(file), DataError, /expected an architecture, /)
  }
  const other = JSON.stringify({ units: [5, 4, 3], activation: 'relu' })
  saveModel(model, file, { architecture: other })
  refuses(t, () => loadMlp(file), DataError, /expected this model's parameters/)
  writeFileSync(file, readFileSync(file).subarray(0, 20))
  refuses(t, () => loadMlp(file), DataError, /expected/)
})

t.test('what the format cannot hold is not written', async (t) => {
  const file = fileIn(t)
  const architecture = { units: [5, 3], activation: 'relu' } as const
  const refused: [unknown, RegExp][] = [
    [{ accuracy: 0.98 }, /^metadata: expected text .*, got "accuracy": 0\.98; JSON\.stringify/],
    [{ classes: ['a', 'b'] }, /got "classes": \['a', 'b'\]/],
    [{ note: undefined }, /got "note": undefined/],
    [{ note: '\ud800' }, /got "note": /],
    [{ '\ud800': 'note' }, /got "\\ud800": 'note'/],
  ]
  for (const [metadata, message] of refused) {
    const save = () => saveMlp(mlp([5, 3]), file, architecture, wrong(metadata))
    refuses(t, save, ArgumentError, message)
  }
  const doubles = new (class extends Module {
    readonly weight = new Parameter(wrong(tensor([1], [1], 'float64')))
    forward(x: Tensor): Tensor {
      return x
    }
  })()
  const message = /expected values of float32, .* in "weight", got float64/
  refuses(t, () => saveModel(doubles, file), ArgumentError, message)
  t.notOk(existsSync(file))
})
