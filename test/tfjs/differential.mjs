// The backend against TensorFlow.js's own, cpu, at random shapes, broadcasts, dtypes and values.
//   node test/tfjs/differential.mjs [--rounds 300] [--seed 1]
// Every failure names its case and seed; ends with exit code 1 when there is one.
import { parseArgs } from 'node:util'
import { computedOn, differenceOf, draws, spelled, tf } from './compare.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
  },
})

let compared = 0
let failed = 0
for (const call of draws(Number(options.rounds), Number(options.seed))) {
  compared++
  const wanted = await computedOn('cpu', call)
  const difference = differenceOf(await computedOn('neuroblas', call), wanted)
  if (difference === undefined) continue
  failed++
  console.log(`FAILED ${spelled(call)}: ${difference}`)
}
await tf.setBackend('neuroblas')
console.log(`differential: ${compared - failed} passed, ${failed} failed`)
const fallbacks = Object.entries(tf.backend().fallbacks()).map(
  ([kernel, times]) => `${kernel} ${times}`,
)
console.log(`computed by the backend cpu: ${fallbacks.join(', ') || 'nothing'}`)
process.exitCode = failed > 0 ? 1 : 0
