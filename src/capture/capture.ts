/**
 * `capture(fn)`: a function of tensors that is run once while its kernel calls are written down, and
 * from then on replayed without JavaScript between them. One program per combination of shapes.
 */
import type { Backend, DType, Program, Transfer } from '../backend/backend.js'
import { currentBackend } from '../backend/current.js'
import type { Handle } from '../backend/kernels.js'
import { isRecording, RecordingBackend, recordWith, underneath } from '../backend/record.js'
import { ArgumentError, CaptureError, ShapeError } from '../errors.js'
import { requireTensor } from '../ops/define.js'
import { refusePromise, Scope, Storage, within } from '../scope.js'
import { format, type Shape, sizeOf } from '../shape.js'
import { type AnyTensor, Tensor } from '../tensor.js'
import { fuse } from './fuse.js'
import { formatPlan, type Plan, plan } from './plan.js'
import { type Results, replaceTensors, tensorsIn } from './results.js'

export type { Results } from './results.js'

/** A captured function. Calling it replays its program and waits; the methods do so otherwise. */
export interface Captured<A extends readonly AnyTensor[], R extends Results> {
  (...args: A): R
  /** Replays beside JavaScript; until it is done, the tensors it uses cannot be used otherwise. */
  run(...args: A): Promise<R>
  /**
   * Replays once per row: each argument has a leading axis of passes, and so have the results. All
   * passes are one hop to the compute threads.
   */
  runMany(...args: A): Promise<R>
  /** The program for arguments of these shapes: arena, buffers, steps. */
  describe(...args: A): string
  /** Frees all programs. */
  dispose(): void
}

/**
 * Makes a captured function of fn.
 *
 * In fn, nothing can be read (`item()`, `data()`): return it instead. What may change from call to
 * call must be an argument, a tensor from outside (weights), a random generator or an optimizer's
 * setting; everything else, such as a JavaScript number, keeps the value that it had at first.
 * Results are overwritten by the next call. Gradients left on leaves are dropped.
 *
 * @throws CaptureError when fn does something that cannot be replayed, ArgumentError when it is
 * asynchronous
 * @example
 * const step = capture((x, labels) => {
 *   const loss = softmaxCrossEntropy(model.forward(x), labels)
 *   loss.backward()
 *   optimizer.step()
 *   optimizer.zeroGrad()
 *   return loss
 * })
 */
export function capture<A extends readonly AnyTensor[], R extends Results>(
  fn: (...args: A) => R,
): Captured<A, R> {
  const caches = new Map<Backend, Map<string, Recorded<R>>>()
  const recordedFor = (shapes: readonly Shape[], args: readonly AnyTensor[]): Recorded<R> => {
    if (isRecording()) throw new CaptureError('capture: a captured function cannot call another')
    const backend = underneath(currentBackend())
    for (const x of args) {
      requireTensor('capture', x)
      if (x.storage.backend !== backend) {
        throw new ArgumentError('capture: expected arguments on the current backend')
      }
    }
    let cache = caches.get(backend)
    if (cache === undefined) caches.set(backend, (cache = new Map()))
    const key = args.map((x, i) => x.dtype + format(shapes[i])).join()
    let found = cache.get(key)
    if (found === undefined) {
      found = new Recorded(
        backend,
        fn as (...args: readonly AnyTensor[]) => R,
        shapes,
        args.map((x) => x.dtype),
      )
      cache.set(key, found)
    }
    return found
  }
  const shapesOf = (args: readonly AnyTensor[]) => args.map((x) => x.shape)
  const captured = (...args: A) => recordedFor(shapesOf(args), args).call(args)
  return Object.assign(captured, {
    run: async (...args: A) => recordedFor(shapesOf(args), args).run(args),
    runMany: async (...args: A) => {
      for (const x of args) requireTensor('capture', x)
      const passes = args[0]?.shape[0]
      if (passes === undefined || args.some((x) => x.shape[0] !== passes)) {
        throw new ShapeError(
          'capture: expected arguments with the same number of rows, one per pass',
        )
      }
      return recordedFor(
        args.map((x) => x.shape.slice(1)),
        args,
      ).runMany(args, passes)
    },
    describe: (...args: A) => recordedFor(shapesOf(args), args).describe(),
    dispose: () => {
      for (const cache of caches.values()) {
        for (const recorded of cache.values()) recorded.dispose()
      }
      caches.clear()
    },
  })
}

/** A buffer that stays for as long as its program. */
interface Cell {
  readonly storage: Storage
  readonly shape: Shape
}

/** One trace of fn: its program, and the buffers that its arguments and results live in. */
class Recorded<R extends Results> {
  readonly #backend: Backend
  readonly #program: Program
  readonly #plan: Plan
  readonly #beforePass: readonly RecordingBackend['beforePass'][number][]
  readonly #cells: Storage[] = []
  readonly #inputs: readonly Cell[]
  readonly #outputs: readonly Cell[]
  readonly #constants: readonly Handle[]
  /** What fn returned, around tensors that hold nothing. */
  readonly #results: Results
  /** Buffers handed out, which the next call overwrites. */
  #given: Storage[] = []
  #running = false
  #disposed = false

  constructor(
    backend: Backend,
    fn: (...args: readonly AnyTensor[]) => R,
    shapes: readonly Shape[],
    dtypes: readonly DType[],
  ) {
    this.#backend = backend
    const recording = new RecordingBackend(backend)
    this.#constants = recording.constants
    try {
      this.#inputs = shapes.map((shape, i) => this.#cell(dtypes[i], shape))
      const args = this.#inputs.map(({ storage, shape }) => new Tensor(storage, shape))
      const trace = new Scope()
      try {
        const results = within(trace, () => recordWith(recording, () => fn(...args)))
        this.#results = refusePromise('capture', results)
        const tensors = tensorsIn(this.#results)
        this.#outputs = tensors.map(({ dtype, shape }) => this.#cell(dtype, shape))
        for (const [i, x] of tensors.entries()) {
          x.handle // refuses a released tensor
          recording.copyOut(x.storage, this.#outputs[i].storage)
        }
      } finally {
        for (const leaf of recording.leaves) leaf.grad = null
        recordWith(recording, () => trace.end())
      }
      this.#plan = plan(fuse(recording.tape))
      this.#program = backend.compile(this.#plan)
      // What no step reads, such as the settings for biases where there are none, need not be fed.
      const used = new Set(this.#plan.places.map(({ shared }) => shared))
      this.#beforePass = recording.beforePass.filter(
        (item) => typeof item === 'function' || used.has(item.handle),
      )
    } catch (error) {
      this.#free()
      throw error
    }
  }

  call(args: readonly AnyTensor[]): R {
    this.#load(args)
    this.#program.runSync(1, [])
    return this.#handOut()
  }

  async run(args: readonly AnyTensor[]): Promise<R> {
    this.#load(args)
    await this.#whileRunning(this.#program.run(1, []))
    return this.#handOut()
  }

  async runMany(args: readonly AnyTensor[], passes: number): Promise<R> {
    this.#refuseOverlap()
    this.#expire()
    const temporary = new Scope()
    const tables = this.#outputs.map(({ storage, shape }) =>
      within(
        null,
        () =>
          new Tensor(new Storage(this.#backend, storage.dtype, passes * storage.length), [
            passes,
            ...shape,
          ]),
      ),
    )
    try {
      const transfers = [
        ...args.map((x, i) => transfer('feed', x.storage, this.#inputs[i].storage)),
        ...within(temporary, () => this.#feedTables(passes)),
        ...tables.map((x, i) => transfer('collect', x.storage, this.#outputs[i].storage)),
      ]
      await this.#whileRunning(this.#program.run(passes, transfers))
    } catch (error) {
      for (const table of tables) table.dispose()
      throw error
    } finally {
      temporary.end()
    }
    return replaceTensors(this.#results, tables) as R
  }

  describe(): string {
    return formatPlan(this.#plan)
  }

  dispose(): void {
    this.#disposed = true
    this.#program.dispose()
    this.#expire()
    this.#free()
  }

  #free(): void {
    for (const storage of this.#cells) storage.release()
    for (const handle of this.#constants) this.#backend.release(handle)
  }

  /** A buffer that outlives every scope. */
  #cell(dtype: DType, shape: Shape): Cell {
    const storage = within(null, () => new Storage(this.#backend, dtype, sizeOf(shape)))
    this.#cells.push(storage)
    return { storage, shape }
  }

  /** Before anything is changed. */
  #refuseOverlap(): void {
    if (this.#running) throw new CaptureError('capture: it is running already; await run() first')
  }

  async #whileRunning(run: Promise<number>): Promise<void> {
    this.#running = true
    try {
      await run
    } finally {
      this.#running = false
    }
    if (this.#disposed) throw new CaptureError('capture: it was disposed of while it was running')
  }

  /** What was handed out is about to be overwritten. */
  #expire(): void {
    for (const storage of this.#given) storage.expire()
    this.#given = []
  }

  /** Brings arguments and fed buffers up to date for one pass. */
  #load(args: readonly AnyTensor[]): void {
    this.#refuseOverlap()
    for (const [i, { storage }] of this.#inputs.entries()) {
      const { length } = storage
      this.#backend.run('copy2d', args[i].handle, storage.handle, 1, length, 0, length, 0, length)
    }
    for (const item of this.#beforePass) {
      if (typeof item === 'function') item()
      else this.#backend.write(item.handle, item.next())
    }
    // Not before: a result of the last call may be an argument of this one.
    this.#expire()
  }

  /** The same for many passes: a table for each fed buffer, a row per pass. */
  #feedTables(passes: number): Transfer[] {
    const feeds = this.#beforePass.filter((item) => typeof item !== 'function')
    const rows = new Map(feeds.map((feed) => [feed, new Float32Array(passes * feed.width)]))
    for (let pass = 0; pass < passes; pass++) {
      for (const item of this.#beforePass) {
        if (typeof item === 'function') item()
        else rows.get(item)!.set(item.next(), pass * item.width)
      }
    }
    return feeds.map((feed) => {
      const table = new Storage(this.#backend, 'float32', passes * feed.width)
      this.#backend.write(table.handle, rows.get(feed)!)
      return { direction: 'feed', table: table.handle, cell: feed.handle, width: feed.width }
    })
  }

  #handOut(): R {
    const tensors = this.#outputs.map(
      ({ storage: { dtype, length, handle }, shape }) =>
        new Tensor(new Storage(this.#backend, dtype, length, handle), shape),
    )
    this.#given = tensors.map((x) => x.storage)
    return replaceTensors(this.#results, tensors) as R
  }
}

function transfer(direction: Transfer['direction'], table: Storage, cell: Storage): Transfer {
  return { direction, table: table.handle, cell: cell.handle, width: cell.length }
}
