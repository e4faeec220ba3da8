/** `neuroblas/sklearn`: perceptrons with scikit-learn's names, over the same engine. */
export type { Rows } from '../../internal.js'
export { type Label, MLPClassifier } from './classifier.js'
export type { MLPParameters } from './parameters.js'
export { MLPRegressor } from './regressor.js'
