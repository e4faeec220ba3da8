/** Everything the package exports. */
export { noGrad } from './autograd.js'
export type { DType, MemoryUse } from './backend/backend.js'
export {
  type BackendName,
  getBackend,
  getNumThreads,
  memory,
  setBackend,
  setNumThreads,
} from './backend/current.js'
export { type Captured, capture, type Results } from './capture/capture.js'
export { arange, eye, full, ones, rand, randn, tensor, zeros } from './create.js'
export { type Dataset, type DatasetSource, dataset, split, subset } from './data/dataset.js'
export { digits } from './data/digits.js'
export { iris } from './data/iris.js'
export { type Batch, DataLoader, type LoaderOptions } from './data/loader.js'
export { mnist } from './data/mnist.js'
export * from './errors.js'
export { type Evaluation, evaluate, predictedClasses } from './evaluate.js'
export {
  type GradCheckElement,
  type GradCheckOptions,
  type GradCheckResult,
  gradCheck,
} from './gradCheck.js'
export { loadMlp, loadModel, type MlpArchitecture, saveMlp, saveModel } from './io/model.js'
export {
  binaryCrossEntropyWithLogits,
  hinge,
  huber,
  huberLoss,
  type Loss,
  mae,
  mse,
  type Reduction,
  softmaxCrossEntropy,
  type Targets,
} from './losses.js'
export {
  type ActivationHistogram,
  type Metric,
  Monitor,
  type MonitorOptions,
  type MonitorRecord,
  type SeriesPoint,
} from './monitor/monitor.js'
export { ReLU, Sigmoid, Softmax, Tanh } from './nn/activations.js'
export * as init from './nn/init.js'
export { Linear, type LinearOptions } from './nn/linear.js'
export { Module, Parameter } from './nn/module.js'
export { type ActivationName, mlp, Sequential } from './nn/sequential.js'
export { where } from './ops/elementwise.js'
export { oneHot } from './ops/gather.js'
export { concat, stack } from './ops/layout.js'
export { linear, matmul } from './ops/matmul.js'
export { Adam, type AdamSettings } from './optim/adam.js'
export { type Group, type GroupSettings, Optimizer } from './optim/optimizer.js'
export * as schedules from './optim/schedules.js'
export { SGD, type SGDSettings } from './optim/sgd.js'
export { Autoencoder, type AutoencoderOptions, type Noise } from './pretraining/autoencoder.js'
export { type LayerFitOptions, UnsupervisedLayer } from './pretraining/layer.js'
export {
  type PretrainHistory,
  type PretrainOptions,
  type PretrainReport,
  pretrain,
} from './pretraining/pretrain.js'
export { RBM, type RBMOptions } from './pretraining/rbm.js'
export { Generator, setSeed } from './random.js'
export { l1, l2, type Regularizer } from './regularizers.js'
export { scope } from './scope.js'
export type { Shape } from './shape.js'
export { type ArrayOf, type Operand, Tensor } from './tensor.js'
export { type EpochReport, type FitOptions, fit, type History, type StepReport } from './train.js'
