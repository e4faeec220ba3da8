/**
 * `neuroblas/plot`: charts of training runs, models and data as SVG, drawn with vega-lite. They have
 * no background, and colours that read on white and on black. Data come first, then one object of
 * options; numbers are arrays, typed arrays or tensors. Those that cannot be drawn throw ArgumentError, lengths that differ ShapeError.
 */
export { bars, type Categories } from './plot/bars.js'
export { biasVariance, type Decomposition, decompose } from './plot/biasVariance.js'
export { type BoundaryOptions, decisionBoundary } from './plot/boundary.js'
export type { NamedSeries, Numbers, Series } from './plot/checks.js'
export { type ConfusionOptions, confusionMatrix } from './plot/confusionMatrix.js'
export type { ChartOptions } from './plot/draw.js'
export { type HistogramOptions, histograms } from './plot/histograms.js'
export { type ImageOptions, images, weightImages } from './plot/images.js'
export {
  type Curve,
  type LearningCurveOptions,
  layerCurves,
  learningCurves,
  lines,
} from './plot/lines.js'
export { toPng } from './plot/png.js'
export { scatter } from './plot/scatter.js'
