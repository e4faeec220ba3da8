/** `predictHandler`: predictions in a server of one's own. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkModule, type Module } from '../nn/module.js'
import { type Servable, servedOf } from './modelInterface.js'
import { type PredictHandlerOptions, wholeOptions } from './options.js'
import { type ModelInfo, Service } from './service.js'

/** A request of node:http, and one of Express, which has the body that `express.json()` read. */
export type PredictRequest = IncomingMessage & {
  /** The body, where it was read already. */
  readonly body?: unknown
}

/** As much of a request of Fastify as is looked at. */
export interface FastifyPredictRequest {
  /** That of node:http. */
  readonly raw: IncomingMessage
  /** As Fastify has read it. */
  readonly body: unknown
}

/** As much of a reply of Fastify as is used. */
export interface FastifyPredictReply {
  /** That of node:http. */
  readonly raw: ServerResponse
  /** Tells Fastify that the answer is somebody else's. */
  hijack(): unknown
}

/** What answers requests for predictions, and can be given newer weights. */
export interface PredictHandler {
  /** Answers a request of node:http or Express. */
  (request: PredictRequest, response: ServerResponse): void
  /** Answers a request of Fastify. */
  (request: FastifyPredictRequest, reply: FastifyPredictReply): void
  /**
   * Answers by the weights of a model from the next batch on; each request is answered by one set of weights. They
   * are copied into the set that is not in use, so that the model can be trained on, and this can be called from the
   * callbacks of `fit`. What is computed with them is what the model that is served computes, which must not be
   * disposed of before.
   * @param model of the same architecture as the one that is served: it, a copy of it, or a later one
   * @throws ShapeError for weights of other shapes, DivergenceError for weights that are not finite: the old ones go
   *   on; BusyError while `fit` trains the model, but for its callbacks
   */
  publish(model: Module): void
  /** What the model takes and answers, its version, and since when it answers. */
  info(): ModelInfo
  /** Requests, latencies, batches and the version, in the text format of Prometheus. */
  metrics(): string
  /** Frees the weights once what waits is answered; nothing must be asked after that. */
  dispose(): Promise<void>
}

/**
 * Makes a function that answers requests for predictions by a model, for node:http, Express and Fastify. It answers
 * POST at whatever path it is mounted; docs/serving.md says what requests and answers are. Requests that come at
 * the same time are computed together. The weights are copied: the model can be trained meanwhile, and `publish`
 * takes what it has learned.
 * @throws ArgumentError for what is no model, options that are out of range, and a module that needs `inputShape`;
 *   ShapeError where a module does not take that; DivergenceError for weights that are not finite; BusyError while
 *   `fit` trains the model, but for its callbacks
 * @example
 * const handler = predictHandler(loadClassifier('iris.safetensors'))
 * createServer(handler).listen(8080)
 * @example
 * app.post('/predict', predictHandler(model)) // Express and Fastify
 */
export function predictHandler(
  model: Servable,
  options: PredictHandlerOptions = {},
): PredictHandler {
  const op = 'predictHandler'
  const whole = wholeOptions(op, options)
  const service = new Service(op, servedOf(op, model, whole.inputShape), whole)
  const handle = (
    request: PredictRequest | FastifyPredictRequest,
    response: ServerResponse | FastifyPredictReply,
  ): void => {
    if ('raw' in request && 'hijack' in response) {
      response.hijack()
      service.handle(request.raw, response.raw, request.body)
    } else {
      service.handle(request as PredictRequest, response as ServerResponse, request.body)
    }
  }
  return Object.assign(handle, {
    publish(model: Module): void {
      checkModule('publish', model)
      service.publish(model)
    },
    info: () => service.info,
    metrics: () => service.metricsText(),
    dispose: () => service.end(),
  })
}
