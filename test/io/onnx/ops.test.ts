/** Every op in an exported graph against the formula that the op itself is tested by. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { noGrad, setBackend, type Tensor } from '../../../lib/index.js'
import { Emitter } from '../../../lib/io/onnx/export/emitter.js'
import { merge } from '../../../lib/io/onnx/export/merge.js'
import { runOf } from '../../../lib/io/onnx/export/run.js'
import { readingOf, rows, translate } from '../../../lib/io/onnx/export/translate.js'
import { ops } from '../../../lib/ops/define.js'
import { valuesOf } from '../../support/onnxExport.js'
import { near, runtimeResults } from '../../support/onnxRuntime.js'
import type { OpCase } from '../../support/opCase.js'
import { opCases } from '../../support/opCases.js'
import { toTensor } from '../../support/reference.js'

t.test('every op is exported, or it is said why not', async (t) => {
  t.strictSame(Object.keys(rows).sort(), [...ops.keys()].sort())
  for (const [op, row] of Object.entries(rows)) {
    t.ok(typeof row !== 'string' || row.length > 20, op)
  }
})

/** The graph of a call, of the shapes that it has. */
function graphOf({ inputs, apply }: OpCase): Uint8Array {
  const xs = inputs.map(toTensor)
  const once = () =>
    runOf(
      xs,
      new Map(),
      () => '',
      () => [apply(...xs) as Tensor],
    )
  const merged = noGrad(() => merge([once(), once()], readingOf))
  const g = new Emitter()
  const names = merged.inputs.map(({ shape, dtype }, i) =>
    g.input(`x${i}`, dtype, shape as number[]),
  )
  translate(g, merged, names)
  const [y] = merged.outputs
  g.output('y', g.plain(y), y.dtype, y.shape as number[])
  return Buffer.concat(g.bytes({}))
}

const isEmpty = ({ inputs }: OpCase) => inputs.some(({ shape }) => shape.includes(0))

setBackend('js')
for (const op of ops.keys()) {
  if (typeof rows[op] === 'string') continue
  t.test(op, async (t) => {
    const folder = t.testdir()
    for (const opCase of opCases[op].filter((found) => !isEmpty(found))) {
      const { name, inputs, expected } = opCase
      const path = join(folder, `${name.replaceAll(/\W+/g, ' ')}.onnx`)
      const feeds = Object.fromEntries(inputs.map((x, i) => [`x${i}`, valuesOf(x)]))
      try {
        writeFileSync(path, graphOf(opCase))
        const { y } = await runtimeResults(path, feeds)
        const { shape, data } = expected(...inputs)
        t.strictSame(y.shape, shape, `${name}: shape`)
        near(t, y.data, data, name)
      } catch (error) {
        t.fail(`${name}: ${(error as Error).message.slice(0, 300)}`)
      }
    }
  })
}
