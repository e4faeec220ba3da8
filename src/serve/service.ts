/** Requests for predictions and their answers, over HTTP: what `predictHandler` mounts and `serve` serves. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ArgumentError } from '../base/errors.js'
import { atOnce, inParts } from '../base/eventLoop.js'
import type { Module } from '../nn/module.js'
import { Exchange, type Host } from './exchange.js'
import { Metrics } from './metrics.js'
import { differenceOf, type ModelInterface, type Served } from './modelInterface.js'
import type { WholeOptions } from './options.js'
import { Predictor, release } from './predictor.js'

/** A model as `/model` shows it. */
export interface ModelInfo extends ModelInterface {
  /** What it was trained by. */
  readonly loss?: string
  /** Of the weights: 1 at first, one more with each reload and `publish`. */
  readonly version: number
  /** Since when these weights answer. */
  readonly loaded: Date
}

export class Service implements Host {
  readonly metrics = new Metrics()
  readonly #op: string
  readonly options: WholeOptions
  #predictor: Predictor
  #version = 1
  #loaded = new Date()
  /** Whether clients are asked to go away after their answers. */
  isStopping = false

  /** @throws as `Replica.make` */
  constructor(op: string, served: Served, options: WholeOptions) {
    this.#op = op
    this.options = options
    this.#predictor = atOnce(this.#make(served))
  }

  get predictor(): Predictor {
    return this.#predictor
  }

  get info(): ModelInfo {
    const { interface: face, loss } = this.#predictor.served
    return { ...face, ...(loss && { loss }), version: this.#version, loaded: this.#loaded }
  }

  metricsText(): string {
    return this.metrics.text(this.#version, this.#predictor.waiting)
  }

  /** Answers by other weights from the next batch on. @throws as `Predictor.publish` */
  publish(model: Module): void {
    this.#predictor.publish(model)
    this.#renew()
  }

  /**
   * Answers by another model from the next request on.
   * @throws ArgumentError for one that takes or answers something else; as `Replica.make`
   */
  async replace(served: Served): Promise<void> {
    const before = this.#predictor
    const difference = differenceOf(before.served.interface, served.interface)
    if (difference !== undefined) {
      release(served)
      throw new ArgumentError(difference)
    }
    this.#predictor = await inParts(this.#make(served))
    this.#renew()
    await before.end()
  }

  /** Frees the weights once everything that waits is answered. */
  end(): Promise<void> {
    return this.#predictor.end()
  }

  /** @param parsed the body, where somebody has read it already */
  handle(request: IncomingMessage, response: ServerResponse, parsed: unknown): void {
    new Exchange(this, request, response).begin(parsed)
  }

  #make(served: Served) {
    const { batchSize } = this.options
    return Predictor.make(this.#op, served, batchSize, (rows) => this.metrics.batch(rows))
  }

  #renew(): void {
    this.#version++
    this.#loaded = new Date()
  }
}
