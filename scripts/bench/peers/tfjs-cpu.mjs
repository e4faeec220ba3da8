// TensorFlow.js on its backend in plain JavaScript.
import { createRequire } from 'node:module'
import { main } from './peer.mjs'
import { startTfjs } from './tfjs-steps.mjs'

await main(async (job) => {
  // Its CommonJS builds: the others do not find their own files in Node.
  const require = createRequire(import.meta.url)
  const tf = require('@tensorflow/tfjs')
  await tf.setBackend('cpu')
  return startTfjs(job, tf)
})
