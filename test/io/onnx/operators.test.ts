/** Every operator of the import, alone in a graph, as onnxruntime computes it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { setBackend } from '../../../lib/index.js'
import { operators } from '../../../lib/io/onnx/import/ops/index.js'
import { type OperatorCase, operatorCases } from '../../support/onnxCases.js'
import { modelOf, nodeOf, write } from '../../support/onnxFile.js'
import { agrees, type Values } from '../../support/onnxRuntime.js'

const TIMES = 3

/** A file of the one node, and what goes into it. */
function written(
  path: string,
  op: string,
  { inputs, attributes, outputs = 1, opset }: OperatorCase,
) {
  const names = inputs.map((operand, i) => (operand === undefined ? '' : `x${i}`))
  const given = (isConstant: boolean): Record<string, Values> =>
    Object.fromEntries(
      inputs.flatMap((operand, i) =>
        operand !== undefined && (operand.constant ?? false) === isConstant
          ? [[names[i], operand]]
          : [],
      ),
    )
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`)
  // onnxruntime does not survive a last input without a name at some operators.
  const last = inputs.findLastIndex((operand) => operand !== undefined)
  const node = nodeOf(op, names.slice(0, last + 1), results, attributes)
  const feeds = given(false)
  write(
    path,
    modelOf({ nodes: [node], inputs: feeds, outputs: results, initializers: given(true), opset }),
  )
  return feeds
}

t.test('every operator has its cases', async (t) => {
  t.same(Object.keys(operatorCases).sort(), Object.keys(operators).sort())
})

t.test('the guide names every operator', async (t) => {
  const guide = readFileSync(new URL('../../../docs/onnx.md', import.meta.url), 'utf8')
  const named = new Set(guide.slice(guide.indexOf('## Import')).match(/\w+/g))
  const missing = Object.keys(operators).filter((op) => !named.has(op.replace('ai.onnx.ml.', '')))
  t.same(missing, [])
})

for (const backend of ['js', 'native'] as const) {
  t.test(`each as onnxruntime computes it (${backend})`, async (t) => {
    setBackend(backend)
    const path = join(t.testdir(), 'model.onnx')
    for (const [op, cases] of Object.entries(operatorCases)) {
      for (const [i, make] of cases.entries()) {
        for (let time = 0; time < TIMES; time++) {
          const one = make()
          const { inputs, ...settings } = one
          const shapes = inputs.map(
            (operand) => operand && `${operand.constant ? 'constant ' : ''}[${operand.shape}]`,
          )
          const name = `${op} ${i} ${shapes.join(' ')} ${JSON.stringify(settings)}`
          try {
            await agrees(t, path, written(path, op, one), name, one.tolerance)
          } catch (error) {
            t.fail(`${name}: ${(error as Error).message}`)
          }
        }
      }
    }
  })
}
