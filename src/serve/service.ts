/** Requests for predictions and their answers, over HTTP: what `predictHandler` mounts and `serve` serves. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ArgumentError, excerpt, NeuroblasError } from '../base/errors.js'
import { atOnce, inParts } from '../base/eventLoop.js'
import type { Module } from '../nn/module.js'
import { readBody } from './body.js'
import { decodeImage, parseBody, pixelRow, type Rows, readFloats, readJson } from './inputs.js'
import { Metrics } from './metrics.js'
import { differenceOf, type ModelInterface, type Served } from './modelInterface.js'
import type { WholeOptions } from './options.js'
import { Predictor } from './predictor.js'
import { Refusal } from './refusal.js'

/** A request that is being answered. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** When it came, by performance.now(). */
  readonly began: number
}

/** What a body is, by its content-type; answers are of the same kind, and to images JSON. */
type Kind = 'json' | 'floats' | 'image'

const TYPES = { json: 'application/json', floats: 'application/octet-stream' }

/** A model as `/model` shows it. */
export interface ModelInfo extends ModelInterface {
  /** What it was trained by. */
  readonly loss?: string
  /** Of the weights: 1 at first, one more with each reload and `publish`. */
  readonly version: number
  /** Since when these weights answer. */
  readonly loaded: Date
}

export class Service {
  readonly metrics = new Metrics()
  readonly #op: string
  readonly #options: WholeOptions
  #predictor: Predictor
  #version = 1
  #loaded = new Date()
  /** Whether clients are asked to go away after their answers. */
  isStopping = false

  /** @throws as `Replica.make` */
  constructor(op: string, served: Served, options: WholeOptions) {
    this.#op = op
    this.#options = options
    this.#predictor = atOnce(this.#make(served))
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
    if (difference !== undefined) throw new ArgumentError(difference)
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
    const exchange = { request, response, began: performance.now() }
    try {
      const kind = kindOf(request)
      if (request.readableEnded) {
        this.#take(exchange, kind, parsed)
        return
      }
      const { maxBytes } = this.#options
      readBody(
        request,
        maxBytes,
        (body) => this.#take(exchange, kind, body),
        (error) => this.#refuse(exchange, error),
      )
    } catch (error) {
      this.#refuse(exchange, error)
    }
  }

  #make(served: Served) {
    const { batchSize } = this.#options
    return Predictor.make(this.#op, served, batchSize, (rows) => this.metrics.batch(rows))
  }

  #renew(): void {
    this.#version++
    this.#loaded = new Date()
  }

  #take(exchange: Exchange, kind: Kind, body: unknown): void {
    try {
      const { maxRows, maxWaiting, unseen } = this.#options
      if (this.#predictor.waiting >= maxWaiting) {
        const message = `expected at most ${maxWaiting} rows to wait, got as many; try again later`
        throw new Refusal(503, message, { 'Retry-After': '1' })
      }
      const { served } = this.#predictor
      if (kind === 'json') {
        this.#ask(exchange, kind, readJson(jsonOf(body), served, maxRows, unseen))
      } else if (kind === 'floats') {
        this.#ask(exchange, kind, readFloats(bytesOf(body), served, maxRows))
      } else {
        decodeImage(bytesOf(body), served.interface).then(
          (pixels) => this.#ask(exchange, kind, pixelRow(pixels, this.#predictor.served)),
          (error) => this.#refuse(exchange, error),
        )
      }
    } catch (error) {
      this.#refuse(exchange, error)
    }
  }

  #ask(exchange: Exchange, kind: Kind, { inputs, rows }: Rows): void {
    const { answers } = this.#predictor
    this.#predictor.ask({
      inputs,
      rows,
      isGone: () => exchange.response.destroyed,
      answer: (scores, labels, row) => {
        const found = { scores, labels, row, rows }
        try {
          if (kind === 'floats') this.#send(exchange, 200, TYPES.floats, answers.floats(found))
          else this.#send(exchange, 200, TYPES.json, answers.json(found))
        } catch (error) {
          this.#refuse(exchange, error)
        }
      },
      fail: (error) => this.#refuse(exchange, error),
      drop: () => this.metrics.request(GONE, performance.now() - exchange.began),
    })
  }

  #refuse(exchange: Exchange, error: unknown): void {
    const { status, message, headers } = refusalOf(error)
    this.#send(exchange, status, TYPES.json, JSON.stringify({ error: message }), headers)
  }

  #send(
    { response, began }: Exchange,
    status: number,
    type: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    if (response.destroyed) {
      this.metrics.request(GONE, performance.now() - began)
      return
    }
    const closing = this.isStopping ? { Connection: 'close' } : undefined
    response.writeHead(status, { 'Content-Type': type, ...closing, ...headers })
    response.end(body, type === TYPES.floats ? 'latin1' : 'utf8')
    this.metrics.request(status, performance.now() - began)
  }
}

/** What nginx counts clients as that did not wait for their answer. */
const GONE = 499

/** @throws Refusal for a method or a body of another kind */
function kindOf({ method, headers }: IncomingMessage): Kind {
  if (method !== 'POST') {
    throw new Refusal(405, `expected POST, got ${method}`, { Allow: 'POST' })
  }
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new Refusal(415, `expected a body that is not compressed, got ${encoding}`)
  }
  const given = headers['content-type'] ?? 'none'
  if (given === TYPES.json) return 'json'
  const type = given.split(';')[0].trim().toLowerCase()
  if (type === TYPES.json) return 'json'
  if (type === TYPES.floats) return 'floats'
  if (type.startsWith('image/')) return 'image'
  throw new Refusal(
    415,
    `expected content-type ${TYPES.json}, ${TYPES.floats} or image/…, got ${excerpt(given)}`,
  )
}

/** What JSON says, where a body is text, or what somebody has parsed. */
function jsonOf(body: unknown): unknown {
  if (Buffer.isBuffer(body)) return parseBody(body.toString())
  return typeof body === 'string' ? parseBody(body) : body
}

/** @throws Refusal where somebody has parsed the body into something else */
function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  throw new Refusal(415, `expected a body of bytes, got one that was read as ${excerpt(body)}`)
}

const BAD_INPUT = new Set(['ArgumentError', 'DataError', 'ShapeError'])

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof NeuroblasError) {
    return new Refusal(BAD_INPUT.has(error.name) ? 400 : 500, error.message)
  }
  process.emitWarning(error as Error)
  return new Refusal(500, 'internal error; the server has written what it is to its standard error')
}
