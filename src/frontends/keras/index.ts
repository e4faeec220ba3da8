/** `neuroblas/keras`: models with Keras's names, over the same engine. */
export type { Rows } from '../../internal.js'
export type { CallbackLike, Logs } from './callbacks.js'
export * as callbacks from './callbacks.js'
export type {
  ActivationName,
  DenseOptions,
  DropoutOptions,
  InitializerName,
  LayerOptions,
  RegularizerName,
} from './layers.js'
export * as layers from './layers.js'
export * as losses from './lossClasses.js'
export type { LossName, MetricName } from './objective.js'
export type { AdamOptions, OptimizerName, SGDOptions } from './optimizers.js'
export * as optimizers from './optimizers.js'
export type { CompileOptions, FitOptions, History } from './sequential.js'
export { Sequential } from './sequential.js'
