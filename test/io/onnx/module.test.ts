/** An imported model as a module: its weights, its inputs and outputs, training, capture, saving. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  ArgumentError,
  CaptureError,
  capture,
  dataset,
  fit,
  loadModel,
  loadOnnx,
  predict,
  SGD,
  ShapeError,
  saveModel,
  scope,
  setSeed,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  zeros,
} from '../../../lib/index.js'
import { float, modelOf, nodeOf, write } from '../../support/onnxFile.js'
import { agrees, inputOf, type Values } from '../../support/onnxRuntime.js'
import { onBothBackends, refuses, wrong } from '../../support/reference.js'
import { random } from '../../support/values.js'

const pathOf = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/onnx/${name}.onnx`, import.meta.url))

const floats = (...shape: number[]): Values => ({
  type: 'float32',
  shape,
  data: Array.from({ length: shape.reduce((size, n) => size * n, 1) }, () => 2 * random() - 1),
})

t.test('what it takes and gives, and what the file says beside it', async (t) => {
  const model = loadOnnx(pathOf('mlp-script'))
  t.same(model.inputs, [{ name: 'x', dtype: 'float32', shape: ['batch', 6] }])
  t.same(model.outputs, [{ name: 'y', dtype: 'float32', shape: ['batch', 3] }])
  t.same(model.metadata, {})
  t.equal(model.training, false)
  const words = loadOnnx(pathOf('words-dynamo'))
  t.equal(words.inputs[0].dtype, 'int64')
  const classifier = loadOnnx(pathOf('sklearn-binary'))
  t.same(
    classifier.outputs.map(({ name, dtype }) => [name, dtype]),
    [
      ['output_label', 'string'],
      ['output_probability', 'float32'],
    ],
  )
})

t.test('weights are parameters under their names, biases are not regularized', async (t) => {
  const model = loadOnnx(pathOf('mlp-dynamo'))
  const shapes = [...model.namedParameters()].map(([name, { shape, regularized }]) => [
    name,
    shape,
    regularized,
  ])
  t.same(shapes, [
    ['0.weight', [16, 6], true],
    ['0.bias', [16], false],
    ['3.weight', [4, 16], true],
    ['3.bias', [4], false],
    ['5.weight', [3, 4], true],
    ['5.bias', [3], false],
  ])
  // Filters are kept as convolutions here take them.
  const convnet = loadOnnx(pathOf('convnet-dynamo'))
  t.same(convnet.namedParameters().get('0.weight')?.shape, [3, 3, 3, 8])
})

onBothBackends('an imported network is trained, saved and read again', (t) => {
  setSeed(1)
  const model = loadOnnx(pathOf('mlp-dynamo'))
  const x = Float32Array.from({ length: 60 * 6 }, () => 2 * random() - 1)
  const labels = Int32Array.from({ length: 60 }, (_, i) => (x[6 * i] > 0 ? 1 : 0))
  const inputs = tensor(x, [60, 6])
  const before = model.namedParameters().get('0.weight')?.data()
  const loss = () => softmaxCrossEntropy(model.forward(inputs), tensor(labels))
  const first = loss().item()
  const optimizer = new SGD(model.parameters(), { lr: 0.5 })
  for (let step = 0; step < 20; step++) {
    optimizer.zeroGrad()
    loss().backward()
    optimizer.step()
  }
  t.ok(loss().item() < 0.6 * first, 'the loss becomes smaller')
  t.not(model.namedParameters().get('0.weight')?.data(), before)
  const path = join(t.testdir(), 'tuned.safetensors')
  saveModel(model, path)
  const other = loadOnnx(pathOf('mlp-dynamo'))
  loadModel(other, path)
  t.same(other.forward(inputs).data(), model.forward(inputs).data())
})

t.test('fit trains it, and predict asks it', async (t) => {
  setSeed(1)
  const model = loadOnnx(pathOf('mlp-script'))
  const x = Array.from({ length: 40 }, () => Array.from({ length: 6 }, () => 2 * random() - 1))
  const data = dataset({ inputs: x, targets: x.map((row) => (row[0] > 0 ? 1 : 0)) })
  const history = await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(model.parameters(), { lr: 0.5 }),
    epochs: 5,
    batchSize: 10,
  })
  const losses = history.epochs.map(({ loss }) => loss)
  t.ok(losses[4] < losses[0])
  t.equal(predict(model, x).length, 40)
})

onBothBackends('it can be captured, also where shapes are computed', (t) => {
  for (const name of ['attention-script', 'words-script', 'words-dynamo', 'convnet-script']) {
    const model = loadOnnx(pathOf(name))
    const shape = name.startsWith('attention')
      ? [3, 5, 8]
      : name.startsWith('words')
        ? [3, 7]
        : [2, 3, 16, 16]
    const given: Values = name.startsWith('words')
      ? { type: 'int64', shape, data: Array.from({ length: 21 }, (_, i) => i % 20) }
      : floats(...shape)
    const x = inputOf(given) as Tensor
    const step = capture((input: typeof x) => model.forward(input))
    t.same(step(x).data(), model.forward(x).data(), name)
    t.same(step(x).data(), model.forward(x).data(), `${name} again`)
  }
})

onBothBackends('a shape that depends on values is refused in a captured function', (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const shape: Values = { type: 'int64', shape: [1], data: [-1] }
  write(
    path,
    modelOf({
      nodes: [nodeOf('Reshape', ['x', 's'], ['y'])],
      inputs: { x: floats(2, 3), s: shape },
    }),
  )
  const model = loadOnnx<[x: Tensor, s: Tensor<'int32'>]>(path)
  const x = tensor([[1, 2, 3]])
  const s = tensor([3, 1], [2], 'int32')
  t.same(model.forward(x, s).shape, [3, 1])
  const step = capture((given: typeof x) => model.forward(given, s))
  refuses(t, () => step(x), CaptureError, /node Reshape of y \(Reshape\): shape depends on values/)
})

t.test('images stay as convolutions take them between nodes that do not mind', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const nodes = [
    nodeOf('Conv', ['x', 'w'], ['a'], { pads: [1, 1, 1, 1] }),
    nodeOf('Add', ['bias', 'a'], ['b']),
    nodeOf('Mul', ['b', 'row'], ['c']),
    nodeOf('Relu', ['c'], ['d']),
    nodeOf('Add', ['d', 'x'], ['e']),
    nodeOf('ReduceMean', ['e', 'axes'], ['means'], { keepdims: 0 }),
    nodeOf('ReduceMax', ['e', 'channels'], ['most'], { keepdims: 0 }),
    nodeOf('Transpose', ['e'], ['turned'], { perm: [0, 2, 3, 1] }),
    nodeOf('Softmax', ['e'], ['shares'], { axis: 1 }),
    nodeOf('Concat', ['a', 'e'], ['both'], { axis: 1 }),
    nodeOf('Flatten', ['both'], ['flat']),
  ]
  const axes: Values = { type: 'int64', shape: [2], data: [2, 3] }
  const channels: Values = { type: 'int64', shape: [1], data: [1] }
  const initializers = {
    w: floats(3, 3, 3, 3),
    bias: floats(3, 1, 1),
    row: floats(5),
    axes,
    channels,
  }
  const outputs = ['e', 'means', 'most', 'turned', 'shares', 'flat']
  write(path, modelOf({ nodes, inputs: { x: floats(2, 3, 4, 5) }, initializers, outputs }))
  await agrees(t, path, { x: floats(2, 3, 4, 5) }, 'images')
})

onBothBackends('a batch of nothing gives nothing', (t) => {
  const shapes = {
    'mlp-dynamo': [
      [0, 6],
      [0, 3],
    ],
    'convnet-script': [
      [0, 3, 16, 16],
      [0, 5],
    ],
    'attention-script': [
      [0, 5, 8],
      [0, 5, 8],
    ],
    'decoder-dynamo': [
      [0, 4, 5, 5],
      [0, 3, 40, 40],
    ],
  }
  for (const [name, [given, expected]] of Object.entries(shapes)) {
    t.same(loadOnnx(pathOf(name)).forward(zeros(given)).shape, expected, name)
  }
})

onBothBackends('constants serve every call', (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const nodes = [
    nodeOf('Conv', ['x', 'w'], ['a']),
    nodeOf('Constant', [], ['pixels'], { value: floats(1, 2, 3, 3) }),
    nodeOf('Mul', ['a', 'pixels'], ['b']),
    nodeOf('MatMul', ['pixels', 'pixels'], ['products']),
    nodeOf('Add', ['b', 'products'], ['y']),
  ]
  write(
    path,
    modelOf({ nodes, inputs: { x: floats(1, 2, 3, 3) }, initializers: { w: floats(2, 2, 1, 1) } }),
  )
  const model = loadOnnx(path)
  const x = inputOf(floats(1, 2, 3, 3)) as Tensor
  const first = scope(() => model.forward(x).data())
  const step = capture((given: Tensor) => model.forward(given))
  for (const ask of [step, step, model.forward.bind(model)]) t.same(ask(x).data(), first)
  model.dispose()
})

t.test('weights come through nodes that only reshape them', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const nodes = [
    nodeOf('Transpose', ['w'], ['turned'], { perm: [1, 0] }),
    nodeOf('Identity', ['turned'], ['same']),
    nodeOf('MatMul', ['x', 'same'], ['z']),
    nodeOf('Mul', ['z', 'scale'], ['y']),
    nodeOf('Clip', ['y', '', 'limit'], ['cut']),
  ]
  const scalar = (value: number): Values => ({ type: 'float32', shape: [], data: [value] })
  const initializers = { w: floats(2, 3), scale: scalar(0.5), limit: scalar(0.25) }
  write(path, modelOf({ nodes, inputs: { x: floats(4, 3) }, initializers, outputs: ['cut'] }))
  const model = loadOnnx(path)
  t.same([...model.namedParameters().keys()], ['w'], 'numbers are none')
  model
    .forward(tensor([[1, 2, 3]]))
    .sum()
    .backward()
  t.same(model.parameters()[0].grad?.shape, [2, 3])
  await agrees(t, path, { x: floats(4, 3) }, 'turned weights')
})

t.test('what stands before a network is no weight', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const nodes = [
    nodeOf('Sub', ['x', 'mean'], ['centred']),
    nodeOf('Div', ['centred', 'scale'], ['scaled']),
    nodeOf('MatMul', ['scaled', 'w'], ['z']),
    nodeOf('Add', ['z', 'b'], ['y']),
  ]
  const initializers = { mean: floats(3), scale: floats(3), w: floats(3, 2), b: floats(2) }
  write(path, modelOf({ nodes, inputs: { x: floats(4, 3) }, initializers }))
  const model = loadOnnx(path)
  t.same([...model.namedParameters().keys()], ['w', 'b'])
  t.same([...model.namedBuffers().keys()], ['mean', 'scale'])
  await agrees(t, path, { x: floats(4, 3) }, 'preprocessing')
})

t.test('an output of its own choice', async (t) => {
  const path = pathOf('sklearn-classifier')
  const x = tensor([[1, 0, 0, 0]])
  const model = loadOnnx(path)
  t.same(model.forward(x).shape, [1, 3], 'probabilities')
  t.same(loadOnnx(path, { output: 'label' }).forward(x).shape, [1])
  const names = /expected an output among label, probabilities, got other/
  refuses(t, () => loadOnnx(path, { output: 'other' }), ArgumentError, names)
  refuses(t, () => loadOnnx(path, wrong({ outputs: 'label' })), ArgumentError)
  const binary = loadOnnx(pathOf('sklearn-binary'), { output: 'output_label' })
  refuses(t, () => binary.forward(x), ArgumentError, /output of numbers, got output_label of text/)
  const rows = tensor([
    [5, 0, 0, 0],
    [-5, 0, 0, 0],
  ])
  t.same(binary.run({ x: rows }).output_label, ['yes', 'no'])
})

t.test('inputs that are not as the file says are refused', async (t) => {
  const model = loadOnnx(pathOf('mlp-script'))
  refuses(t, () => wrong(model).forward(), ArgumentError, /expected 1 inputs \(x\), got 0/)
  refuses(
    t,
    () => model.forward(tensor([[1, 2]])),
    ShapeError,
    /input x of shape \[batch, 6\], got \[1, 2\]/,
  )
  refuses(t, () => model.forward(tensor([1])), ShapeError)
  refuses(
    t,
    () => model.forward(wrong(tensor(new Int32Array(6), [1, 6]))),
    ArgumentError,
    /expected float32 as input x, got int32/,
  )
  refuses(
    t,
    () => model.forward(wrong([[1, 2, 3, 4, 5, 6]])),
    ArgumentError,
    /expected a tensor as input x/,
  )
  refuses(t, () => model.run({}), ArgumentError, /expected inputs x, got no x/)
  refuses(t, () => model.run({ x: tensor([[1]]), z: tensor(1) }), ArgumentError, /got z/)
  const table = loadOnnx(pathOf('sklearn-table'))
  const one = tensor([[1]])
  refuses(
    t,
    () => table.run({ a: one, b: one, town: one }),
    ArgumentError,
    /a list of texts as input town/,
  )
})

t.test('whole numbers beyond int32 are a list', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const day: Values = { type: 'int64', shape: [], data: [86_400_000] }
  const time: Values = { type: 'int64', shape: [1, 1], data: [0] }
  const nodes = [
    nodeOf('Div', ['time', 'day'], ['days']),
    nodeOf('Cast', ['days'], ['y'], { to: 1 }),
  ]
  write(path, modelOf({ nodes, inputs: { time }, initializers: { day } }))
  const model = loadOnnx<[number[] | BigInt64Array]>(path)
  const times = [1_764_158_400_000, -86_400_000]
  t.same(model.forward(times).toArray(), [[20_418], [-1]])
  t.same(model.forward(BigInt64Array.from(times, BigInt)).toArray(), [[20_418], [-1]])
  refuses(t, () => model.forward([0.5]), ArgumentError, /expected a tensor as input time/)
  refuses(t, () => model.forward(BigInt64Array.of(2n ** 60n)), ArgumentError, /within 2\^53/)
})

t.test('texts are a list, or one for each row', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const node = nodeOf('ai.onnx.ml.OneHotEncoder', ['x'], ['y'], { cats_strings: ['a', 'b'] })
  const x: Values = { type: 'string', shape: [1, 2], data: ['a', 'b'] }
  write(path, modelOf({ nodes: [node], inputs: { x } }))
  const model = loadOnnx<[string[][]]>(path)
  const rows = [
    ['a', 'b'],
    ['b', 'c'],
  ]
  const none = [0, 0]
  t.same(model.forward(rows).toArray(), [
    [
      [1, 0],
      [0, 1],
    ],
    [[0, 1], none],
  ])
  const lists = [[['a', 'b'], ['a']], [['a', 1]]]
  for (const list of lists) {
    refuses(t, () => model.forward(wrong(list)), ArgumentError, /list of texts as input x/)
  }
  const table = loadOnnx(pathOf('sklearn-table'))
  const one = tensor([[1]])
  const two = () => table.run({ a: one, b: one, town: [['x', 'y']] })
  refuses(t, two, ShapeError, /input town of shape \[.*, 1\], got \[1, 2\]/)
})

t.test('a category that was never seen is refused where the file does not allow it', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const node = nodeOf('ai.onnx.ml.OneHotEncoder', ['x'], ['y'], {
    cats_strings: ['a', 'b'],
    zeros: 0,
  })
  write(
    path,
    modelOf({ nodes: [node], inputs: { x: { type: 'string', shape: [1], data: ['a'] } } }),
  )
  const model = loadOnnx<[string[]]>(path)
  t.same(model.forward(['b', 'a']).toArray(), [
    [0, 1],
    [1, 0],
  ])
  refuses(
    t,
    () => model.forward(['a', 'c']),
    ArgumentError,
    /expected one of 2 known categories, got 'c'/,
  )
})

t.test('a node that cannot be computed is named', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const node = nodeOf('MatMul', ['x', 'w'], ['y'])
  write(
    path,
    modelOf({ nodes: [node], inputs: { x: floats(2, 3) }, initializers: { w: floats(4, 2) } }),
  )
  const model = loadOnnx(path)
  refuses(
    t,
    () => model.forward(tensor([[1, 2, 3]])),
    ShapeError,
    /model\.onnx: node MatMul of y \(MatMul\): matmul: inner dim/,
  )
  const strange = nodeOf('DepthToSpace', ['x'], ['y'], { blocksize: 0, mode: float(1) })
  write(path, modelOf({ nodes: [strange], inputs: { x: floats(2, 4, 2, 2) } }))
  t.throws(() => loadOnnx(path).forward(tensor([[[[1]]]])), { name: /Error/ })
})
