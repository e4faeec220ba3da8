/** Case I1: a captured forward pass, from numbers in JavaScript to logits in JavaScript. */

import { capture, noGrad, type Tensor, tensor } from '../../index.js'
import type { InferenceCase } from './cases.js'
import { type TimedRun, timed } from './measure.js'
import type { Job } from './protocol.js'
import { loadClassifier, readData } from './training.js'

/** Each step is one call: the batch is copied to the backend, the logits are read. */
export function inferences({ files }: Job, { units, batch }: InferenceCase): TimedRun {
  const model = loadClassifier(units, files)
  model.eval()
  const { inputs, size } = readData(files.data)
  const pixels = units[0]
  const values = Float32Array.from(
    { length: batch * pixels },
    (_, i) => inputs[i % (size * pixels)] / 255,
  )
  const forward = capture((x: Tensor) => noGrad(() => model.forward(x)))
  return timed(() => {
    const x = tensor(values, [batch, pixels])
    forward(x).data()
    x.dispose()
  })
}
