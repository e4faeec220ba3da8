// What the programs of TensorFlow.js have in common: which of a case's steps they take.
import { startTraining } from './tfjs.mjs'

/** On the backend that is in force. */
export async function startTfjs(job, tf) {
  if (job.case.kind !== 'tfjs') return startTraining(job, tf)
  const { tfjsSteps } = await import('../../../lib/apps/bench/tfjs.js')
  const run = tfjsSteps(tf, job.case)
  return { ready: { version: `TensorFlow.js ${tf.version_core}, ${tf.getBackend()}` }, run }
}
