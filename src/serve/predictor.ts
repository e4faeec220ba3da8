/** A model that is asked: what its rows go through, its weights, and what is made of its scores. */
import { atOnce, type Pausable } from '../base/eventLoop.js'
import type { Module } from '../nn/module.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Answers, answersOf } from './answers.js'
import { Batcher, type Job } from './batcher.js'
import type { Served } from './modelInterface.js'
import { Replica, type Results } from './replica.js'

export class Predictor {
  readonly answers: Answers
  readonly #batcher: Batcher
  readonly #batchSize: number

  /**
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
    const replica = yield* Replica.make(op, model, shape, resultsOf(served), batchSize)
    return new Predictor(served, replica, batchSize, onBatch)
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
   * @throws ShapeError for a model of another architecture; as `Replica.make`
   */
  publish(model: Module): void {
    const { shape } = this.served
    this.#batcher.publish((active, idle) => {
      active.requireSame(model)
      if (idle === undefined) {
        return atOnce(
          Replica.make('publish', model, shape, resultsOf(this.served), this.#batchSize),
        )
      }
      idle.update(model)
      return idle
    })
  }

  /** Frees the weights once everything that waits is answered. */
  end(): Promise<void> {
    return this.#batcher.end()
  }
}

function resultsOf({ interface: { answers, scores } }: Served): (outputs: Tensor) => Results {
  if (answers !== 'classes') return (outputs) => ({ scores: outputs })
  return (outputs) => ({
    scores: scores === 'probabilities' ? outputs.softmax() : outputs,
    labels: outputs.argmax(-1),
  })
}
