// TensorFlow.js on both backends: what is computed of tensors that are drawn, and how far two results are apart.
import { createRequire } from 'node:module'
import { cases } from './cases.mjs'
import { Draw } from './draw.mjs'

// cpu advises to install another package.
console.warn = () => {}
export const tf = createRequire(import.meta.url)('@tensorflow/tfjs')
await import('../../lib/frontends/tfjs/index.js')
await tf.setBackend('neuroblas')

/** Beside the largest element: sums are added up in another order. */
const TOLERANCE = 2e-5

/** So many calls, one of each kind after the other; each says its seed. */
export function* draws(count, firstSeed = 1) {
  const kinds = Object.keys(cases)
  for (let round = 0, drawn = 0; drawn < count; round++) {
    const seed = (firstSeed * 1_000_003 + round * 7919) >>> 0
    const call = cases[kinds[round % kinds.length]](new Draw(seed))
    if (call === undefined) continue
    drawn++
    yield { ...call, seed }
  }
}

export const spelled = ({ name, inputs, seed }) =>
  `${name} of ${inputs.map(({ dtype, shape }) => `${dtype} [${shape}]`).join(', ')}, seed ${seed}`

export async function computedOn(backend, { inputs, compute }) {
  await tf.setBackend(backend)
  return tf.tidy(() => {
    const tensors = inputs.map(({ values, shape, dtype }) =>
      tf.tensor(values.slice(), shape, dtype),
    )
    const { shape, dtype, ...result } = compute(tf, ...tensors)
    return { shape, dtype, values: tf.engine().readSync(result.dataId) }
  })
}

/** In words, or undefined where there is none. */
export function differenceOf(got, wanted) {
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
