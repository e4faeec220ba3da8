// What the package must do where there is nothing but Node. Run in a project that has installed it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as neuroblas from 'neuroblas'
import {
  digits,
  evaluate,
  fit,
  full,
  getBackend,
  matmul,
  mlp,
  SGD,
  setBackend,
  setSeed,
  softmaxCrossEntropy,
  split,
} from 'neuroblas'
import { gemm } from 'neuroblas/blas'
import { digests } from './digests.mjs'

const learned = { loss: softmaxCrossEntropy }

async function learnDigits() {
  setSeed(1)
  const { train, test } = split(digits(), 0.2, 1)
  const model = mlp([64, 32, 10])
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
  await fit(model, train, { ...learned, optimizer, epochs: 5 })
  const { accuracy } = await evaluate(model, test, learned)
  assert.ok(accuracy > 0.9, `accuracy ${accuracy}`)
  return accuracy
}

const n = 256

/** Products of n × n matrices in a second, in 10^9 additions and multiplications. */
function speedOf(multiply) {
  let best = 0
  for (let i = 0; i < 5; i++) {
    const begin = performance.now()
    const product = multiply()
    best = Math.max(best, (2 * n ** 3) / (performance.now() - begin) / 1e6)
    assert.ok(product.every((x) => x === n / 8))
  }
  return best
}

function speedOfTensors() {
  const [a, b] = [full([n, n], 0.5), full([n, n], 0.25)]
  return speedOf(() => matmul(a, b).data())
}

function speedOfArrays(FloatArray) {
  const [a, b] = [new FloatArray(n * n).fill(0.5), new FloatArray(n * n).fill(0.25)]
  const c = new FloatArray(n * n)
  return speedOf(() => {
    gemm(false, false, n, n, n, 1, a, n, b, n, 0, c, n)
    return c
  })
}

assert.equal(getBackend(), 'native')
console.log(`digits: accuracy ${(await learnDigits()).toFixed(3)}`)
const wanted = JSON.parse(readFileSync(new URL('digests.json', import.meta.url), 'utf8'))
assert.deepEqual(await digests(neuroblas), wanted)
console.log(`${Object.keys(wanted).length} trainings and products: the same bits as on any machine`)
const speeds = {
  tensors: speedOfTensors,
  Float32Array: () => speedOfArrays(Float32Array),
  Float64Array: () => speedOfArrays(Float64Array),
}
for (const [name, speed] of Object.entries(speeds)) {
  setBackend('native')
  const native = speed()
  setBackend('js')
  console.log(
    `${name}: ${native.toFixed(1)} GFLOP/s, ${(native / speed()).toFixed(0)} × JavaScript`,
  )
}
