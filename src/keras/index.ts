/** `neuroblas/keras`: models with Keras's names, over the same engine. */
import * as callbacks from './callbacks.js'
import { ActivationLayer, Dense, Dropout, Flatten } from './layers.js'
import {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  SparseCategoricalCrossentropy,
} from './objective.js'
import { Adam, SGD } from './optimizers.js'

export type { Rows } from '../data/rows.js'
export type { CallbackLike, Logs } from './callbacks.js'
export type { CompileOptions, FitOptions, History } from './sequential.js'
export { Sequential } from './sequential.js'
export const layers = { Dense, Activation: ActivationLayer, Dropout, Flatten }
export const losses = { BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy }
export const optimizers = { SGD, Adam }
export { callbacks }
