/** State dicts of PyTorch's, in files that it wrote and in those that it is to take; see fixtures/make_torch_models.py. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import {
  ArgumentError,
  BatchNorm1d,
  BusyError,
  ChannelsLast,
  Conv2d,
  capture,
  DataError,
  Flatten,
  fromTorch,
  GlobalAvgPool2d,
  Linear,
  loadModel,
  loadTorch,
  Module,
  mlp,
  ReLU,
  Sequential,
  ShapeError,
  saveModel,
  type Tensor,
  tensor,
  toTorch,
  zeros,
} from '../../lib/index.js'
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js'
import { type Nd, onBothBackends, refuses, same, toTensor, wrong } from '../support/reference.js'
import { fileOf, Layers, networks, renames } from '../support/torchModels.mjs'

interface Numbers {
  x: Nd
  y: Nd
}
const numbers: Record<'layers' | 'networks', Record<string, Numbers>> = JSON.parse(
  readFileSync(new URL('../fixtures/torch/models.json', import.meta.url), 'utf8'),
)

/** Images, lines and volumes of PyTorch's as ours. */
const last = (values: Nd): Tensor => {
  const x = toTensor(values)
  return values.shape.length > 2 ? new ChannelsLast().forward(x) : x
}

onBothBackends('every layer computes what it does in PyTorch', (t) => {
  const model = new Layers().eval()
  t.strictSame([...model.keys()], Object.keys(numbers.layers))
  const plan = loadTorch(fileOf('layers'), model)
  t.strictSame([plan.missing, plan.unexpected, plan.notes], [[], [], []])
  for (const [name, layer] of model.entries()) {
    const { x, y } = numbers.layers[name]
    const isIndex = name === 'embedding'
    const input = isIndex ? tensor(x.data, x.shape, 'int32') : last(x)
    const wanted = isIndex ? toTensor(y) : last(y)
    same(t, layer.forward(input), { shape: wanted.shape, data: [...wanted.data()] }, name, 1e-5)
  }
  const changes = plan.entries.map(({ own, change }) => [own?.path, change])
  const changeOf = Object.fromEntries(changes.filter(([path]) => path !== undefined))
  t.match(changeOf, {
    'conv1d.weight': 'OIL → LIO',
    'grouped.weight': 'OIHW → HWIO',
    'depthwise.weight': 'OIHW → HWIO',
    'conv3d.weight': 'OIDHW → DHWIO',
    'transposed.weight': 'IOHW → HWOI',
    'linear.weight': 'transposed',
    'linear.bias': 'as is',
    'batch1d.runningMean': 'as is',
    'embedding.weight': 'as is',
  })
  const counts = plan.entries.filter(({ own }) => own === null)
  t.strictSame(
    counts.map(({ torch }) => torch),
    ['batch1d', 'batch2d'].map((name) => ({ name: `${name}.num_batches_tracked`, shape: [] })),
  )
})

onBothBackends('networks compute what they do in PyTorch', (t) => {
  t.strictSame(Object.keys(networks), Object.keys(numbers.networks))
  for (const [name, make] of Object.entries(networks)) {
    const model = make().eval()
    loadTorch(fileOf(name), model, { rename: renames[name] })
    const { x, y } = numbers.networks[name]
    same(t, model.forward(toTensor(x)), y, name, 1e-5)
  }
})

onBothBackends('what is saved for PyTorch has its names, shapes and values', (t) => {
  for (const [name, make] of Object.entries({ layers: () => new Layers(), ...networks })) {
    const model = make()
    const rename = renames[name]
    const path = `${t.testdir()}/saved.safetensors`
    loadTorch(fileOf(name), model, { rename })
    saveModel(model, path, { layout: 'torch', note: 'of May' }, { rename })
    const [found, wanted] = [path, fileOf(name)].map((file) =>
      decodeSafetensors(readFileSync(file), file),
    )
    const unwrapped = new Map(
      [...wanted.tensors].map(([key, values]) => [key.replace(/^module\./, ''), values]),
    )
    t.strictSame([...found.tensors.keys()].sort(), [...unwrapped.keys()].sort(), name)
    for (const [key, { shape, data, dtype }] of found.tensors) {
      const isCount = key.endsWith('num_batches_tracked')
      const torch = unwrapped.get(key)!
      t.strictSame([dtype, shape], [torch.dtype, torch.shape], `${name}: ${key}`)
      t.strictSame([...data], isCount ? [0] : [...torch.data], `${name}: ${key}`)
    }
    t.strictSame(found.metadata, { layout: 'torch', format: 'pt', note: 'of May' })
    if (rename) continue
    const other = make()
    t.strictSame(loadModel(other, path), { format: 'pt', note: 'of May' }, 'it says so itself')
    t.strictSame(other.stateDict(), model.stateDict())
    const counted = [...found.tensors.keys()].filter((key) => !key.endsWith('num_batches_tracked'))
    t.strictSame([...toTorch(model).keys()].sort(), counted.sort())
  }
})

t.test('the plan is a table', async (t) => {
  const model = networks.sequence()
  const plan = loadTorch(fileOf('sequence'), model)
  t.strictSame(String(plan).split('\n'), [
    '0.weight               [4, 1, 3, 3]  →  layers.1.weight       [3, 3, 1, 4]  OIHW → HWIO',
    '0.bias                 [4]           →  layers.1.bias         [4]           as is',
    '1.weight               [4]           →  layers.2.weight       [4]           as is',
    '1.bias                 [4]           →  layers.2.bias         [4]           as is',
    '1.running_mean         [4]           →  layers.2.runningMean  [4]           as is',
    '1.running_var          [4]           →  layers.2.runningVar   [4]           as is',
    '5.weight               [8, 24]       →  layers.6.weight       [24, 8]       transposed',
    '5.bias                 [8]           →  layers.6.bias         [8]           as is',
    '8.weight               [3, 8]        →  layers.9.weight       [8, 3]        transposed',
    '8.bias                 [3]           →  layers.9.bias         [3]           as is',
    '1.num_batches_tracked  []            →  -                                   left out: nothing here depends on it',
  ])
  const printed: string[] = []
  const { log } = console
  console.log = (text: string) => printed.push(text)
  try {
    loadTorch(fileOf('sequence'), model, { verbose: true })
  } finally {
    console.log = log
  }
  t.strictSame(printed, [String(plan)])
  t.match(
    String(loadTorch(fileOf('branches'), networks.branches(), { rename: renames.branches })),
    /module\.fc\.weight .* head\.weight .* transposed, renamed/,
  )
  t.match(
    String(loadTorch(fileOf('tied'), networks.tied())),
    /last\.weight .* transposed, one with first\.weight/,
  )
})

/** A file as PyTorch would write it. */
function written(
  t: { testdir(): string },
  entries: Record<string, number[]>,
  metadata = {},
): string {
  const path = `${t.testdir()}/torch.safetensors`
  const tensors = Object.entries(entries).map(([name, shape]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)
    return [name, { shape, data }] as const
  })
  writeFileSync(path, encodeSafetensors(tensors, metadata))
  return path
}

t.test('layers of a Sequential are found in their order where numbers differ', async (t) => {
  // In PyTorch with activations as functions, or of another count.
  const path = written(t, { '0.weight': [4, 3], '0.bias': [4], '7.weight': [2, 4], '7.bias': [2] })
  const model = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2))
  t.strictSame(loadTorch(path, model).entries[2], {
    torch: { name: '7.weight', shape: [2, 4] },
    own: { path: 'layers.2.weight', shape: [4, 2] },
    change: 'transposed',
  })
  t.strictSame(model.layers[2].weight.toArray(), [
    [0, 4],
    [1, 5],
    [2, 6],
    [3, 7],
  ])
  const functions = written(t, { 'body.1.weight': [4, 3], 'body.1.bias': [4] })
  const net = new (class extends Module {
    readonly body = new Sequential(new ReLU(), new Linear(3, 4))
    forward(x: Tensor): Tensor {
      return this.body.forward(x)
    }
  })()
  loadTorch(functions, net)
  t.equal(net.body.layers[1].weight.data()[1], 3)
})

t.test('names by a function, there and back', async (t) => {
  const path = written(t, { lin_in_weight: [2, 3], lin_in_bias: [2] })
  const model = new Sequential(new Linear(3, 2))
  const there = (name: string) => name.replace('lin_in_', '0.')
  const plan = loadTorch(path, model, { rename: there })
  t.strictSame(
    plan.entries.map(({ torch, own }) => [torch.name, own?.path]),
    [
      ['lin_in_weight', 'layers.0.weight'],
      ['lin_in_bias', 'layers.0.bias'],
    ],
  )
  const back = (name: string) => name.replace('0.', 'lin_in_')
  t.strictSame([...toTorch(model, { rename: back }).keys()], ['lin_in_weight', 'lin_in_bias'])
  const state = toTorch(model, { rename: { fc: 'layers.0' } })
  t.strictSame([...state.keys()], ['fc.weight', 'fc.bias'])
  t.strictSame(fromTorch(model, state, { rename: { fc: 'layers.0' } }), new Map(model.stateDict()))
  t.strictSame(fromTorch(model, state, { rename: { fc: '0' } }), new Map(model.stateDict()))
})

t.test('not all of a file, into not all of a model', async (t) => {
  const path = written(t, { '0.weight': [4, 3], '0.bias': [4], 'head.weight': [9, 4] })
  const model = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2))
  const before = model.layers[2].weight.data()
  const plan = loadTorch(path, model, { strict: false })
  t.strictSame(plan.missing, ['layers.2.weight', 'layers.2.bias'])
  t.strictSame(plan.unexpected, ['head.weight'])
  t.match(String(plan), /missing: layers\.2\.bias\nunexpected: head\.weight$/)
  t.strictSame(model.layers[0].weight.data()[1], 3)
  t.strictSame(model.layers[2].weight.data(), before)
})

t.test('what does not fit is refused in one sentence, and changes nothing', async (t) => {
  const model = new Sequential(new Conv2d(1, 2, 3), new ReLU(), new Linear(4, 2))
  const before = model.stateDict()
  const good = { '0.weight': [2, 1, 3, 3], '0.bias': [2], '2.weight': [2, 4], '2.bias': [2] }
  const load = (entries: Record<string, number[]>, options = {}) => {
    loadTorch(written(t, entries), model, options)
  }
  const { '0.bias': _, ...lacking } = good
  const refused: [() => void, typeof DataError | typeof ArgumentError, RegExp][] = [
    [
      () => load(lacking),
      DataError,
      /missing: layers\.0\.bias, unexpected: none; \{ rename \} says/,
    ],
    [
      () => load({ ...good, 'fc.weight': [1] }),
      DataError,
      /missing: none, unexpected: fc\.weight;/,
    ],
    [
      () => load({ ...good, '0.weight': [2, 3, 3, 3] }, { strict: false }),
      DataError,
      /layers\.0\.weight of Conv2d: expected PyTorch's 0\.weight of shape \[2, 1, 3, 3\], here \[3, 3, 1, 2\], got \[2, 3, 3, 3\]$/,
    ],
    [
      () => load(good, { rename: { features: 'layers.0' } }),
      ArgumentError,
      /such as 0\.bias, got features$/,
    ],
    [
      () => load(good, { rename: { 0: 'a', 2: 'a' } }),
      ArgumentError,
      /to keep names apart, got a\.bias for 0\.bias and 2/,
    ],
    [
      () => load(good, { rename: () => 3 }),
      ArgumentError,
      /expected a name for 0\.bias from rename, got 3/,
    ],
    [() => load(good, { rename: 'x' }), ArgumentError, /expected rename as \{/],
    [() => load(good, { renames: {} }), ArgumentError, /did you mean rename\?$/],
    [() => load(good, { strict: 1 }), ArgumentError, /expected strict to be true or false, got 1/],
    [() => loadTorch(t.testdir(), model), DataError, /expected a model file, found no file$/],
    [() => loadTorch(wrong(1), model), ArgumentError, /expected a model and the path/],
  ]
  for (const [call, errorClass, message] of refused) refuses(t, call, errorClass, message)
  const own = `${t.testdir()}/own.safetensors`
  saveModel(model, own)
  refuses(
    t,
    () => loadTorch(own, model),
    DataError,
    /got a model of neuroblas; loadModel reads it$/,
  )
  const pickle = `${t.testdir()}/model.pt`
  writeFileSync(pickle, Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(100)]))
  refuses(
    t,
    () => loadTorch(pickle, model),
    DataError,
    /save_file\(model\.state_dict\(\), path\).* got a zip archive/,
  )
  refuses(
    t,
    () => loadModel(model, written(t, good)),
    ArgumentError,
    /'torch' for \[fanOut, fanIn\] and the names of PyTorch$/,
  )
  loadModel(model, written(t, good), { layout: 'torch' })
  model.loadStateDict(before)
  const path = `${t.testdir()}/saved.safetensors`
  refuses(
    t,
    () => saveModel(model, path, {}, { rename: {} }),
    ArgumentError,
    /expected layout 'torch'/,
  )
  refuses(
    t,
    () =>
      saveModel(
        model,
        path,
        { layout: 'torch' },
        { rename: { a: 'layers.0', b: 'layers.2', c: wrong(1) } },
      ),
    ArgumentError,
    /a name for c/,
  )
  refuses(
    t,
    () => saveModel(model, path, { layout: 'torch' }, { rename: { head: 'layers.3' } }),
    ArgumentError,
    'saveModel: expected rename to lead to names of this model, such as 0.weight, got layers.3',
  )
  refuses(
    t,
    () => toTorch(model, { rename: () => 'a' }),
    ArgumentError,
    /keep names apart, got a twice/,
  )
  refuses(
    t,
    () => fromTorch(model, { '2.weight': { shape: [4, 2], data: new Float32Array(8) } }),
    ShapeError,
    /of Linear: expected PyTorch's 2\.weight of shape \[2, 4\], here \[4, 2\], got \[4, 2\]$/,
  )
  const short = fromTorch(model, { '2.weight': { shape: [2, 4], data: [1, 2, 3] } })
  refuses(
    t,
    () => model.loadStateDict(short, { strict: false }),
    ShapeError,
    'loadStateDict: expected 8 values for layers.2.weight of shape [4, 2], got 3',
  )
  t.strictSame(model.stateDict(), before)
})

t.test('a model in use is busy, and no file is to blame', async (t) => {
  const model = mlp([300, 300, 2])
  const [path, own] = ['torch', 'own'].map((name) => `${t.testdir()}/${name}.safetensors`)
  saveModel(model, path, { layout: 'torch' })
  saveModel(model, own)
  const weight = model.layers[0].parameters()[0]
  const step = capture((x: Tensor) => weight.assign(weight.add(x)))
  const running = step.runMany(zeros([1000, 300, 300]))
  for (const load of [() => loadTorch(path, model), () => loadModel(model, own)]) {
    refuses(t, load, BusyError, /^loadStateDict: runMany\(\) uses the same memory/)
  }
  await running
  step.dispose()
})

t.test('tied weights that differ in the file are refused', async (t) => {
  const model = networks.tied()
  const state = new Map(toTorch(model))
  state.set('last.weight', { shape: [4, 4], data: new Float32Array(16) })
  refuses(
    t,
    () => fromTorch(model, state),
    ShapeError,
    /expected last\.weight to hold what other names of first\.weight do/,
  )
  state.delete('last.weight')
  state.delete('first.weight')
  const found = fromTorch(model, state)
  t.strictSame([...found.keys()].sort(), ['first.bias', 'first.weight', 'last.bias'])
  t.strictSame(found.get('first.weight'), model.stateDict().get('first.weight'))
})

t.test("a Flatten in another order than PyTorch's is noted", async (t) => {
  const net = (flatten: Flatten) => new Sequential(new Conv2d(1, 2, 3), flatten, new Linear(8, 2))
  const path = written(t, {
    '0.weight': [2, 1, 3, 3],
    '0.bias': [2],
    '2.weight': [2, 8],
    '2.bias': [2],
  })
  const warned: string[] = []
  const note = (warning: Error) => warned.push(warning.message)
  process.on('warning', note)
  const plan = loadTorch(path, net(new Flatten()))
  t.match(plan.notes, [
    /^layers\.1 is a Flatten in the order channelsLast; PyTorch's is new Flatten/,
  ])
  t.match(String(plan), /\nnote: layers\.1 is a Flatten/)
  t.strictSame(loadTorch(path, net(new Flatten({ order: 'channelsFirst' }))).notes, [])
  saveModel(net(new Flatten()), path, { layout: 'torch' })
  loadModel(net(new Flatten()), path, { layout: 'torch' })
  await new Promise(setImmediate)
  process.off('warning', note)
  t.strictSame(warned, [...plan.notes, ...plan.notes, ...plan.notes])
})

t.test('a Flatten is noted wherever it stands', async (t) => {
  const nested = new Sequential(
    new Sequential(new Conv2d(1, 2, 3), new ReLU()),
    new Sequential(new Flatten(), new Sequential(new Linear(8, 2))),
  )
  class Net extends Module {
    readonly squeeze = new GlobalAvgPool2d()
    readonly conv = new Conv2d(1, 2, 3)
    readonly flatten = new Flatten()
    readonly fc = new Linear(8, 2)
    forward(x: Tensor): Tensor {
      return this.fc.forward(this.flatten.forward(this.conv.forward(x)))
    }
  }
  const pooled = new Sequential(
    new Sequential(new Conv2d(1, 2, 3), new GlobalAvgPool2d()),
    new Sequential(new Flatten(), new Linear(2, 2)),
  )
  const notesOf = (model: Module) => {
    const path = `${t.testdir()}/net.safetensors`
    saveModel(model, path, { layout: 'torch' })
    return loadTorch(path, model).notes.map((note) => note.split(' ')[0])
  }
  t.strictSame([nested, new Net(), pooled].map(notesOf), [['layers.1.layers.0'], ['flatten'], []])
})

t.test('running moments load without a layout where no axes could differ', async (t) => {
  const path = written(t, {
    running_mean: [2],
    running_var: [2],
    weight: [2],
    bias: [2],
    num_batches_tracked: [],
  })
  const norm = new BatchNorm1d(2)
  loadModel(norm, path)
  t.strictSame([...norm.runningMean.data()], [0, 1])
  t.strictSame([...toTorch(norm).keys()], ['weight', 'bias', 'running_mean', 'running_var'])
  t.strictSame([...toTorch(mlp([2, 3, 1])).keys()], ['0.weight', '0.bias', '2.weight', '2.bias'])
})
