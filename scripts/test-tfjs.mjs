// Checks the backend for TensorFlow.js.
//   node scripts/test-tfjs.mjs          what CI runs, in under two minutes: the suite of tfjs-core with one
//                                       copy of the core and with two, and 300 calls beside the backend cpu
//   node scripts/test-tfjs.mjs --full   5,000 calls, whether these would notice a fault in a native kernel, whose
//                                       memory is whose, and what face-api, nsfwjs and knn-classifier find
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const isFull = process.argv.includes('--full')

const checks = [
  ['conformance.mjs'],
  ['conformance.mjs', '--external'],
  ['differential.mjs', '--rounds', isFull ? '5000' : '300'],
  ...(isFull ? [['mutations.mjs'], ['aliasing.mjs'], ['clients.mjs']] : []),
]
const failed = checks.filter(([file, ...args]) => {
  const command = ['--expose-gc', `${root}test/tfjs/${file}`, ...args]
  return spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' }).status !== 0
})
if (failed.length > 0) console.log(`failed: ${failed.map((words) => words.join(' ')).join('; ')}`)
process.exitCode = failed.length > 0 ? 1 : 0
