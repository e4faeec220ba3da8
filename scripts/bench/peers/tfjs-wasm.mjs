// TensorFlow.js on its WebAssembly backend, with SIMD; in Node it has one thread.
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { main } from './peer.mjs'
import { startTfjs } from './tfjs-steps.mjs'

await main(async (job) => {
  // Its CommonJS builds: the others do not find their own files in Node.
  const require = createRequire(import.meta.url)
  const tf = require('@tensorflow/tfjs')
  const wasm = require('@tensorflow/tfjs-backend-wasm')
  wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep)
  await tf.setBackend('wasm')
  await tf.ready()
  return startTfjs(job, tf)
})
