/**
 * A copy of a model's weights with the forward pass over it, written down once for each size of a batch: answers
 * run none of the model's JavaScript, and the model itself can be trained meanwhile.
 */
import { currentBackend } from '../backend/current.js'
import { underneath } from '../backend/record.js'
import { DivergenceError, ShapeError } from '../base/errors.js'
import { atOnce, type Pausable, unpaused } from '../base/eventLoop.js'
import { Recorded } from '../capture/recorded.js'
import { findNotFinite } from '../nn/finite.js'
import { refuseTrained } from '../nn/lock.js'
import { inEval, type Module } from '../nn/module.js'
import { zeros } from '../tensor/create.js'
import { noGrad } from '../tensor/graph.js'
import { format, type Shape } from '../tensor/shape.js'
import { type Storage, within } from '../tensor/storage.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { forward } from '../training/forward.js'

/** What a forward pass leaves for each row of a batch. */
export type Results = {
  /** [rows, ...] */
  readonly scores: Tensor
  /** Of a classifier, the position of the largest score; [rows]. */
  readonly labels?: Tensor<'int32'>
}

/** The forward pass for batches of one size. */
interface Program {
  readonly rows: number
  readonly inputs: Tensor
  readonly recorded: Recorded<Results>
  /** Whether it runs beside the event loop. */
  readonly isLong: boolean
}

/**
 * Up to so many floating-point operations, a millisecond or two, a batch is computed in the event loop's own time:
 * the way to another thread and back takes longer than it saves. As many requests a second are answered either way,
 * but what takes longer would keep the event loop from all else.
 */
const AT_ONCE = 5e7
/** A batch of so many is as quick by the row as a larger one, and its answers need not wait as long. */
const LARGEST = 1e9

export class Replica {
  readonly #state: readonly AnyTensor[]
  readonly #programs: readonly Program[]
  /** What the last batch gave, row by row. */
  readonly scores: Float32Array
  /** Of a classifier; else all 0. */
  readonly labels: Int32Array
  /** Scores of a row. */
  readonly width: number

  /**
   * The forward pass of a model, over a copy of the weights that `source` has: the model itself, or another one
   * with weights of the same shapes.
   * @param shape of an example
   * @param resultsOf what is made of the model's outputs
   * @param batchSize rows of a batch at most; of a large model it is less
   * @throws DivergenceError for weights that are not finite, BusyError while the model is trained, but for the
   *   training's callbacks, ShapeError where the model does not take such examples
   */
  static *make(
    op: string,
    model: Module,
    shape: Shape,
    resultsOf: (outputs: Tensor) => Results,
    batchSize: number,
    source = model,
  ): Pausable<Replica> {
    const own = [...model.namedState().values()]
    const values = stateOf(op, source)
    const state = within(null, () => noGrad(() => values.map((x) => x.clone())))
    const programs: Program[] = []
    try {
      for (let rows = 1; ; rows = Math.min(2 * rows, batchSize)) {
        const forward = (x: AnyTensor) => resultsOf(outputsOf(op, model, x))
        const input = { dtype: 'float32' as const, shape: [rows, ...shape], requiresGrad: false }
        const record = () => {
          const backend = underneath(currentBackend())
          const work = (x: AnyTensor) => unpaused(() => forward(x))
          return atOnce(Recorded.make<Results>(backend, work, [input]))
        }
        const recorded = withValues(own, state, () => inEval(model, () => noGrad(record)))
        const inputs = within(null, () => zeros(input.shape))
        programs.push({ rows, inputs, recorded, isLong: recorded.work > AT_ONCE })
        if (rows >= batchSize || recorded.work >= LARGEST) break
        yield
      }
      return new Replica(state, programs)
    } catch (error) {
      disposeAll(state, programs)
      throw error
    }
  }

  private constructor(state: readonly AnyTensor[], programs: readonly Program[]) {
    this.#state = state
    this.#programs = programs
    const [{ recorded, inputs }] = programs
    const { scores } = recorded.call([inputs])
    this.width = scores.size
    this.scores = new Float32Array(this.batchSize * this.width)
    this.labels = new Int32Array(this.batchSize)
  }

  /** Rows of a batch at most. */
  get batchSize(): number {
    return this.#programs[this.#programs.length - 1].rows
  }

  /** Takes over the weights of a model, whose shapes are the same. @throws DivergenceError, BusyError as `make` */
  update(model: Module): void {
    for (const [i, x] of stateOf('publish', model).entries()) this.#state[i].assign(x)
  }

  /**
   * Asks the model about the first rows of `inputs`; `scores` and `labels` have the answers when `done` is called,
   * at once or later.
   */
  run(inputs: Float32Array, rows: number, done: (error?: unknown) => void): void {
    const program = this.#programs.find((fitting) => fitting.rows >= rows) as Program
    try {
      const { storage, handle } = program.inputs
      storage.backend.write(handle, inputs.subarray(0, storage.length))
      if (!program.isLong) this.#read(program.recorded.callAlone([program.inputs]))
    } catch (error) {
      done(error)
      return
    }
    if (!program.isLong) {
      done()
      return
    }
    program.recorded
      .run([program.inputs])
      .then((results) => {
        this.#read(results)
        for (const x of Object.values(results)) x.dispose()
      })
      .then(() => done(), done)
  }

  dispose(): void {
    disposeAll(this.#state, this.#programs)
  }

  #read({ scores, labels }: Results): void {
    const { backend } = scores.storage
    backend.read(scores.handle, this.scores.subarray(0, scores.size))
    if (labels) backend.read(labels.handle, this.labels.subarray(0, labels.size))
  }
}

/** Parameters and buffers. @throws DivergenceError, BusyError */
function stateOf(op: string, model: Module): readonly Tensor[] {
  refuseTrained(op, model)
  const state = model.namedState()
  const found = findNotFinite([...state])
  if (found === undefined) return [...state.values()]
  throw new DivergenceError(`${op}: expected finite weights, got ${found}`)
}

function outputsOf(op: string, model: Module, x: Tensor): Tensor {
  const outputs = forward(op, model, x)
  if (outputs.shape[0] === x.shape[0]) return outputs
  throw new ShapeError(
    `${op}: expected outputs for each of ${x.shape[0]} examples, got shape ${format(outputs.shape)}`,
  )
}

/** Does something as if tensors had the values of others: as `torch.func.functional_call` has it. */
function withValues<T>(
  tensors: readonly AnyTensor[],
  values: readonly AnyTensor[],
  fn: () => T,
): T {
  const swap = (x: AnyTensor, { storage }: { storage: Storage }) => {
    ;(x as { storage: Storage }).storage = storage
  }
  const own = tensors.map(({ storage }) => ({ storage }))
  for (const [i, x] of tensors.entries()) swap(x, values[i])
  try {
    return fn()
  } finally {
    for (const [i, x] of tensors.entries()) swap(x, own[i])
  }
}

function disposeAll(state: readonly AnyTensor[], programs: readonly Program[]): void {
  for (const { inputs, recorded } of programs) {
    inputs.dispose()
    recorded.dispose()
  }
  for (const x of state) x.dispose()
}
