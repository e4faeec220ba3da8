/**
 * `neuroblas/sklearn`: perceptrons with scikit-learn's names, over the same engine. With the same data,
 * first weights and order they give scikit-learn's loss curve; what they do not have is refused.
 * @module neuroblas/sklearn
 */
export type { Rows } from '../../internal.js'
export { MLPClassifier } from './classifier.js'
export type { Label } from './labels.js'
export type { MLPParameters } from './parameters.js'
export { MLPRegressor } from './regressor.js'
