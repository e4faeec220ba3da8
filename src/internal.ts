/**
 * What the apps and frontends of this package use beside its public names; no entry point exports it.
 */
export { currentBackend } from './backend/current.js'
export { loadAddon } from './backend/native/backend.js'
export { everyPass } from './backend/record.js'
export { checkCount, refuseUnknown } from './base/arguments.js'
export { excerpt } from './base/errors.js'
export { escapeXml, parseNumber, quote } from './base/text.js'
export { parseCsv, parseLabelledCsv } from './data/formats/csv.js'
export { readIdx } from './data/formats/idx.js'
export { type Rows, readRows, type Values } from './data/rows.js'
export {
  applyTo,
  findPreprocessing,
  type Preprocessing,
  preprocess,
} from './data/transforms/standardize.js'
export { checkWritable, readModel, type SavedModel, writeModel } from './io/classifier.js'
export { writeFileAtomically } from './io/files.js'
export { decodeSafetensors, encodeSafetensors } from './io/safetensors.js'
export { type LossName, losses } from './nn/lossNames.js'
export { activations } from './nn/sequential.js'
export { addInPlace } from './ops/raw.js'
export { AdamHat } from './optim/adamHat.js'
export { streams } from './tensor/random.js'
export { sizeOf } from './tensor/shape.js'
export { classify, type Scores } from './training/predict.js'
export { TrainingSteps } from './training/trainingStep.js'
