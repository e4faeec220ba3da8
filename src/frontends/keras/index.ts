/**
 * `neuroblas/keras`: models with Keras's names, over the same engine. What it does not have is refused.
 * @module neuroblas/keras
 */
export type { Rows } from '../../internal.js'
export type {
  AdadeltaOptions,
  AdagradOptions,
  LionOptions,
  RMSpropOptions,
} from './adaptive.js'
export type { CallbackLike, Logs } from './callback.js'
/** What happens between epochs: built-in callbacks, and the class to derive others from. */
export * as callbacks from './callbacks.js'
export type { InitializerName } from './initializers.js'
export type {
  ActivationName,
  DenseOptions,
  DropoutOptions,
  LayerOptions,
  RegularizerName,
} from './layers.js'
/** Layers: descriptions, from which a model makes its modules. */
export * as layers from './layers.js'
/** Losses as objects, for what their names alone do not say. */
export * as losses from './lossClasses.js'
export type { AdamOptions, AdamWOptions, MomentOptions } from './moments.js'
export type { LossName, MetricName } from './objective.js'
export type { OptimizerName, SGDOptions } from './optimizers.js'
/** Optimizers: settings, from which a model makes the engine's own. */
export * as optimizers from './optimizers.js'
export type { CompileOptions, FitOptions, History } from './options.js'
export { Sequential } from './sequential.js'
