/** Locks of models: training has all parameters to itself, whatever asks the model shares them. */
import {
  isAnyTrained,
  Lock,
  memoryOf,
  NOTHING,
  refuseTrained as refuseTrainedMemory,
  type Uses,
  withLock,
} from '../tensor/locks.js'
import type { Tensor } from '../tensor/tensor.js'

/** What has parameters and buffers: a module. */
interface Trainable {
  namedState(): ReadonlyMap<string, Tensor>
}

/**
 * Trains parameters, and changes buffers, in its turn; others that ask for them meanwhile are refused.
 * @param op who trains
 * @throws BusyError where they are being trained
 */
export async function whileTraining<T>(
  op: string,
  state: readonly Tensor[],
  fn: (lock: Lock) => Promise<T>,
): Promise<T> {
  const lock = new Lock(op, { reads: NOTHING, writes: memoryOf(state) }, true)
  return withLock(lock, () => fn(lock))
}

/**
 * Asks a model, in its turn; others may do so, too.
 * @param writes what it writes beside the model, which others may not use
 * @throws BusyError where the model is being trained
 */
export async function whileAsking<T>(
  op: string,
  model: Trainable,
  fn: () => Promise<T>,
  writes: Uses['writes'] = NOTHING,
): Promise<T> {
  return withLock(new Lock(op, { reads: memoryOf([...model.namedState().values()]), writes }), fn)
}

/** Refuses a model that is being trained, but for the training itself and its callbacks. @throws BusyError */
export function refuseTrained(op: string, model: Trainable): void {
  if (!isAnyTrained()) return
  for (const { storage } of model.namedState().values()) refuseTrainedMemory(op, storage.memory)
}
