/**
 * `neuroblas/serve`: predictions over HTTP.
 * @module neuroblas/serve
 */
export type { ModelInterface, Servable, ServedColumn } from './modelInterface.js'
export type { PredictHandlerOptions } from './options.js'
export {
  type FastifyPredictReply,
  type FastifyPredictRequest,
  type PredictHandler,
  type PredictRequest,
  predictHandler,
} from './predictHandler.js'
export { type PredictServer, type ServeOptions, serve } from './serve.js'
export type { ModelInfo } from './service.js'
