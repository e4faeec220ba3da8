/** Models of PyTorch's exporters and of skl2onnx, see fixtures/onnx/make_onnx_models.py: as onnxruntime computes them. */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { exportOnnx, loadOnnx, setBackend } from '../../../lib/index.js'
import {
  agrees,
  importedResults,
  near,
  runtimeResults,
  type Values,
} from '../../support/onnxRuntime.js'
import { random } from '../../support/values.js'

const pathOf = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/onnx/${name}.onnx`, import.meta.url))

const list = (shape: readonly number[], value: () => number) =>
  Array.from({ length: shape.reduce((size, extent) => size * extent, 1) }, value)

const floats = (...shape: number[]): Values => ({
  type: 'float32',
  shape,
  data: list(shape, () => 4 * random() - 2),
})

const torch: Record<string, () => Values> = {
  mlp: () => floats(3, 6),
  convnet: () => floats(3, 3, 16, 16),
  residual: () => floats(3, 3, 16, 16),
  attention: () => floats(3, 5, 8),
  words: () => ({
    type: 'int64',
    shape: [3, 7],
    data: list([3, 7], () => Math.floor(20 * random())),
  }),
  decoder: () => floats(3, 4, 5, 5),
}

t.test('they can be exported again', async (t) => {
  const path = join(t.testdir(), 'again.onnx')
  // Not `words`, whose indices the import looks at: negative ones count from the end.
  for (const name of ['mlp', 'convnet', 'residual', 'attention', 'decoder']) {
    const x = torch[name]()
    const model = loadOnnx(pathOf(`${name}-script`))
    exportOnnx(model, path, { input: x.shape })
    const [expected] = Object.values(importedResults(model, { x }))
    const { output } = await runtimeResults(path, { input: x })
    near(t, output.data, expected.data, name)
  }
})

for (const backend of ['js', 'native'] as const) {
  t.test(`both exporters of PyTorch (${backend})`, async (t) => {
    setBackend(backend)
    for (const [name, inputs] of Object.entries(torch)) {
      for (const exporter of ['script', 'dynamo']) {
        await agrees(t, pathOf(`${name}-${exporter}`), { x: inputs() }, `${name}-${exporter}`)
      }
    }
  })

  t.test(`networks of scikit-learn (${backend})`, async (t) => {
    setBackend(backend)
    for (const name of ['classifier', 'regressor', 'binary']) {
      await agrees(t, pathOf(`sklearn-${name}`), { x: floats(7, 4) }, name)
    }
    const towns: Values = { type: 'string', shape: [4, 1], data: ['Rome', 'Oslo', 'Lima', 'Bern'] }
    const table = { a: floats(4, 1), b: floats(4, 1), town: towns }
    await agrees(t, pathOf('sklearn-table'), table, 'table')
  })
}
