/** A function that is run once while its kernel calls are written down. */
import type { Backend } from '../backend/backend.js'
import type { DType } from '../backend/dtype.js'
import { changeCount } from '../backend/reads.js'
import { RecordingBackend, recordWith } from '../backend/record.js'
import { refusePromise } from '../base/arguments.js'
import type { Pausable } from '../base/eventLoop.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { Scope, Storage, within } from '../tensor/storage.js'
import { type AnyTensor, Tensor } from '../tensor/tensor.js'
import { type Argument, refuseLostGradients } from './gradients.js'
import { type Results, tensorsIn } from './results.js'

/** A buffer that stays for as long as its program. */
export interface Cell {
  readonly storage: Storage
  readonly shape: Shape
}

/** What was written down. Until it is compiled, it has the numbers of buffers from outside, and does not keep them. */
export interface Trace {
  readonly recording: RecordingBackend
  /** The buffers of arguments and results. */
  readonly cells: Scope
  readonly inputs: readonly Cell[]
  readonly outputs: readonly Cell[]
  /** What fn returned, around tensors that hold nothing. */
  readonly results: Results
  /** The count of changes when it was first paused, or done: what changes meanwhile must be compared. */
  readonly recordedAt: number
}

/** What is recorded. */
export type Work<R extends Results = Results> = (...args: readonly AnyTensor[]) => Pausable<R>

/** Runs fn, which may be paused where it yields. */
export function* traceOf(backend: Backend, fn: Work, inputs: readonly Argument[]): Pausable<Trace> {
  const recording = new RecordingBackend(backend)
  // Left to the collector only when it is compiled.
  const cells = new Scope()
  try {
    const recorded = yield* record(recording, cells, fn, inputs)
    recording.reads.refuseChanges()
    return { recording, cells, ...recorded }
  } catch (error) {
    freeTrace({ recording, cells })
    throw error
  }
}

function* record(
  recording: RecordingBackend,
  cells: Scope,
  fn: Work,
  inputs: readonly Argument[],
): Pausable<Omit<Trace, 'recording' | 'cells'>> {
  const cellOf = (dtype: DType, shape: Shape): Cell => ({
    storage: within(cells, () => new Storage(recording.inner, dtype, sizeOf(shape))),
    shape,
  })
  const ofInputs = inputs.map(({ dtype, shape }) => cellOf(dtype, shape))
  const args = ofInputs.map(({ storage, shape }, i) => {
    const x = new Tensor(storage, shape)
    x.requiresGrad = inputs[i].requiresGrad
    recording.args.add(x)
    return x
  })
  const trace = new Scope()
  try {
    const work = fn(...args)
    const goOn = () => within(trace, () => recordWith(recording, () => work.next()))
    let next = goOn()
    const recordedAt = changeCount()
    for (; !next.done; next = goOn()) yield
    const results = refusePromise('capture', next.value)
    const tensors = tensorsIn(results)
    refuseLostGradients(recording, args, inputs)
    const outputs = tensors.map(({ dtype, shape }) => cellOf(dtype, shape))
    for (const [i, x] of tensors.entries()) {
      const { storage } = outputs[i]
      recording.copyOut(x.handle, storage.handle, storage.length)
    }
    return { inputs: ofInputs, outputs, results, recordedAt }
  } finally {
    for (const leaf of recording.leaves) leaf.grad = null
    recordWith(recording, () => trace.end())
  }
}

/** Frees what belongs to a trace that will not be compiled. */
export function freeTrace({ recording, cells }: Pick<Trace, 'recording' | 'cells'>): void {
  cells.end()
  for (const handle of recording.constants) recording.inner.release(handle)
}
