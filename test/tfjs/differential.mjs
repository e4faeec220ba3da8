// The backend against TensorFlow.js's own, cpu, at random shapes, broadcasts, dtypes and values.
//   node test/tfjs/differential.mjs [--rounds 300] [--seed 1]
// Every failure names its case and seed; ends with exit code 1 when there is one.
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { cases } from './cases.mjs'
import { Draw } from './draw.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
  },
})
const [rounds, firstSeed] = [Number(options.rounds), Number(options.seed)]

// cpu advises to install another package.
console.warn = () => {}
const tf = createRequire(import.meta.url)('@tensorflow/tfjs')
await import('../../lib/frontends/tfjs/index.js')
await tf.setBackend('neuroblas')

/** Beside the largest element: sums are added up in another order. */
const TOLERANCE = 2e-5

async function computedOn(backend, { inputs, compute }) {
  await tf.setBackend(backend)
  return tf.tidy(() => {
    const tensors = inputs.map(({ values, shape, dtype }) =>
      tf.tensor(values.slice(), shape, dtype),
    )
    const { shape, dtype, ...result } = compute(tf, ...tensors)
    return { shape, dtype, values: tf.engine().readSync(result.dataId) }
  })
}

function differenceOf(got, wanted) {
  if (got.dtype !== wanted.dtype || String(got.shape) !== String(wanted.shape)) {
    return `${got.dtype} [${got.shape}], expected ${wanted.dtype} [${wanted.shape}]`
  }
  if (got.values.length !== wanted.values.length) return `${got.values.length} elements`
  let largest = 1
  for (const value of wanted.values)
    if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value))
  const allowed = wanted.dtype === 'float32' ? TOLERANCE * largest : 0
  const at = wanted.values.findIndex((value, i) => {
    const other = got.values[i]
    return !(Object.is(value, other) || value === other || Math.abs(value - other) <= allowed)
  })
  return at < 0 ? undefined : `element ${at} is ${got.values[at]}, expected ${wanted.values[at]}`
}

let compared = 0
let failed = 0
const kinds = Object.keys(cases)
for (let round = 0; compared < rounds; round++) {
  const seed = (firstSeed * 1_000_003 + round * 7919) >>> 0
  const drawn = cases[kinds[round % kinds.length]](new Draw(seed))
  if (drawn === undefined) continue
  compared++
  const wanted = await computedOn('cpu', drawn)
  const difference = differenceOf(await computedOn('neuroblas', drawn), wanted)
  if (difference === undefined) continue
  failed++
  const shapes = drawn.inputs.map(({ dtype, shape }) => `${dtype} [${shape}]`).join(', ')
  console.log(`FAILED ${drawn.name} of ${shapes}, seed ${seed}: ${difference}`)
}
await tf.setBackend('neuroblas')
console.log(`differential: ${compared - failed} passed, ${failed} failed`)
const fallbacks = Object.entries(tf.backend().fallbacks()).map(
  ([kernel, times]) => `${kernel} ${times}`,
)
console.log(`computed by the backend cpu: ${fallbacks.join(', ') || 'nothing'}`)
process.exitCode = failed > 0 ? 1 : 0
