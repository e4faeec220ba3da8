/** One trace of a captured function: its program, the buffers around it, and how it is run. */
import type { Backend } from '../backend/backend.js'
import { type DType, dtypes } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import type { Plan, Program, Transfer } from '../backend/program.js'
import { changeCount, type Reads } from '../backend/reads.js'
import { type Action, type Feed, RecordingBackend, recordWith } from '../backend/record.js'
import { refusePromise } from '../base/arguments.js'
import { CaptureError } from '../base/errors.js'
import { Lock, refuseLocked, type Uses } from '../tensor/locks.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { Scope, Storage, within } from '../tensor/storage.js'
import { type AnyTensor, Tensor } from '../tensor/tensor.js'
import { digestOf, type Names, type Recording } from './digest.js'
import { fuse } from './fuse.js'
import { type Argument, refuseLostGradients } from './gradients.js'
import { formatPlan, plan } from './plan.js'
import { type Results, replaceTensors, tensorsIn } from './results.js'
import { usesOf } from './uses.js'

/** A buffer that stays for as long as its program. */
interface Cell {
  readonly storage: Storage
  readonly shape: Shape
}

/** One trace of fn: its program, and the buffers that its arguments and results live in. */
export class Recorded<R extends Results> {
  readonly #backend: Backend
  readonly #program: Program
  readonly #plan: Plan
  readonly #recording: Recording
  readonly #beforeIteration: readonly RecordingBackend['beforeIteration'][number][]
  readonly #constants: readonly Handle[]
  readonly #inputs: readonly Cell[]
  readonly #outputs: readonly Cell[]
  /** What fn returned, around tensors that hold nothing. */
  readonly #results: Results
  /** Buffers handed out, which the next call overwrites. */
  #given: Storage[] = []
  readonly #reads: Reads
  /** The count of changes at which all that it read was as it was. */
  #comparedAt: number
  /** What a run has to itself, or shares. */
  readonly #uses: Uses
  /** Runs under way, and those that wait for their turn. */
  #runs = 0
  #disposed = false

  constructor(
    backend: Backend,
    fn: (...args: readonly AnyTensor[]) => R,
    inputs: readonly Argument[],
  ) {
    this.#backend = backend
    const recording = new RecordingBackend(backend)
    this.#reads = recording.reads
    const { tape, constants, inner } = recording
    this.#recording = { tape, constants, inner }
    // Left to the collector in the end only: until it is compiled, the tape has the numbers of buffers
    // from outside, and does not keep them.
    const cells = new Scope()
    const cellOf = (dtype: DType, shape: Shape): Cell => ({
      storage: within(cells, () => new Storage(backend, dtype, sizeOf(shape))),
      shape,
    })
    try {
      this.#inputs = inputs.map(({ dtype, shape }) => cellOf(dtype, shape))
      const args = this.#inputs.map(({ storage, shape }, i) => {
        const x = new Tensor(storage, shape)
        x.requiresGrad = inputs[i].requiresGrad
        recording.args.add(x)
        return x
      })
      const trace = new Scope()
      try {
        const results = within(trace, () => recordWith(recording, () => fn(...args)))
        this.#results = refusePromise('capture', results)
        const tensors = tensorsIn(this.#results)
        refuseLostGradients(recording, args, inputs)
        this.#outputs = tensors.map(({ dtype, shape }) => cellOf(dtype, shape))
        for (const [i, x] of tensors.entries()) {
          const { storage } = this.#outputs[i]
          recording.copyOut(x.handle, storage.handle, storage.length)
        }
      } finally {
        for (const leaf of recording.leaves) leaf.grad = null
        recordWith(recording, () => trace.end())
      }
      recording.reads.refuseChanges()
      this.#comparedAt = changeCount()
      this.#plan = plan(backend.rewrite(fuse(recording.tape)))
      this.#program = backend.compile(this.#plan, this)
      this.#uses = usesOf(this, this.#plan, recording)
      // What no step reads, such as the settings for biases where there are none, need not be fed.
      const used = new Set(this.#plan.places.map(({ shared }) => shared))
      this.#beforeIteration = recording.beforeIteration.filter(
        (item) => 'act' in item || used.has(item.handle),
      )
    } catch (error) {
      cells.end()
      for (const handle of recording.constants) backend.release(handle)
      throw error
    }
    this.#constants = recording.constants
    for (const handle of this.#constants) backend.own(handle, this)
    for (const { storage } of this.#cells) storage.moveTo(null)
  }

  /** Whether all that was read when it was recorded still is as it was. */
  get fits(): boolean {
    const now = changeCount()
    if (this.#comparedAt === now) return true
    if (!this.#reads.areSame()) return false
    this.#comparedAt = now
    return true
  }

  /** Whether a run is under way, or waits for its turn. */
  get isInUse(): boolean {
    return this.#runs > 0
  }

  call(args: readonly AnyTensor[]): R {
    refuseLocked('capture', this.#uses, ', or call run(), which waits for its turn')
    this.#load(args)
    try {
      this.#program.runSync(1, [])
    } finally {
      this.#undoAfter(1)
    }
    return this.#handOut()
  }

  run(args: readonly AnyTensor[]): Promise<R> {
    return this.#inTurn('run', args, [], async (given, collects) => {
      this.#load(given)
      await this.#undoingRest(1, () => this.#program.runOnce(collects))
    })
  }

  runMany(args: readonly AnyTensor[], iterations: number): Promise<R> {
    return this.#inTurn('runMany', args, [iterations], async (given, collects) => {
      this.#expire()
      const temporary = new Scope()
      try {
        const feeds = [
          ...given.map((x, i) => transfer('feed', x.storage, this.#inputs[i].storage)),
          ...within(temporary, () => this.#feedTables(iterations)),
        ]
        await this.#undoingRest(iterations, () =>
          this.#program.run(iterations, [...feeds, ...collects]),
        )
      } finally {
        temporary.end()
      }
    })
  }

  describe(): string {
    return formatPlan(this.#plan)
  }

  digest(names: Names): string {
    return digestOf(this.#recording, names)
  }

  dispose(): void {
    this.#disposed = true
    this.#expire()
    this.#program.dispose()
    for (const handle of this.#constants) this.#backend.release(handle)
    for (const { storage } of this.#cells) storage.release()
  }

  get #cells(): readonly Cell[] {
    return [...this.#inputs, ...this.#outputs]
  }

  /**
   * Replays when nobody excludes it any more, with the arguments as they are now.
   * @param leading axes of the results, which are the caller's own
   */
  async #inTurn(
    op: 'run' | 'runMany',
    args: readonly AnyTensor[],
    leading: Shape,
    replay: (args: readonly AnyTensor[], collects: readonly Transfer[]) => Promise<unknown>,
  ): Promise<R> {
    const lock = new Lock(op, this.#uses)
    const copies = new Scope()
    let results: readonly AnyTensor[] = []
    this.#runs++
    try {
      let given = args
      if (!lock.isHeld) {
        given = within(copies, () => args.map((x) => copyOf(this.#backend, x)))
        await lock.turn()
        this.#refuseDisposed()
      }
      results = this.#newResults(leading)
      const collects = results.map((x, i) =>
        transfer('collect', x.storage, this.#outputs[i].storage),
      )
      await replay(given, collects)
      this.#refuseDisposed()
      return replaceTensors(this.#results, results) as R
    } catch (error) {
      for (const x of results) x.dispose()
      this.#refuseDisposed()
      throw error
    } finally {
      copies.end()
      this.#runs--
      lock.release()
    }
  }

  #newResults(leading: Shape): AnyTensor[] {
    return within(null, () =>
      this.#outputs.map(({ storage: { dtype }, shape }) => {
        const ofAll = [...leading, ...shape]
        return new Tensor(new Storage(this.#backend, dtype, sizeOf(ofAll)), ofAll)
      }),
    )
  }

  #refuseDisposed(): void {
    if (this.#disposed) throw new CaptureError('capture: it was disposed of while it was running')
  }

  /** Takes back what was done before iterations that a run did not come to. */
  async #undoingRest(iterations: number, run: () => Promise<unknown>): Promise<void> {
    try {
      await run()
    } finally {
      this.#undoAfter(iterations)
    }
  }

  /** What was handed out is about to be overwritten. */
  #expire(): void {
    for (const storage of this.#given) storage.expire()
    this.#given = []
  }

  /** Brings arguments and fed buffers up to date for one iteration. */
  #load(args: readonly AnyTensor[]): void {
    for (const [i, { storage }] of this.#inputs.entries()) {
      const { length } = storage
      this.#backend.run('copy2d', args[i].handle, storage.handle, 1, length, 0, length, 0, length)
    }
    this.#beforeOneIteration((feed) => this.#backend.write(feed.handle, feed.next()))
    // Not before: a result of the last call may be an argument of this one.
    this.#expire()
  }

  /** The same for many iterations: a table for each fed buffer, a row per iteration. */
  #feedTables(iterations: number): Transfer[] {
    const feeds = this.#beforeIteration.filter((item) => 'next' in item)
    const rows = new Map(
      feeds.map((feed) => [feed, new dtypes[feed.dtype].array(iterations * feed.width)]),
    )
    let prepared = 0
    try {
      for (; prepared < iterations; prepared++) {
        const at = prepared
        this.#beforeOneIteration((feed) => rows.get(feed)!.set(feed.next(), at * feed.width))
      }
      return feeds.map((feed) => {
        const table = new Storage(this.#backend, feed.dtype, iterations * feed.width)
        this.#backend.write(table.handle, rows.get(feed)!)
        return { direction: 'feed', table: table.handle, cell: feed.handle, width: feed.width }
      })
    } catch (error) {
      this.#undo(prepared)
      throw error
    }
  }

  /** What JavaScript does before an iteration: all of it, or nothing where it throws. */
  #beforeOneIteration(put: (feed: Feed) => void): void {
    const done: Action[] = []
    // One that waited for its turn goes on as it was begun, whatever has been switched since.
    const { fits } = this
    try {
      for (const item of this.#beforeIteration) {
        if ('next' in item) put(item)
        else {
          item.act()
          done.push(item)
        }
      }
      if (fits && !this.fits) {
        throw new CaptureError(
          'capture: what the step was recorded with, such as training, requiresGrad or a setting of an optimizer, was switched while a step was prepared, in a schedule for example; switch it between calls',
        )
      }
    } catch (error) {
      for (const item of done) item.undo()
      throw error
    }
  }

  /** Takes back what was done before iterations that the run did not come to. */
  #undoAfter(iterations: number): void {
    this.#undo(iterations - this.#program.progress())
  }

  #undo(iterations: number): void {
    for (let iteration = 0; iteration < iterations; iteration++) {
      for (const item of this.#beforeIteration) if ('undo' in item) item.undo()
    }
  }

  #handOut(): R {
    const tensors = this.#outputs.map(
      ({ storage: { dtype, length, handle }, shape }) =>
        new Tensor(new Storage(this.#backend, dtype, length, { handle, lender: this }), shape),
    )
    this.#given = tensors.map((x) => x.storage)
    return replaceTensors(this.#results, tensors) as R
  }
}

function transfer(direction: Transfer['direction'], table: Storage, cell: Storage): Transfer {
  return { direction, table: table.handle, cell: cell.handle, width: cell.length }
}

/** A copy without a graph. */
function copyOf(backend: Backend, { handle, dtype, size, shape }: AnyTensor): AnyTensor {
  const copy = new Tensor(new Storage(backend, dtype, size), shape)
  backend.run('copy2d', handle, copy.handle, 1, size, 0, size, 0, size)
  return copy
}
