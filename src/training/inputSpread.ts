/** Warns of inputs that are not scaled: most networks train badly on them, or not at all. */
import { yielder } from '../base/eventLoop.js'
import type { Dataset } from '../data/dataset.js'
import type { AnyModule } from '../nn/module.js'
import { TableInputs } from '../nn/tableNetwork.js'

/** The largest difference between two inputs that says nothing yet. */
const LARGEST_SPREAD = 100
/** Values that are looked at before the event loop may go on. */
const PIECE = 2 ** 18

/**
 * One warning where the inputs lie further apart than networks take well. The rows of a table are scaled by
 * their encoding, and indices that a model embeds need no scale.
 */
export async function warnOfSpread(
  op: string,
  model: AnyModule,
  { inputs, scale }: Dataset,
): Promise<void> {
  if ([...model.namedModules().values()].some((module) => module instanceof TableInputs)) return
  const isBytes = inputs instanceof Uint8Array
  if (isBytes && 255 * scale <= LARGEST_SPREAD) return
  let [min, max] = [Infinity, -Infinity]
  const yieldIfDue = yielder()
  for (let begin = 0; begin < inputs.length; begin += PIECE) {
    const end = Math.min(begin + PIECE, inputs.length)
    for (let i = begin; i < end; i++) {
      const value = inputs[i]
      if (value < min) min = value
      if (value > max) max = value
    }
    await yieldIfDue()
  }
  const unit = isBytes ? scale : 1
  if (!((max - min) * unit > LARGEST_SPREAD)) return
  process.emitWarning(
    `${op}: the inputs range from ${min * unit} to ${max * unit}; networks train badly on inputs that are not scaled: ` +
      'preprocess(data, fitPreprocessing(data)) standardizes them',
    { type: 'NeuroblasWarning' },
  )
}
