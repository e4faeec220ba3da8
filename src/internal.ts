/**
 * What the apps and frontends of this package use beside its public names; no entry point exports it.
 */
export type { Backend } from './backend/backend.js'
export { currentBackend } from './backend/current.js'
export { type DType, dtypes, type TypedArray } from './backend/dtype.js'
export type { Handle, KernelArgs, KernelName } from './backend/kernels.js'
export { type AddonInfo, loadAddon } from './backend/native/addon.js'
export { everyIteration } from './backend/record.js'
export {
  checkCount,
  checkFlag,
  checkFunction,
  checkNumber,
  checkPath,
  isKeyOf,
  optionsOf,
  refuseRest,
  refuseUnknown,
} from './base/arguments.js'
export { availableMemory, requireMemory } from './base/availableMemory.js'
export { isBranded } from './base/brand.js'
export { excerpt, spelled } from './base/errors.js'
export { inParts } from './base/eventLoop.js'
export { packageFolder, resolvePackage } from './base/packageFolder.js'
export { loadPackages } from './base/packages.js'
export { clock, Progress } from './base/progress.js'
export {
  count,
  escapeXml,
  figure,
  parseNumber,
  percent,
  perSecond,
  powerOfTen,
  quote,
  rate,
} from './base/text.js'
export { isList, kindOfTypedArray, readTypedArray } from './base/typedArrays.js'
export { version } from './base/version.js'
export { isRowSplit, partsOfRows, partsOfTimes, TEST } from './data/blocks/rowSplit.js'
export { rowsAt } from './data/blocks/rowsAt.js'
export { openTableBlocks } from './data/blocks/tableBlocks.js'
export { positionsOf } from './data/blocks/tableRows.js'
export { splitRows } from './data/dataset.js'
export { readIdx } from './data/formats/idx.js'
export { isBmp, readBmp } from './data/images/bmp.js'
export { toGrey } from './data/images/decode.js'
export { imageSource } from './data/images/imageBlocks.js'
export {
  type ImageReading,
  imagesAt,
  readParts,
  withTest,
} from './data/images/imageFolder.js'
export { type ImagePart, isImageFolder, listImages } from './data/images/listing.js'
export { type Rows, readRows, type Values } from './data/rows.js'
export { idxSetAt } from './data/sets/idxSets.js'
export { isSQL, namesTable } from './data/sources/openSource.js'
export { isPostgres } from './data/sources/postgres.js'
export type { SourceOptions } from './data/sources/source.js'
export { type Applied, appliedPieces, neededOf, readApplied } from './data/table/applied.js'
export { encodedPieces, pieceOf, UnseenTally } from './data/table/encodedPieces.js'
export type { Frame, Reading } from './data/table/frame.js'
export { UsableRows } from './data/table/missing.js'
export {
  describeTable,
  encodeRows,
  OpenTable,
  partsOf,
  unseenNotes,
} from './data/table/openTable.js'
export { stratified } from './data/table/splitTable.js'
export { summaryOf } from './data/table/summary.js'
export { AtomicFile, writeFileAtomically } from './io/files.js'
export { readModelHeader } from './io/modelFile.js'
export { type OnnxFile, readOnnxFile } from './io/onnx/import/file.js'
export { checkWritable, isSameFile } from './io/paths.js'
export { loadPredictor } from './io/regressor.js'
export { decodeSafetensors, encodeSafetensors } from './io/safetensors.js'
export { metricNames } from './metrics/names.js'
export { refuseTrained, whileAsking } from './nn/lock.js'
export { isProbabilistic, type LossName, losses } from './nn/lossNames.js'
export { inEval } from './nn/module.js'
export { activations } from './nn/sequential.js'
export { addInPlace } from './ops/raw.js'
export { above0, atLeast0, checkDecays } from './optim/groups.js'
export { AdagradInside, AdamHat, AdamWHat, RMSpropInside } from './optim/variants.js'
export { memoryOf, refusalOfTrained } from './tensor/locks.js'
export { drawSeed, streams } from './tensor/random.js'
export { checkShape, sizeOf } from './tensor/shape.js'
export { isTensor } from './tensor/tensor.js'
export { classify, regress } from './training/classify.js'
export { preprocessingOf } from './training/predict.js'
export { divergenceChoices } from './training/recovery.js'
export { noteTest } from './training/runs/metricsLog.js'
export { isRunFolder } from './training/runs/options.js'
export { type RunSummary, readRun, readRuns } from './training/runs/readRuns.js'
export { TrainingStep } from './training/trainingStep.js'
export { epochTitle, metricTexts } from './training/verbose.js'
