// What the package must do where there is nothing but Node. Run in a project that has installed it.
import assert from 'node:assert/strict'
import {
  digits,
  evaluate,
  fit,
  getBackend,
  mlp,
  SGD,
  setBackend,
  setSeed,
  softmaxCrossEntropy,
  split,
} from 'neuroblas'
import { gemm } from 'neuroblas/blas'

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

/** Products of 256 × 256 matrices in a second, in 10^9 additions and multiplications. */
function speedOf(FloatArray) {
  const n = 256
  const [a, b] = [new FloatArray(n * n).fill(0.5), new FloatArray(n * n).fill(0.25)]
  const c = new FloatArray(n * n)
  let best = 0
  for (let i = 0; i < 5; i++) {
    const begin = performance.now()
    gemm(false, false, n, n, n, 1, a, n, b, n, 0, c, n)
    best = Math.max(best, (2 * n ** 3) / (performance.now() - begin) / 1e6)
  }
  assert.ok(c.every((x) => x === n / 8))
  return best
}

assert.equal(getBackend(), 'native')
console.log(`digits: accuracy ${(await learnDigits()).toFixed(3)}`)
for (const FloatArray of [Float32Array, Float64Array]) {
  setBackend('native')
  const native = speedOf(FloatArray)
  setBackend('js')
  const ratio = native / speedOf(FloatArray)
  console.log(`${FloatArray.name}: ${native.toFixed(1)} GFLOP/s, ${ratio.toFixed(0)} × JavaScript`)
}
