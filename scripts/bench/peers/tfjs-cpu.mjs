// TensorFlow.js on its backend in plain JavaScript.
import { main } from './peer.mjs'
import { startTraining } from './tfjs.mjs'

await main(async (job) => {
  const tf = await import('@tensorflow/tfjs-core')
  await import('@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js')
  await import('@tensorflow/tfjs-backend-cpu')
  await tf.setBackend('cpu')
  return startTraining(job, tf)
})
