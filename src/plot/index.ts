/**
 * `neuroblas/plot`: charts of training runs, models and data as SVG, drawn with vega-lite. They have
 * no background, and colours that read on white and on black. Data come first, then one object of
 * options; numbers are arrays, typed arrays or tensors. Those that cannot be drawn throw ArgumentError,
 * lengths that differ ShapeError. Without vega and vega-lite, which are yours to install, all of them
 * throw MissingPackageError.
 * @module neuroblas/plot
 */
export { bars, type Categories } from './bars.js'
export { biasVariance, type Decomposition, decompose } from './biasVariance.js'
export { type BoundaryOptions, decisionBoundary } from './boundary.js'
export type { NamedSeries, Numbers, Series } from './checks.js'
export { type ConfusionOptions, confusionMatrix } from './confusionMatrix.js'
export type { ChartOptions } from './draw.js'
export { type HistogramOptions, histograms } from './histograms.js'
export { type ImageOptions, images, weightImages } from './images.js'
export {
  type Curve,
  type LearningCurveOptions,
  layerCurves,
  learningCurves,
  lines,
} from './lines.js'
export { toPng } from './png.js'
export { scatter } from './scatter.js'
