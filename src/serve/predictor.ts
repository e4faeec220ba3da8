/** A model that is asked: what its rows go through, its weights, and what is made of its scores. */
import { ShapeError } from '../base/errors.js'
import { atOnce, type Pausable } from '../base/eventLoop.js'
import type { Module } from '../nn/module.js'
import { format } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { classesOf } from '../training/classify.js'
import { type Answers, answersOf } from './answers.js'
import { Batcher, type Job } from './batcher.js'
import type { Served } from './modelInterface.js'
import { Replica, type Results } from './replica.js'

export class Predictor {
  readonly answers: Answers
  readonly #batcher: Batcher
  readonly #batchSize: number

  /**
   * @param served is freed with the predictor, or where none can be made, if it was read for it
   * @param onBatch hears of the rows of each batch
   * @throws as `Replica.make`
   */
  static *make(
    op: string,
    served: Served,
    batchSize: number,
    onBatch: (rows: number) => void,
  ): Pausable<Predictor> {
    const { model, shape } = served
    try {
      const replica = yield* Replica.make(op, model, shape, resultsOf(served), batchSize)
      return new Predictor(served, replica, batchSize, onBatch)
    } catch (error) {
      release(served)
      throw error
    }
  }

  private constructor(
    readonly served: Served,
    replica: Replica,
    batchSize: number,
    onBatch: (rows: number) => void,
  ) {
    this.answers = answersOf(served, replica.width)
    this.#batcher = new Batcher(replica, served.width, onBatch)
    this.#batchSize = batchSize
  }

  /** Rows that wait for their batch. */
  get waiting(): number {
    return this.#batcher.waiting
  }

  ask(job: Job): void {
    this.#batcher.push(job)
  }

  /**
   * Answers by the weights of this model from the next batch on.
   * @throws ShapeError for weights of other shapes; as `Replica.make`
   */
  publish(source: Module): void {
    const { model, shape } = this.served
    requireSame(model, source)
    const make = () =>
      Replica.make('publish', model, shape, resultsOf(this.served), this.#batchSize, source)
    this.#batcher.publish(
      (idle) => idle.update(source),
      () => atOnce(make()),
    )
  }

  /** Frees the weights once everything that waits is answered. */
  async end(): Promise<void> {
    await this.#batcher.end()
    release(this.served)
  }
}

/** Frees a model that was read for the server; one that was given is somebody else's. */
export function release({ model, isOwn }: Served): void {
  if (isOwn) model.dispose()
}

function requireSame(model: Module, source: Module): void {
  const shapesOf = (of: Module) =>
    Array.from(of.namedState().values(), (x) => format(x.shape)).join(' ')
  const [own, others] = [shapesOf(model), shapesOf(source)]
  if (own === others) return
  throw new ShapeError(`publish: expected weights of shapes ${own}, got ${others}`)
}

function resultsOf({ interface: { answers, scores } }: Served): (outputs: Tensor) => Results {
  if (answers !== 'classes') return (outputs) => ({ scores: outputs })
  return (outputs) => classesOf(outputs, scores === 'probabilities')
}
