/**
 * `capture(fn)`: a function of tensors that is run once while its kernel calls are written down, and
 * from then on replayed without JavaScript between them. One program per combination of shapes.
 */
import type { Backend } from '../backend/backend.js'
import { currentBackend } from '../backend/current.js'
import { isRecording, underneath } from '../backend/record.js'
import { checkFunction } from '../base/arguments.js'
import { ArgumentError, CaptureError, ShapeError } from '../base/errors.js'
import { atOnce, inParts, nextIteration, type Pausable, unpaused } from '../base/eventLoop.js'
import { requireTensor } from '../ops/require.js'
import { gradEnabled } from '../tensor/graph.js'
import { format, type Shape } from '../tensor/shape.js'
import type { AnyTensor } from '../tensor/tensor.js'
import type { Names } from './digest.js'
import { Recorded } from './recorded.js'
import type { Results } from './results.js'
import type { Work } from './trace.js'
import { type Replays, runInTurns } from './turns.js'

export type { Results } from './results.js'

/** A captured function. Calling it replays its program and waits; the methods do so otherwise. */
export interface Captured<A extends readonly AnyTensor[], R extends Results> {
  /**
   * Replays now, on this thread's time.
   * @throws BusyError while somebody awaits what uses the same memory: a run of it, or of another captured
   *   function that writes what it uses, such as weights
   */
  (...args: A): R
  /**
   * Replays beside JavaScript. Runs that only read the same weights go on at once; one that writes them
   * waits for its turn, and so do those after it. Arguments are copied when it is called, and the results are
   * the caller's own.
   * What is short runs at once on this thread where nothing else runs, up to some 0.1 ms in each turn of
   * the event loop: work is estimated from the shapes, never timed.
   * @throws BusyError while `fit` trains what it uses
   */
  run(...args: A): Promise<R>
  /**
   * Replays once per row: each argument has a leading axis of iterations, and so have the results. All
   * iterations are one dispatch to the compute threads. Else it is as `run`, but where it need not wait, its
   * arguments must stay as they are until it is done.
   */
  runMany(...args: A): Promise<R>
  /**
   * Makes the program that `runMany` would, where there is none, in parts between which the event loop goes
   * on.
   * @internal
   */
  record(...args: A): Promise<void>
  /**
   * The same as `runInTurns` takes it.
   * @internal
   */
  replays(...args: A): Replays<R>
  /** The program for arguments of these shapes: arena, buffers, steps. */
  describe(...args: A): string
  /**
   * A digest of what is computed for arguments of these shapes, the same in every process. Buffers from
   * outside count by their names, else by the order they are used in, but not by their values.
   * @internal
   */
  digest(names: Names, ...args: A): string
  /** Frees all programs. */
  dispose(): void
  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void
}

/**
 * Makes a captured function of fn.
 *
 * In fn, nothing can be read (`item()`, `data()`): return it instead. What may change from call to
 * call must be an argument, a tensor from outside (weights), a random generator, an optimizer's
 * setting, a module's `training`, a weight's `requiresGrad`, the `p` of a `Dropout`, or the layers and
 * weights of `Sequential` and `Linear`; everything else, such as a JavaScript number or a weight that
 * replaces another in a module of your own, stays what it was at first. Where `training` and the like
 * have changed, fn is run and written down again, and the last few programs are kept.
 * Results of a call are overwritten by the next call or run, those of a run stay. Gradients are not kept from call to call: those that fn
 * leaves on weights must be looked at in it, or forgotten in it by `zeroGrad()`. Kernels are fused, so that sums
 * may be rounded in another order than op by op.
 *
 * @throws CaptureError when fn does something that cannot be replayed, ArgumentError when it is
 * asynchronous, or called with too few tensors
 * @example
 * const step = capture((x, labels) => {
 *   const loss = softmaxCrossEntropy(model.forward(x), labels)
 *   optimizer.zeroGrad()
 *   loss.backward()
 *   optimizer.step()
 *   return loss
 * })
 */
export function capture<A extends readonly AnyTensor[], R extends Results>(
  fn: (...args: A) => R,
): Captured<A, R> {
  checkFunction('capture', 'a function of tensors', fn)
  return captureInParts((...args: A) => unpaused(() => fn(...args)), fn.length)
}

/**
 * The same for a function that may be paused, where it yields, while `record` has it run.
 * @param length of its arguments
 */
export function captureInParts<A extends readonly AnyTensor[], R extends Results>(
  fn: (...args: A) => Pausable<R>,
  length: number,
): Captured<A, R> {
  const caches = new Map<Backend, Map<string, Recorded<R>[]>>()
  /** The programs for arguments of these shapes, and how another one is made. */
  const variantsFor = (shapes: readonly Shape[], args: readonly AnyTensor[]) => {
    if (isRecording()) throw new CaptureError('capture: a captured function cannot call another')
    const backend = underneath(currentBackend())
    if (args.length < length) {
      throw new ArgumentError(`capture: expected ${length} tensors, got ${args.length}`)
    }
    for (const x of args) {
      if (x.storage.backend !== backend) {
        throw new ArgumentError('capture: expected arguments on the current backend')
      }
    }
    let cache = caches.get(backend)
    if (cache === undefined) caches.set(backend, (cache = new Map()))
    const key =
      (gradEnabled() ? '' : 'noGrad ') +
      args.map((x, i) => (x.requiresGrad ? '∇' : '') + x.dtype + format(shapes[i])).join()
    let variants = cache.get(key)
    if (variants === undefined) cache.set(key, (variants = []))
    const make = () => {
      const inputs = args.map(({ dtype, requiresGrad }, i) => ({
        dtype,
        requiresGrad,
        shape: shapes[i],
      }))
      return Recorded.make(backend, fn as unknown as Work<R>, inputs)
    }
    return { variants, make }
  }
  const recordedFor = (shapes: readonly Shape[], args: readonly AnyTensor[]): Recorded<R> => {
    const { variants, make } = variantsFor(shapes, args)
    if (variants[0]?.fits) return variants[0]
    return latest(variants, () => atOnce(make()))
  }
  const shapesOf = (args: readonly AnyTensor[]) => {
    for (const x of args) requireTensor('capture', x)
    return args.map((x) => x.shape)
  }
  const captured = (...args: A) => recordedFor(shapesOf(args), args).call(args)
  const rowsOf = (args: readonly AnyTensor[]) => {
    const shapes = shapesOf(args)
    const iterations = shapes[0]?.[0]
    if (iterations === undefined || shapes.some(([rows]) => rows !== iterations)) {
      throw new ShapeError(
        'capture: expected arguments with the same number of rows, one per iteration',
      )
    }
    return { iterations, shapes: shapes.map((shape) => shape.slice(1)) }
  }
  const replays = (...args: A): Replays<R> => {
    const { iterations, shapes } = rowsOf(args)
    return { recorded: recordedFor(shapes, args), args, iterations }
  }
  const recordNow = async (...args: A) => {
    const { variants, make } = variantsFor(rowsOf(args).shapes, args)
    if (variants.some(({ fits }) => fits)) return
    // What the caller did before is as much as one turn should take.
    await nextIteration()
    const made = await inParts(make())
    // Meanwhile another call may have recorded the same.
    if (latest(variants, () => made) !== made) made.dispose()
  }
  // One at a time: what one writes down as a change of weights would look like one to another that is
  // paused before its backward().
  let last: Promise<unknown> = Promise.resolve()
  const record = (...args: A): Promise<void> => {
    const recorded = last.then(() => recordNow(...args))
    last = recorded.catch(() => {})
    return recorded
  }
  const dispose = () => {
    for (const cache of caches.values()) {
      for (const recorded of [...cache.values()].flat()) recorded.dispose()
    }
    caches.clear()
  }
  return Object.assign(captured, {
    run: async (...args: A) => recordedFor(shapesOf(args), args).run(args),
    runMany: async (...args: A) => (await runInTurns([replays(...args)]))[0],
    replays,
    record,
    describe: (...args: A) => recordedFor(shapesOf(args), args).describe(),
    digest: (names: Names, ...args: A) => recordedFor(shapesOf(args), args).digest(names),
    dispose,
    [Symbol.dispose]: dispose,
  })
}

/** Programs for the same shapes that are kept: to train and to evaluate, with two sets of weights frozen. */
const VARIANTS = 4

/** The program that fits what is set now, put first; recorded where there is none. */
function latest<R extends Results>(variants: Recorded<R>[], make: () => Recorded<R>): Recorded<R> {
  const at = variants.findIndex(({ fits }) => fits)
  const found = at < 0 ? make() : variants.splice(at, 1)[0]
  variants.unshift(found)
  for (const old of variants.slice(VARIANTS)) {
    // One that is in use is freed when it is found here again.
    if (old.isInUse) continue
    variants.splice(variants.indexOf(old), 1)
    old.dispose()
  }
  return found
}
