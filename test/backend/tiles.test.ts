/**
 * Products of the shapes that the addon cuts into tiles (native/gemm/tiles.cc), at the edges of
 * its rule and with incomplete tiles, against the JS backend.
 */
import t from 'tap'
import type { Backend } from '../../lib/backend/backend.js'
import { JsBackend } from '../../lib/backend/js/backend.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import { identical } from '../support/engine.js'
import { floats } from '../support/values.js'

const native = new NativeBackend()
const js = new JsBackend()

type Product = readonly [form: 'NN' | 'NT' | 'TN', m: number, n: number, k: number]

// a·b and a·bᵀ: 32 rows or more, with a b that is not too large. aᵀ·b: 8 to 128 deep, or to 256 with
// at most 30 columns.
const products: Product[] = [
  ['NN', 32, 128, 784],
  ['NN', 33, 101, 400],
  ['NN', 128, 65, 129],
  ['NN', 192, 256, 200],
  ['NN', 192, 33, 1000],
  ['NN', 40, 1024, 130],
  ['TN', 784, 128, 32],
  ['TN', 97, 129, 128],
  ['TN', 1000, 500, 8],
  ['TN', 130, 1025, 63],
  ['TN', 1025, 10, 255],
  ['TN', 1025, 30, 130],
  ['NN', 257, 10, 1025],
  ['NN', 256, 260, 300],
  ['NN', 400, 31, 513],
  ['NT', 32, 128, 10],
  ['NT', 33, 129, 7],
  ['NT', 128, 300, 100],
  ['NT', 65, 71, 1003],
  ['NT', 1025, 67, 9],
  ['NT', 256, 201, 300],
]

function multiply(
  backend: Backend,
  [form, m, n, k]: Product,
  [alpha, beta]: number[],
  inputs: Float32Array[],
): Float32Array {
  const handles = inputs.map((values) => {
    const handle = backend.alloc(values.length, 'float32')
    backend.write(handle, values)
    return handle
  })
  const [a, b, c] = handles
  backend.run('gemm', a, b, c, +(form[0] === 'T'), +(form[1] === 'T'), m, n, k, alpha, beta)
  const result = new Float32Array(m * n)
  backend.read(c, result)
  for (const handle of handles) backend.release(handle)
  return result
}

for (const product of products) {
  const [form, m, n, k] = product
  t.test(`${form} of ${m} x ${n} x ${k}`, (t) => {
    for (const scales of [
      [1, 0],
      [-0.5, 1],
      [2, 0.25],
    ]) {
      // What is multiplied by a beta of 0 must not matter.
      const before = scales[1] === 0 ? new Float32Array(m * n).fill(Number.NaN) : floats(m * n)
      const inputs = [floats(m * k), floats(k * n), before]
      const got = multiply(native, product, scales, inputs)
      const expected = multiply(js, product, scales, inputs)
      // Elements have a standard deviation of 4/3·√k at most; k roundings of 2^-24 stay far below.
      const worst = got.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i])), 0)
      t.ok(worst < 1e-5 * Math.sqrt(k) * 8, `alpha ${scales[0]}, beta ${scales[1]}: ${worst}`)
      identical(t, got, multiply(native, product, scales, inputs), 'the same bits again')
    }
    t.end()
  })
}
