/** What a program uses of the outside, for its lock. */
import { type Plan, sharedIn } from '../backend/program.js'
import type { RecordingBackend } from '../backend/record.js'
import type { Uses } from '../tensor/locks.js'

/**
 * What JavaScript writes before an iteration counts as written.
 * @param program stands for the memory that it does not share
 */
export function usesOf(
  program: object,
  plan: Plan,
  { outside, beforeIteration }: RecordingBackend,
): Uses {
  const isWritten = sharedIn(plan)
  for (const item of beforeIteration) if ('next' in item) isWritten.set(item.handle, true)
  // First: of two runs of one program, that is what they always meet at.
  const writes = new Set<object>([program])
  const reads = new Set<object>()
  for (const [handle, written] of isWritten) {
    const used = outside.get(handle)
    if (used !== undefined) (written ? writes : reads).add(used)
  }
  return { reads, writes }
}
