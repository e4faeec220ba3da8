/**
 * Seeded random numbers: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
 * 1, 2, 3"). The i-th number depends on seed and position alone, so any part of a stream can be
 * computed by itself. The position is a buffer that the kernels advance, so that a recorded step
 * draws new numbers each time it is replayed.
 */
import type { Backend } from '../backend/backend.js'
import { currentBackend } from '../backend/current.js'
import { isFloat } from '../backend/dtype.js'
import type { Handle } from '../backend/kernels.js'
import { isRecording, underneath, unrecorded } from '../backend/record.js'
import { checkFlag, checkNumber } from '../base/arguments.js'
import { isBranded } from '../base/brand.js'
import { ArgumentError, CaptureError, excerpt, ShapeError } from '../base/errors.js'
import { allocate } from './allocate.js'
import { defaultFloat } from './defaultFloat.js'
import { checkShape, type Shape, sizeOf } from './shape.js'
import { Storage, within } from './storage.js'
import { type AnyTensor, isTensor, Tensor } from './tensor.js'

const BRAND = Symbol.for('neuroblas.Generator')

/**
 * A stream of random numbers, the same for the same seed (Philox 4x32-10, Salmon et al. 2011).
 * Integers
 * agree on every backend, floats to rounding.
 */
export class Generator {
  /** Key (seed) and position: the kernels' state (see backend/kernels.ts). */
  readonly #words = new Int32Array(4)
  #state: Storage | undefined

  /**
   * What `isGenerator` asks for.
   * @internal
   */
  get [BRAND](): boolean {
    return #words in this
  }

  /**
   * A stream at its beginning.
   * @param seed an integer from 0 to 2^53 - 1
   * @param stream one of 2,048 independent streams of the seed, from 0
   * @throws ArgumentError when one is out of range, CaptureError inside a captured function
   */
  constructor(seed: number, stream = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new ArgumentError(`Generator: expected a seed from 0 to 2^53 - 1, got ${excerpt(seed)}`)
    }
    if (isRecording()) {
      throw new CaptureError(
        'capture: a generator made inside would go on from call to call; make it outside',
      )
    }
    if (!Number.isInteger(stream) || stream < 0 || stream >= 2048) {
      throw new ArgumentError(`Generator: expected a stream from 0 to 2047, got ${excerpt(stream)}`)
    }
    this.#words[0] = seed % 2 ** 32
    // The seed's upper 21 bits, and the stream above them.
    this.#words[1] = Math.floor(seed / 2 ** 32) + stream * 2 ** 21
  }

  /**
   * Floats of any shape, uniform from low to below high.
   * @throws ShapeError for what is no shape, ArgumentError for bounds that are not finite or out of
   *   order
   */
  uniform(shape: Shape, low = 0, high = 1): Tensor {
    checkShape('uniform', shape)
    checkNumber('uniform', 'low', low, Number.isFinite, 'finite')
    const isAbove = () => Number.isFinite(high - low) && high >= low
    checkNumber('uniform', 'high', high, isAbove, '>= low')
    return this.#draw('uniform', shape, (backend, y, state, n) =>
      backend.run('uniform', y, state, n, low, high),
    )
  }

  /**
   * Floats of any shape, normally distributed.
   * @throws ShapeError for what is no shape, ArgumentError for a mean that is not finite or std
   *   below 0
   */
  normal(shape: Shape, mean = 0, std = 1): Tensor {
    checkShape('normal', shape)
    checkNumber('normal', 'mean', mean, Number.isFinite, 'finite')
    checkNumber('normal', 'std', std, (std) => std >= 0 && std < Infinity, '>= 0')
    return this.#draw('normal', shape, (backend, y, state, n) =>
      backend.run('normal', y, state, n, mean, std),
    )
  }

  /**
   * 1 with probability p, else 0. With a tensor of probabilities, an element for each of them, in
   * its shape: NaN stays NaN, below 0 counts as 0 and above 1 as 1.
   * @throws ArgumentError when p is not from 0 to 1, or the tensor is not of floats
   */
  bernoulli(shape: Shape, p: number): Tensor
  bernoulli(probabilities: Tensor): Tensor
  bernoulli(shape: Shape | Tensor, p = Number.NaN): Tensor {
    if (isTensor(shape)) return this.#drawEach(shape)
    checkNumber('bernoulli', 'p', p, (p) => p >= 0 && p <= 1, 'from 0 to 1')
    return this.#draw('bernoulli', shape, (backend, y, state, n) =>
      backend.run('bernoulli', y, state, n, p),
    )
  }

  /**
   * Whole numbers of any shape from low to below high, all as likely.
   * @param high at most 2^31, above low, which is at least -2^31
   * @throws ShapeError for what is no shape, ArgumentError for such bounds
   */
  randint(shape: Shape, low: number, high: number): Tensor<'int32'> {
    const checked = checkShape('randint', shape)
    const isInteger = (value: number) => Number.isInteger(value) && Math.abs(value) <= 2 ** 31
    checkNumber('randint', 'low', low, isInteger, 'an integer from -2^31 on')
    checkNumber('randint', 'high', high, (high) => isInteger(high) && high > low, '> low, <= 2^31')
    const backend = currentBackend()
    const y = new Tensor<'int32'>(new Storage(backend, 'int32', sizeOf(checked)), checked)
    backend.run('randint', y.handle, this.#stateOn(backend), y.size, low, high)
    return y
  }

  /**
   * Categories drawn with the probabilities of weights [..., categories], which need not add up to 1.
   * @param count how many to draw of each row
   * @param replacement whether one may be drawn several times
   * @returns int32 [..., count]
   * @throws KernelError for weights that are below 0 or not finite, and where too few are above 0;
   *   ShapeError for weights without categories, ArgumentError
   */
  multinomial(weights: Tensor, count: number, replacement = false): Tensor<'int32'> {
    checkWeights(weights)
    checkFlag('multinomial', 'replacement', replacement)
    checkNumber('multinomial', 'count', count, (n) => Number.isInteger(n) && n >= 0, '>= 0')
    const { backend } = weights.storage
    const cols = weights.shape.at(-1)!
    const shape = checkShape('multinomial', [...weights.shape.slice(0, -1), count])
    const rows = sizeOf(shape.slice(0, -1))
    const y = allocate(weights, shape, 'int32')
    // First: it may make a buffer (see Backend.own).
    const state = this.#stateOn(backend)
    const scratch = allocate(weights, weights.shape, 'float64')
    const buffers = [weights.handle, y.handle, state, scratch.handle] as const
    backend.run('multinomial', ...buffers, rows, cols, count, +replacement)
    scratch.dispose()
    return y
  }

  /** The integers 0 .. n - 1 in random order, [n]. */
  permutation(n: number): Tensor<'int32'> {
    const shape = checkShape('permutation', [n])
    const backend = currentBackend()
    const y = new Tensor<'int32'>(new Storage(backend, 'int32', n), shape)
    backend.run('permutation', y.handle, this.#stateOn(backend), n)
    return y
  }

  /** Another generator, whose seed this one draws. */
  fork(): Generator {
    const drawn = this.uniform([2])
    const [high, low] = drawn.data()
    drawn.dispose()
    return new Generator(high * 2 ** 48 + low * 2 ** 24, streams.forks)
  }

  /** Where the stream is: pass it to `restore` to draw the same numbers again. */
  save(): number[] {
    this.#state?.backend.read(this.#state.handle, this.#words)
    return [...this.#words]
  }

  /**
   * Goes on from where `save` was called.
   * @throws ArgumentError for what `save` did not return
   */
  restore(state: readonly number[]): void {
    if (
      !Array.isArray(state) ||
      state.length !== 4 ||
      !state.every((word) => word === (word | 0))
    ) {
      throw new ArgumentError(
        `Generator: expected the 4 integers that save() returned, got ${excerpt(state)}`,
      )
    }
    this.#words.set(state)
    this.#state?.backend.write(this.#state.handle, this.#words)
  }

  /** Frees its buffer; the stream goes on from here when it is used again. */
  dispose(): void {
    this.save()
    this.#state?.release()
    this.#state = undefined
  }

  /** What `using` calls: `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  #draw(
    op: string,
    shape: Shape,
    run: (backend: Backend, y: Handle, state: Handle, n: number) => void,
  ): Tensor {
    const checked = checkShape(op, shape)
    const backend = currentBackend()
    const y = new Tensor(new Storage(backend, defaultFloat(), sizeOf(checked)), checked)
    run(backend, y.handle, this.#stateOn(backend), y.size)
    return y
  }

  #drawEach(probabilities: Tensor): Tensor {
    if (!isFloat(probabilities.dtype)) {
      throw new ArgumentError(`bernoulli: expected a float tensor, got ${probabilities.dtype}`)
    }
    const { backend } = probabilities.storage
    const y = allocate(probabilities, probabilities.shape)
    // First: it may make a buffer (see Backend.own).
    const state = this.#stateOn(backend)
    backend.run('bernoulliEach', probabilities.handle, y.handle, state, y.size)
    return y
  }

  #stateOn(backend: Backend): Handle {
    const state = this.#state
    if (state?.backend === backend) return state.handle
    // The state outlives the scope, or the recording, that happens to be open.
    return unrecorded(() => {
      const real = underneath(backend)
      this.save()
      state?.release()
      this.#state = within(null, () => new Storage(real, 'int32', 4))
      real.write(this.#state.handle, this.#words)
      return this.#state.handle
    })
  }
}

function checkWeights(weights: Tensor): void {
  if (!isTensor(weights) || !isFloat(weights.dtype)) {
    throw new ArgumentError(
      `multinomial: expected a float tensor of weights, got ${isTensor(weights) ? (weights as AnyTensor).dtype : excerpt(weights)}`,
    )
  }
  if (weights.shape.length === 0) {
    throw new ShapeError('multinomial: expected weights [..., categories], got a scalar')
  }
}

/** Whether it is a generator, also one of another copy of the library. */
export function isGenerator(value: unknown): value is Generator {
  return isBranded(value, BRAND)
}

/** @throws ArgumentError for what is no generator */
export function checkGenerator(op: string, value: unknown): void {
  if (isGenerator(value)) return
  throw new ArgumentError(`${op}: expected a generator, as new Generator(1), got ${excerpt(value)}`)
}

const shared = new Generator(0)

/** The generator that `randn`, `rand` and the initializers draw from; its seed is 0 at the start. */
export function defaultGenerator(): Generator {
  return shared
}

/** A seed for what was given none, drawn by the default generator. */
export function drawSeed(): number {
  const drawn = shared.uniform([2])
  const [high, low] = Array.from(drawn.data(), (share) => Math.floor(share * 2 ** 24))
  drawn.dispose()
  return high * 2 ** 24 + low
}

/**
 * Starts the default generator again, from which `randn`, `rand`, initial weights, dropout and the
 * seeds of trainings that are given none are drawn.
 * @param seed an integer from 0 to 2^53 - 1; 0 at the start of the program
 * @throws ArgumentError when it is out of range
 */
export function setSeed(seed: number): void {
  // The generator itself: captured functions go on drawing from it.
  shared.restore(new Generator(seed).save())
}

/** Streams of one seed, so that what is drawn for one purpose says nothing about another. */
export const streams = {
  weights: 0,
  batches: 1,
  split: 2,
  forks: 3,
  augment: 4,
  pretraining: 5,
}

/** The integers 0 .. n - 1 in an order that the seed fixes. */
export function permutation(n: number, seed: number, stream: number): Int32Array {
  const order = new Generator(seed, stream).permutation(n)
  const values = order.data()
  order.dispose()
  return values
}
