/** `neuroblas export`: what it writes and says, and what it refuses. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadClassifier, mlp, predict, saveClassifier, saveModel } from '../../lib/index.js'
import { runCommand } from '../support/cli.js'
import { near, runtimeResults } from '../support/onnxRuntime.js'

function saved(folder: string): string {
  const path = join(folder, 'kinds.safetensors')
  saveClassifier(
    mlp([2, 3]),
    path,
    { units: [2, 3], activation: 'relu' },
    {
      dataset: 'kinds',
      seed: 0,
      classes: ['a', 'b', 'c'],
      preprocessing: { mean: [1, 2], scale: [0.5, 4] },
      loss: 'cross-entropy',
      testAccuracy: 1,
    },
  )
  return path
}

t.test('a model, and a sentence of what it takes and gives', async (t) => {
  const cwd = t.testdir()
  const path = saved(cwd)
  const { code, stdout, stderr } = await runCommand(['export', path, 'kinds.onnx'], { cwd })
  t.equal(code, 0, stderr)
  t.equal(
    stdout,
    'wrote kinds.onnx, which takes input (float32 [batch, 2]), and gives label (string [batch]) and probabilities (float32 [batch, 3])\n',
  )
  const json = await runCommand(['export', path, 'again.onnx', '--json'], { cwd })
  t.match(JSON.parse(json.stdout), {
    file: 'again.onnx',
    inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', 2] }],
  })
  t.strictSame(readFileSync(join(cwd, 'again.onnx')), readFileSync(join(cwd, 'kinds.onnx')))
  const { probabilities } = await runtimeResults(join(cwd, 'kinds.onnx'), {
    input: { type: 'float32', shape: [2, 2], data: [1, 2, 3, -1] },
  })
  const { scores } = predict(loadClassifier(path), [
    [1, 2],
    [3, -1],
  ])
  near(t, probabilities.data, scores, 'probabilities')
})

t.test('what is refused leaves the file', async (t) => {
  const cwd = t.testdir({ 'good.onnx': 'good' })
  const path = saved(cwd)
  saveModel(mlp([2, 3]), join(cwd, 'weights.safetensors'))
  writeFileSync(join(cwd, 'text.safetensors'), 'no model')
  for (const [args, code, message] of [
    [[path, 'kinds.pt'], 2, /expected a file whose name ends with \.onnx, got kinds\.pt/],
    [[path], 2, /missing required argument 'file'/],
    [['weights.safetensors', 'good.onnx'], 1, /expected a model that neuroblas saved/],
    [['text.safetensors', 'good.onnx'], 1, /text\.safetensors/],
    [['none.safetensors', 'good.onnx'], 1, /found nothing/],
    [[path, 'nowhere/a.onnx'], 1, /nowhere/],
    [['good.onnx', 'good.onnx'], 2, /expected another file/],
  ] as const) {
    const found = await runCommand(['export', ...args], { cwd })
    t.equal(found.code, code, found.stderr)
    t.match(found.stderr, message)
    t.equal(found.stderr.trim().split('\n').length, 1, 'in one line')
  }
  t.equal(readFileSync(join(cwd, 'good.onnx'), 'utf8'), 'good')
})
