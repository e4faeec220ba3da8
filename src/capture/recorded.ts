/** One trace of a captured function: its program, the buffers around it, and how it is run. */
import type { Backend } from '../backend/backend.js'
import type { Handle } from '../backend/kernels.js'
import type { Part, Plan, Program, Transfer } from '../backend/program.js'
import { changeCount, type Reads } from '../backend/reads.js'
import type { Action, Feed } from '../backend/record.js'
import { workOf } from '../backend/work.js'
import { CaptureError } from '../base/errors.js'
import type { Pausable } from '../base/eventLoop.js'
import { refuseLocked, type Uses } from '../tensor/locks.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { Scope, Storage, within } from '../tensor/storage.js'
import { type AnyTensor, Tensor } from '../tensor/tensor.js'
import { digestOf, type Names, type Recording } from './digest.js'
import { FeedTables } from './feedTables.js'
import { fuse } from './fuse.js'
import type { Argument } from './gradients.js'
import { inTurn } from './inTurn.js'
import { formatPlan, plan } from './plan.js'
import { type Results, replaceTensors } from './results.js'
import { type Cell, freeTrace, type Trace, traceOf, type Work } from './trace.js'
import { usesOf } from './uses.js'

/** Replays that are about to run. */
export interface Prepared<R extends Results> {
  /** A row for each of them. */
  readonly results: R
  /** Does what JavaScript does before so many of them, the next ones. */
  makeReady(count: number): void
  /** What is to be run, once all of them are ready. */
  part(): Part
  /** When the run is over, or was not begun: takes back what was done for those that were not replayed. */
  end(): void
  /** Frees the results. */
  discard(): void
}

/** One trace of fn: its program, and the buffers that its arguments and results live in. */
export class Recorded<R extends Results> {
  readonly backend: Backend
  readonly #program: Program
  readonly #plan: Plan
  readonly #recording: Recording
  readonly #beforeIteration: readonly (Action | Feed)[]
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
  readonly uses: Uses
  /** Runs under way, and those that wait for their turn. */
  runs = 0
  #disposed = false

  /** Runs fn once and makes a program of what it does. */
  static *make<R extends Results>(
    backend: Backend,
    fn: Work<R>,
    inputs: readonly Argument[],
  ): Pausable<Recorded<R>> {
    const trace = yield* traceOf(backend, fn, inputs)
    try {
      yield
      const tape = fuse(trace.recording.tape)
      yield
      const planned = plan(backend.rewrite(tape))
      yield
      return new Recorded<R>(backend, trace, planned)
    } catch (error) {
      freeTrace(trace)
      throw error
    }
  }

  private constructor(backend: Backend, trace: Trace, planned: Plan) {
    const { recording, inputs, outputs, results, recordedAt } = trace
    const { tape, constants, inner, reads } = recording
    this.backend = backend
    this.#recording = { tape, constants, inner }
    this.#reads = reads
    this.#inputs = inputs
    this.#outputs = outputs
    this.#results = results
    this.#comparedAt = recordedAt
    this.#plan = planned
    this.#program = backend.compile(planned, this)
    this.uses = usesOf(this, planned, recording)
    // What no step reads, such as the settings for biases where there are none, need not be fed.
    const used = new Set(planned.places.map(({ shared }) => shared))
    this.#beforeIteration = recording.beforeIteration.filter(
      (item) => 'act' in item || used.has(item.handle),
    )
    this.#constants = constants
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
    return this.runs > 0
  }

  /** Floating-point operations of a replay, estimated from the shapes. */
  get work(): number {
    return workOf(this.#plan)
  }

  call(args: readonly AnyTensor[]): R {
    return this.#replayNow(args, () => this.#program.runSync(1, []))
  }

  /** The same on this thread alone, beside whatever else computes: for what is short. */
  callAlone(args: readonly AnyTensor[]): R {
    return this.#replayNow(args, () => this.#program.runAlone())
  }

  run(args: readonly AnyTensor[]): Promise<R> {
    return inTurn('run', [this], [args], async ([given]) => {
      const tensors = this.#newResults([])
      try {
        this.#load(given)
        try {
          await this.#program.runOnce(this.#collectInto(tensors))
        } finally {
          this.#undo(1 - this.#program.progress())
        }
        this.refuseDisposed()
        return replaceTensors(this.#results, tensors) as R
      } catch (error) {
        for (const x of tensors) x.dispose()
        throw error
      }
    })
  }

  /** Replays with these arguments, a row of them each. */
  prepare(args: readonly AnyTensor[], iterations: number): Prepared<R> {
    this.#expire()
    const temporary = new Scope()
    const feeds = new FeedTables(this.#beforeIteration, iterations)
    const tensors = this.#newResults([iterations])
    let ready = 0
    let done = () => 0
    return {
      results: replaceTensors(this.#results, tensors) as R,
      makeReady: (count) => {
        for (const end = ready + count; ready < end; ready++) {
          this.#beforeOneIteration((feed) => feeds.put(feed, ready))
        }
      },
      part: () => {
        done = () => this.#program.progress()
        return {
          program: this.#program,
          transfers: [
            ...args.map((x, i) => transfer('feed', x.storage, this.#inputs[i].storage)),
            ...within(temporary, () => feeds.transfers(this.backend)),
            ...this.#collectInto(tensors),
          ],
        }
      },
      end: () => {
        temporary.end()
        this.#undo(ready - done())
      },
      discard: () => {
        for (const x of tensors) x.dispose()
      },
    }
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
    for (const handle of this.#constants) this.backend.release(handle)
    for (const { storage } of this.#cells) storage.release()
  }

  get #cells(): readonly Cell[] {
    return [...this.#inputs, ...this.#outputs]
  }

  #replayNow(args: readonly AnyTensor[], replay: () => void): R {
    refuseLocked('capture', this.uses, ', or call run(), which waits for its turn')
    this.#load(args)
    try {
      replay()
    } finally {
      this.#undo(1 - this.#program.progress())
    }
    return this.#handOut()
  }

  /** Tensors for results, which are the caller's own; `leading` axes come first. */
  #newResults(leading: Shape): AnyTensor[] {
    return within(null, () =>
      this.#outputs.map(({ storage: { dtype }, shape }) => {
        const ofAll = [...leading, ...shape]
        return new Tensor(new Storage(this.backend, dtype, sizeOf(ofAll)), ofAll)
      }),
    )
  }

  #collectInto(tensors: readonly AnyTensor[]): Transfer[] {
    return tensors.map((x, i) => transfer('collect', x.storage, this.#outputs[i].storage))
  }

  refuseDisposed(): void {
    if (this.#disposed) throw new CaptureError('capture: it was disposed of while it was running')
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
      this.backend.run('copy2d', args[i].handle, storage.handle, 1, length, 0, length, 0, length)
    }
    this.#beforeOneIteration((feed) => this.backend.write(feed.handle, feed.next()))
    // Not before: a result of the last call may be an argument of this one.
    this.#expire()
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

  /** Takes back what was done before iterations that a run did not come to. */
  #undo(iterations: number): void {
    for (let iteration = 0; iteration < iterations; iteration++) {
      for (const item of this.#beforeIteration) if ('undo' in item) item.undo()
    }
  }

  #handOut(): R {
    const tensors = this.#outputs.map(
      ({ storage: { dtype, length, handle }, shape }) =>
        new Tensor(new Storage(this.backend, dtype, length, { handle, lender: this }), shape),
    )
    this.#given = tensors.map((x) => x.storage)
    return replaceTensors(this.#results, tensors) as R
  }
}

function transfer(direction: Transfer['direction'], table: Storage, cell: Storage): Transfer {
  return { direction, table: table.handle, cell: cell.handle, width: cell.length }
}
