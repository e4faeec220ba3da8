/**
 * Tensors as text, against what NumPy prints (fixtures/print.json; the script is beside it).
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { tensor } from '../../lib/index.js'
import { formatTensor } from '../../lib/tensor/print.js'

interface Case {
  name: string
  dtype: 'float32' | 'float64' | 'int32' | 'uint8'
  shape: number[]
  values: (number | string)[]
  text: string
}

const cases: Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/print.json', import.meta.url), 'utf8'),
)
const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
}

function parse(value: number | string): number {
  if (typeof value === 'number') return value
  return Number(value.replace('inf', 'Infinity'))
}

for (const { name, dtype, shape, values, text } of cases) {
  t.test(`${dtype}: ${name}`, async (t) => {
    const elements = arrays[dtype].from(values.map(parse))
    t.equal(formatTensor(elements, shape), text)
    if (dtype === 'float64') return
    t.equal(String(tensor(Array.from(elements), shape, dtype)), text)
  })
}

t.test('inspected, a tensor says what it is', async (t) => {
  const inspect = Symbol.for('nodejs.util.inspect.custom')
  const show = (x: object) => (x as Record<symbol, () => string>)[inspect]()
  const x = tensor([[1, 2.5]])
  t.equal(show(x), 'Tensor([1, 2], float32)\n[[1.  2.5]]')
  x.requiresGrad = true
  t.match(show(x), /^Tensor\(\[1, 2\], float32, requiresGrad\)\n/)
  x.dispose()
  t.equal(show(x), 'Tensor([1, 2], float32, requiresGrad, released)')
  t.equal(show(tensor(Int32Array.of(3))), 'Tensor([1], int32)\n[3]')
})
