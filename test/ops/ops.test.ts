/**
 * Every op: its result against a naive formula on both backends, its gradient against central
 * differences in float64. An op without a row in the table fails.
 */
import t from 'tap'
import { gradCheck, setBackend } from '../../lib/index.js'
import { ops } from '../../lib/ops/define.js'
import { opCases } from '../support/opCases.js'
import { same, toTensor } from '../support/reference.js'

t.test('every op has a row, and every row is an op', async (t) => {
  t.strictSame(Object.keys(opCases).sort(), [...ops.keys()].sort())
})

for (const [op, { differentiable }] of ops) {
  t.test(op, async (t) => {
    for (const { name, inputs, apply, expected } of opCases[op] ?? []) {
      for (const backend of ['js', 'native'] as const) {
        setBackend(backend)
        const y = apply(...inputs.map(toTensor))
        same(t, y, expected(...inputs), `${name} (${backend})`, 2e-6)
      }
      if (!differentiable) continue
      const result = gradCheck(apply, inputs.map(toTensor))
      t.ok(result.ok, `${name}: gradient`, result)
    }
    if (!differentiable) t.equal(gradientOf(op), false, 'leaves no graph behind')
  })
}

/** Whether the first result of an op that has no gradient wants one. */
function gradientOf(op: string): boolean {
  const [{ inputs, apply }] = opCases[op]
  const leaves = inputs.map(toTensor)
  for (const leaf of leaves) if ((leaf.dtype as string) === 'float32') leaf.requiresGrad = true
  return apply(...leaves).requiresGrad
}
