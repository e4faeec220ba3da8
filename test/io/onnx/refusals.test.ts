/** Files that are no models, or none that can be computed. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { DataError, loadOnnx, tensor } from '../../../lib/index.js'
import type { Given } from '../../../lib/io/onnx/protobuf.js'
import {
  type AttributeProto,
  attributeType,
  dataType,
  type ModelProto,
  type TensorProto,
} from '../../../lib/io/onnx/schema.js'
import { bytesOf, float, modelOf, nodeOf, type Sketch, write } from '../../support/onnxFile.js'
import type { Values } from '../../support/onnxRuntime.js'
import { refuses } from '../../support/reference.js'

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/onnx/${name}`, import.meta.url))

const x: Values = { type: 'float32', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }
const w: Values = { type: 'float32', shape: [3], data: [1, 2, 3] }

t.test('all that is not supported is listed at once, with its nodes', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const nodes = [
    nodeOf('LSTM', ['x'], ['a']),
    nodeOf('Loop', ['a'], ['b']),
    ...['c', 'd', 'e', 'f'].map((name, i) =>
      nodeOf('com.example.Magic', [['b', 'c', 'd', 'e'][i]], [name]),
    ),
    nodeOf('Relu', ['f'], ['g'], { slope: float(1) }),
    nodeOf('MaxPool', ['g'], ['h', 'indices'], { kernel_shape: [2], dilations: [2] }),
    nodeOf('Resize', ['h'], ['y'], { mode: 'cubic' }),
    nodeOf('Sinh', ['x'], ['unused']),
  ]
  write(path, modelOf({ nodes, inputs: { x } }))
  refuses(
    t,
    () => loadOnnx(path),
    DataError,
    `${path}: expected operators that are supported, got
  LSTM: 1 node (LSTM of a)
  Loop: 1 node (Loop of b)
  com.example.Magic: 4 nodes (com.example.Magic of c, com.example.Magic of d, com.example.Magic of e, …)
  Relu with attribute slope: 1 node (Relu of g)
  MaxPool with 2 outputs: 1 node (MaxPool of h)
  MaxPool with dilations 2: 1 node (MaxPool of h)
  Resize with mode cubic: 1 node (Resize of y)`,
  )
})

t.test('graphs that are none', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const add = (inputs: string[], output: string) => nodeOf('Add', inputs, [output])
  const graphs: [string, Sketch, RegExp][] = [
    ['a circle', { nodes: [add(['x', 'y'], 'z'), add(['z', 'x'], 'y')] }, /expected no circle/],
    ['nothing there', { nodes: [add(['x', 'nothing'], 'y')] }, /gives nothing to node Add of y/],
    ['no such output', { nodes: [add(['x', 'x'], 'z')] }, /gives y to the outputs/],
    [
      'two sources',
      { nodes: [add(['x', 'x'], 'y'), add(['x', 'x'], 'y')] },
      /one source of y, got two/,
    ],
    ['no outputs', { nodes: [], outputs: [] }, /with a graph, found none/],
    ['an old one', { nodes: [add(['x', 'x'], 'y')], opset: 6 }, /opset 7 to \d+, got 6/],
    ['one to come', { nodes: [add(['x', 'x'], 'y')], opset: 99 }, /got 99/],
  ]
  for (const [name, sketch, message] of graphs) {
    write(path, modelOf({ inputs: { x }, ...sketch }))
    refuses(t, () => loadOnnx(path), DataError, message)
    t.comment(name)
  }
})

t.test('a graph may be deep', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const depth = 20_000
  const nodes = Array.from({ length: depth }, (_, i) =>
    nodeOf('Identity', [i === 0 ? 'x' : `v${i}`], [i === depth - 1 ? 'y' : `v${i + 1}`]),
  )
  write(path, modelOf({ nodes: nodes.reverse(), inputs: { x } }))
  t.same(
    loadOnnx(path)
      .forward(tensor([[1, 2]]))
      .toArray(),
    [[1, 2]],
  )
})

t.test('tensors that are not what they say', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  const model = modelOf({
    nodes: [nodeOf('Add', ['x', 'w'], ['y'])],
    inputs: { x },
    initializers: { w },
  })
  const given: Given<TensorProto> = { name: 'w', dataType: dataType.float, dims: [3] }
  const tensors: [Given<TensorProto>, RegExp][] = [
    [
      { ...given, rawData: new Uint8Array(8) },
      /tensor w: expected 12 bytes for shape \[3\], got 8/,
    ],
    [{ ...given, floatData: [1, 2] }, /expected 3 elements for shape \[3\], got 2/],
    [{ ...given, dims: [2 ** 40, 2 ** 40] }, /expected a shape/],
    [{ ...given, dims: [2 ** 40] }, /expected 1099511627776 elements/],
    [{ ...given, dims: [-1], floatData: [] }, /expected a shape/],
    [{ ...given, dims: Array(9).fill(1) }, /at most 8/],
    [{ ...given, dataType: 14, floatData: [1, 2, 3] }, /expected numbers or text, got type 14/],
    [{ ...given, dataType: 99 }, /got type 99/],
    [
      { ...given, dataType: dataType.int64, int64Data: [1, 2 ** 60, 3] },
      /whole numbers within 2\^53/,
    ],
    [{ ...given, dataType: dataType.string, stringData: [] }, /expected 3 texts/],
  ]
  for (const [tensor, message] of tensors) {
    writeFileSync(path, bytesOf({ ...model, graph: { ...model.graph, initializer: [tensor] } }))
    refuses(t, () => loadOnnx(path), DataError, message)
  }
})

t.test(
  'constants that would be too large are refused before there is memory for them',
  async (t) => {
    const path = join(t.testdir(), 'model.onnx')
    const list = (...data: number[]): Values => ({ type: 'int64', shape: [data.length], data })
    const scalar = (value: number): Values => ({ type: 'int64', shape: [], data: [value] })
    const large = [2 ** 20, 2 ** 20]
    const cases: [string, Record<string, Values>][] = [
      ['ConstantOfShape', { a: list(...large) }],
      ['Expand', { a: scalar(1), b: list(...large) }],
      ['Tile', { a: list(1), b: list(2 ** 40) }],
      ['Range', { a: scalar(0), b: scalar(2 ** 40), c: scalar(1) }],
      ['Pad', { a: list(1), b: list(0, 2 ** 40) }],
      ['OneHot', { a: list(1), b: scalar(2 ** 40), c: list(0, 1) }],
    ]
    for (const [op, initializers] of cases) {
      const nodes = [nodeOf(op, Object.keys(initializers), ['y'])]
      write(path, modelOf({ nodes, initializers }))
      refuses(t, () => loadOnnx(path), DataError, /constants of at most|fit, got/)
    }
  },
)

/** A model whose weight is in a file beside it. */
function withExternal(location: string, offset = 0, length = 12): Given<ModelProto> {
  const model = modelOf({ nodes: [nodeOf('Add', ['x', 'w'], ['y'])], inputs: { x } })
  const externalData = [
    { key: 'location', value: location },
    { key: 'offset', value: `${offset}` },
    { key: 'length', value: `${length}` },
  ]
  const tensor = { name: 'w', dataType: dataType.float, dims: [3], dataLocation: 1, externalData }
  return { ...model, graph: { ...model.graph, initializer: [tensor] } }
}

t.test('values beside the model are read from its folder alone', async (t) => {
  const folder = t.testdir({ models: { inner: {} }, secret: '123456789012' })
  const path = join(folder, 'models', 'model.onnx')
  const values = new Uint8Array(Float32Array.of(9, 1, 2, 3).buffer)
  writeFileSync(join(folder, 'models', 'data'), values)
  writeFileSync(join(folder, 'models', 'inner', 'data'), values)
  symlinkSync(join(folder, 'secret'), join(folder, 'models', 'link'))
  mkdirSync(join(folder, 'models', 'folder'))
  for (const location of ['data', 'inner/data', './inner/../data']) {
    writeFileSync(path, bytesOf(withExternal(location, 4)))
    t.same(
      loadOnnx(path)
        .forward(tensor([[0, 0, 0]]))
        .toArray(),
      [[1, 2, 3]],
      location,
    )
  }
  const refused: [string, number, number, RegExp][] = [
    ['../secret', 0, 12, /in a file of the model's folder, got \.\.\/secret, which is elsewhere/],
    [join(folder, 'secret'), 0, 12, /model's folder/],
    ['link', 0, 12, /got link, which is elsewhere/],
    ['none', 0, 12, /got none, which is not there/],
    ['', 0, 12, /model's folder/],
    ['.', 0, 12, /model's folder/],
    ['folder', 0, 12, /expected its values in a file/],
    ['data', 8, 12, /expected 12 bytes at 8 of data, got 12 of 16/],
    ['data', -4, 12, /expected 12 bytes at -4/],
    ['data', 0.5, 12, /expected 12 bytes at 0\.5/],
    ['data', 0, 16, /expected 12 bytes at 0 of data, got 16/],
    ['data\0', 0, 12, /model's folder/],
  ]
  for (const [location, offset, length, message] of refused) {
    writeFileSync(path, bytesOf(withExternal(location, offset, length)))
    refuses(t, () => loadOnnx(path), DataError, message)
  }
})

t.test('files that are no models', async (t) => {
  const folder = t.testdir({ empty: '', text: 'not a model' })
  refuses(
    t,
    () => loadOnnx(join(folder, 'none')),
    DataError,
    /expected a model file, found nothing/,
  )
  refuses(t, () => loadOnnx(folder), DataError, /found no file/)
  refuses(t, () => loadOnnx(join(folder, 'empty')), DataError, /with a graph, found none/)
  refuses(t, () => loadOnnx(join(folder, 'text')), DataError)
  const whole = readFileSync(fixture('convnet-script.onnx'))
  const path = join(folder, 'cut.onnx')
  for (let length = 1; length < whole.length; length += 97) {
    writeFileSync(path, whole.subarray(0, length))
    t.throws(() => loadOnnx(path), { name: 'DataError' }, `${length} bytes of it`)
  }
})

t.test('graphs inside graphs are refused, however deep', async (t) => {
  const path = join(t.testdir(), 'model.onnx')
  let graph: Given<ModelProto>['graph'] = { node: [] }
  for (let depth = 0; depth < 200; depth++) {
    const attribute: Given<AttributeProto>[] = [
      { name: 'body', type: attributeType.graph, g: graph },
    ]
    graph = {
      node: [{ opType: 'If', input: ['x'], output: ['y'], attribute }],
      output: [{ name: 'y' }],
    }
  }
  writeFileSync(path, bytesOf({ opsetImport: [{ version: 20 }], graph }))
  refuses(t, () => loadOnnx(path), DataError, /messages inside each other/)
})
