/** `serve`: a server for one model. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkFunction, checkNumber, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { checkModule, type Module } from '../nn/module.js'
import { FileWatch, fileState } from './fileWatch.js'
import { loadServed } from './loadServable.js'
import { type Servable, servedOf } from './modelInterface.js'
import { HANDLER_OPTIONS, type PredictHandlerOptions, wholeOptions } from './options.js'
import { type ModelInfo, Service } from './service.js'

/** Settings of `serve`. */
export interface ServeOptions extends PredictHandlerOptions {
  /** 8080 by default; 0 takes one that is free. */
  port?: number
  /** The address to listen at: 127.0.0.1 by default, which is this machine alone; 0.0.0.0 is all of its addresses. */
  host?: string
  /** Seconds within which a whole request must have come; 30 by default. Others are answered 408. */
  timeout?: number
  /** Hears of each newer file of the model: that it answers, or the error that made the old one go on. */
  onReload?: (error?: Error) => void
}

/** A server that answers. */
export interface PredictServer {
  /** Where it is, such as `http://127.0.0.1:8080`. */
  readonly url: string
  /** As `publish` of a `PredictHandler`. */
  publish(model: Module): void
  /** What the model takes and answers, its version, and since when it answers. */
  info(): ModelInfo
  /** What `/metrics` shows. */
  metrics(): string
  /**
   * Stops to listen, answers what has come, and frees the model; connections that are not done after 10 seconds are
   * cut off.
   */
  close(): Promise<void>
}

const OPTIONS: Record<keyof ServeOptions, true> = {
  ...HANDLER_OPTIONS,
  port: true,
  host: true,
  timeout: true,
  onReload: true,
}

/** Milliseconds that clients have for the rest of their requests when the server is closed. */
const CLOSE_WITHIN = 10_000
/** Milliseconds that a connection may be idle: longer than proxies keep theirs, which would meet a closed one. */
const KEEP_ALIVE = 65_000

/**
 * Serves a model over HTTP: predictions at `/predict`, and `/healthz`, `/metrics`, `/model`; docs/serving.md says
 * what requests and answers are. The server reads the file of a model again when there is a newer one, which answers from
 * the next request on; a file that is malformed, or of a model that takes or answers something else, is refused, and the
 * old model goes on.
 * @param model the path of a file, or the model itself
 * @throws DataError for a file that holds no model; ArgumentError for options that are out of range, a port that is
 *   in use, and as `predictHandler`
 * @example
 * const server = await serve('iris.safetensors', { port: 8080 })
 * process.once('SIGTERM', () => server.close())
 */
export async function serve(
  model: string | Servable,
  options: ServeOptions = {},
): Promise<PredictServer> {
  const op = 'serve'
  const {
    port = 8080,
    host = '127.0.0.1',
    timeout = 30,
    onReload,
    ...limits
  } = checked(op, options)
  const whole = wholeOptions(op, limits)
  const file = typeof model === 'string' ? model : undefined
  const known = file === undefined ? undefined : fileState(file)
  const served =
    typeof model === 'string'
      ? loadServed(op, model, whole.inputShape)
      : servedOf(op, model, whole.inputShape)
  const service = new Service(op, served, whole)
  const milliseconds = Math.ceil(timeout * 1000)
  const server = createServer(
    {
      requestTimeout: milliseconds,
      headersTimeout: milliseconds,
      connectionsCheckingInterval: Math.min(1000, milliseconds),
      keepAliveTimeout: KEEP_ALIVE,
    },
    (request, response) => answer(service, file, request, response),
  )
  try {
    await listen(server, port, host)
  } catch (error) {
    await service.end()
    throw error
  }
  const reload = async (path: string) => {
    const result = await reloaded(service, path, whole.inputShape)
    service.metrics.reload(result === undefined ? 'ok' : 'failed')
    // As of a listener: what it throws is its own.
    if (onReload) queueMicrotask(() => onReload(result))
  }
  const watch = file === undefined ? undefined : new FileWatch(file, known, () => reload(file))
  let closed: Promise<void> | undefined
  const { address, family, port: bound } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    publish(other) {
      checkModule('publish', other)
      service.publish(other)
    },
    info: () => service.info,
    metrics: () => service.metricsText(),
    close() {
      closed ??= close(server, service, watch)
      return closed
    },
  }
}

function checked(op: string, given: ServeOptions): ServeOptions {
  const options = optionsOf(op, given, OPTIONS)
  const { port = 0, host = '', timeout = 1, onReload } = options
  const isPort = (value: number) => Number.isInteger(value) && value >= 0 && value < 2 ** 16
  checkNumber(op, 'port', port, isPort, 'from 0 to 65535')
  checkNumber(op, 'timeout', timeout, (s) => s > 0 && s <= 86_400, 'in seconds, up to 86,400')
  if (typeof host !== 'string') {
    throw new ArgumentError(`${op}: expected host as text, got ${excerpt(host)}`)
  }
  if (onReload !== undefined) checkFunction(op, 'onReload to be a function', onReload)
  return options
}

/** @throws ArgumentError where the port cannot be had */
function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const found = cause.code === 'EADDRINUSE' ? 'one that is in use' : cause.message
      const message = `serve: expected a port that is free, ${port} at ${host}, got ${found}`
      reject(new ArgumentError(message, { cause }))
    })
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

/** Serves a newer file. @returns the error that made the old model go on */
async function reloaded(
  service: Service,
  path: string,
  inputShape?: readonly number[],
): Promise<Error | undefined> {
  try {
    await service.replace(loadServed('serve', path, inputShape))
    return undefined
  } catch (error) {
    return error as Error
  }
}

async function close(server: Server, service: Service, watch?: FileWatch): Promise<void> {
  service.isStopping = true
  const watched = watch?.end()
  const closed = new Promise((resolve) => server.close(resolve))
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN)
  await closed
  clearTimeout(timer)
  await watched
  await service.end()
}

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'

/** What a path answers to GET. */
const pages: Record<string, (service: Service, file?: string) => { type: string; body: string }> = {
  '/healthz': () => ({ type: 'text/plain', body: 'ok' }),
  '/metrics': (service) => ({ type: PROMETHEUS, body: service.metricsText() }),
  '/model': (service, file) => ({
    type: 'application/json',
    body: JSON.stringify({ ...(file !== undefined && { file }), ...service.info }),
  }),
}

function answer(
  service: Service,
  file: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { url = '/', method = '' } = request
  const end = url.indexOf('?')
  const path = end < 0 ? url : url.slice(0, end)
  if (path === '/predict') {
    service.handle(request, response, undefined)
    return
  }
  const closing = service.isStopping ? { Connection: 'close' } : undefined
  const send = (status: number, type: string, body: string, headers = {}) => {
    response.writeHead(status, { 'Content-Type': type, ...closing, ...headers })
    response.end(body)
  }
  const fail = (status: number, error: string, headers = {}) =>
    send(status, 'application/json', JSON.stringify({ error }), headers)
  if (!Object.hasOwn(pages, path)) {
    fail(404, `expected /predict, ${Object.keys(pages).join(', ')}, got ${excerpt(path)}`)
  } else if (method !== 'GET' && method !== 'HEAD') {
    fail(405, `expected GET, got ${method}`, { Allow: 'GET, HEAD' })
  } else {
    const { type, body } = pages[path](service, file)
    send(200, type, body)
  }
}
