/** One request for predictions and its answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { excerpt, NeuroblasError } from '../base/errors.js'
import type { Job } from './batcher.js'
import { decodeImage, parseBody, pixelRow, type Rows, readFloats, readJson } from './inputs.js'
import type { Metrics } from './metrics.js'
import type { WholeOptions } from './options.js'
import type { Predictor } from './predictor.js'
import { Refusal } from './refusal.js'

/** Whose requests they are. */
export interface Host {
  readonly options: WholeOptions
  readonly metrics: Metrics
  /** That answers now. */
  readonly predictor: Predictor
  /** Whether clients are asked to go away after their answers. */
  readonly isStopping: boolean
}

/** What a body is, by its content-type; answers are of the same kind, and to images JSON. */
type Kind = 'json' | 'floats' | 'image'

const TYPES = { json: 'application/json', floats: 'application/octet-stream' }

/** What nginx counts clients as that did not wait for their answer. */
const GONE = 499

// A class, and listeners without names: of each request, closures would be made and named anew.
export class Exchange implements Job {
  readonly #host: Host
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #began = performance.now()
  #kind: Kind = 'json'
  #chunks: Buffer[] = []
  #size = 0
  /** Who is asked: the one that has read the inputs. */
  #predictor: Predictor
  inputs: Float32Array = NOTHING
  rows = 0

  constructor(host: Host, request: IncomingMessage, response: ServerResponse) {
    this.#host = host
    this.#request = request
    this.#response = response
    this.#predictor = host.predictor
  }

  /** @param parsed the body, where somebody has read it already */
  begin(parsed: unknown): void {
    try {
      this.#kind = kindOf(this.#request)
      if (this.#request.readableEnded) this.#take(parsed)
      else this.#read()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Its client has gone, or somebody else has begun to answer, as what limits time does. */
  isGone(): boolean {
    return this.#response.destroyed || this.#response.headersSent
  }

  answer(scores: Float32Array, labels: Int32Array, row: number): void {
    const { answers } = this.#predictor
    const found = { scores, labels, row, rows: this.rows }
    try {
      if (this.#kind === 'floats') this.#send(200, TYPES.floats, answers.floats(found))
      else this.#send(200, TYPES.json, answers.json(found))
    } catch (error) {
      this.fail(error)
    }
  }

  fail(error: unknown): void {
    const { status, message, headers } = refusalOf(error)
    this.#send(status, TYPES.json, JSON.stringify({ error: message }), headers)
  }

  drop(): void {
    this.#count(GONE)
  }

  /** Gathers the body; of a client that goes away, nothing more is heard. */
  #read(): void {
    const request = this.#request
    const declared = Number(request.headers['content-length'])
    const { maxBytes } = this.#host.options
    if (declared > maxBytes) throw tooLong(declared, maxBytes)
    request.on('data', (chunk) => this.#add(chunk)).on('end', () => this.#end())
  }

  #add(chunk: Buffer): void {
    const before = this.#size
    this.#size += chunk.length
    const { maxBytes } = this.#host.options
    if (this.#size <= maxBytes) this.#chunks.push(chunk)
    else if (before <= maxBytes) {
      // What is still to come is read and forgotten, so that the client hears why.
      this.#chunks = []
      this.fail(tooLong(this.#size, maxBytes))
    }
  }

  #end(): void {
    if (this.#size > this.#host.options.maxBytes) return
    const chunks = this.#chunks
    this.#take(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  }

  #take(body: unknown): void {
    try {
      const { maxRows, maxWaiting, unseen } = this.#host.options
      this.#predictor = this.#host.predictor
      const { served, waiting } = this.#predictor
      if (waiting >= maxWaiting) {
        const message = `expected at most ${maxWaiting} rows to wait, got as many; try again later`
        throw new Refusal(503, message, { 'Retry-After': '1' })
      }
      if (this.#kind === 'json') this.#ask(readJson(jsonOf(body), served, maxRows, unseen))
      else if (this.#kind === 'floats') this.#ask(readFloats(bytesOf(body), served, maxRows))
      else this.#askOfImage(bytesOf(body))
    } catch (error) {
      this.fail(error)
    }
  }

  async #askOfImage(body: Uint8Array): Promise<void> {
    try {
      const pixels = await decodeImage(body, this.#predictor.served.interface)
      // Meanwhile it may have been replaced.
      this.#predictor = this.#host.predictor
      this.#ask(pixelRow(pixels, this.#predictor.served))
    } catch (error) {
      this.fail(error)
    }
  }

  #ask({ inputs, rows }: Rows): void {
    this.inputs = inputs
    this.rows = rows
    this.#predictor.ask(this)
  }

  #send(
    status: number,
    type: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    const response = this.#response
    if (this.isGone()) {
      this.drop()
      return
    }
    const closing = this.#host.isStopping ? { Connection: 'close' } : undefined
    response.writeHead(status, { 'Content-Type': type, ...closing, ...headers })
    response.end(body, type === TYPES.floats ? 'latin1' : 'utf8')
    this.#count(status)
  }

  #count(status: number): void {
    this.#host.metrics.request(status, performance.now() - this.#began)
  }
}

const NOTHING = new Float32Array(0)

function tooLong(length: number, maxBytes: number): Refusal {
  return new Refusal(413, `expected a body of at most ${maxBytes} bytes, got ${length} or more`)
}

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
