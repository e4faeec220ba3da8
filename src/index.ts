/**
 * `neuroblas`: tensors with automatic differentiation, networks, losses, optimizers, data and training.
 * @module neuroblas
 */
import './autograd/attach.js'

export {
  type GradCheckElement,
  type GradCheckOptions,
  type GradCheckResult,
  gradCheck,
} from './autograd/gradCheck.js'
export type { MemoryUse } from './backend/backend.js'
export {
  type BackendName,
  getBackend,
  getNumThreads,
  memory,
  setBackend,
  setNumThreads,
  trimMemory,
} from './backend/current.js'
export type { ArrayOf, DType, FloatDType, NumericDType } from './backend/dtype.js'
export {
  ArgumentError,
  AutogradError,
  BackendError,
  BusyError,
  CaptureError,
  DataError,
  DivergenceError,
  KernelError,
  MissingPackageError,
  NeuroblasError,
  NotFittedError,
  OutOfMemoryError,
  ReleasedTensorError,
  ShapeError,
  StaleTensorError,
} from './base/errors.js'
export { type Captured, capture, type Results } from './capture/capture.js'
export * from './data/index.js'
export {
  type Classifier,
  type ClassifierNotes,
  loadClassifier,
  saveClassifier,
} from './io/classifier.js'
export type { WeightLayout } from './io/layout.js'
export { type LoadTorchOptions, loadTorch } from './io/loadTorch.js'
export { loadMlp, type MlpArchitecture, saveMlp } from './io/mlp.js'
export { loadModel, type SaveModelOptions, saveModel } from './io/model.js'
export {
  type ExportOnnxOptions,
  exportOnnx,
  type OnnxSignature,
} from './io/onnx/exportOnnx.js'
export type { OnnxValueInfo } from './io/onnx/import/graph.js'
export { type LoadOnnxOptions, loadOnnx } from './io/onnx/import/load.js'
export type { OnnxInput, OnnxModel } from './io/onnx/import/model.js'
export {
  loadRegressor,
  type Regressor,
  type RegressorNotes,
  saveRegressor,
} from './io/regressor.js'
export type { TorchEntry, TorchPlan } from './io/torch/plan.js'
export type { TorchRename } from './io/torch/rename.js'
export { fromTorch, type TorchOptions, toTorch } from './io/torch/state.js'
export {
  Accuracy,
  BalancedAccuracy,
  type ClassMetricOptions,
  ConfusionMatrix,
  type ConfusionMatrixOptions,
  MatthewsCorrcoef,
} from './metrics/classes.js'
export { LogLoss } from './metrics/logLoss.js'
export { Metric, type MetricOptions, type MetricValue } from './metrics/metric.js'
export type { MetricName, MetricSource, MetricValues } from './metrics/names.js'
export { type Average, type AveragedOptions, F1, Precision, Recall } from './metrics/precision.js'
export type { BatchValues } from './metrics/read.js'
export {
  AveragePrecision,
  type RankingOptions,
  RocAuc,
  TopKAccuracy,
} from './metrics/scores.js'
export {
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  R2,
  RootMeanSquaredError,
} from './metrics/values.js'
export {
  type ActivationHistogram,
  Monitor,
  type MonitorMetric,
  type MonitorOptions,
  type MonitorRecord,
  type SeriesPoint,
} from './monitor/monitor.js'
export {
  ELU,
  GELU,
  Hardtanh,
  LeakyReLU,
  LogSoftmax,
  Mish,
  PReLU,
  ReLU,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
} from './nn/activations.js'
export { BatchNorm1d, BatchNorm2d, type BatchNormOptions } from './nn/batchNorm.js'
export {
  Conv1d,
  Conv2d,
  Conv3d,
  ConvLayer,
  type ConvLayerOptions,
  ConvTranspose2d,
  DepthwiseConv2d,
} from './nn/conv.js'
export { type ConvnetOptions, convnet, type ImageShape } from './nn/convnet.js'
export { Dropout } from './nn/dropout.js'
export { Embedding, type EmbeddingOptions } from './nn/embedding.js'
/** Initial weights, as functions from the shape of a weight, [fanIn, fanOut], to its values. */
export * as init from './nn/init.js'
export { Linear, type LinearOptions } from './nn/linear.js'
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  binaryCrossEntropyWithLogitsLoss,
  type ClassOptions,
  type CrossEntropyOptions,
  cosineEmbedding,
  cosineEmbeddingLoss,
  hinge,
  huber,
  huberLoss,
  type KLDivergenceOptions,
  klDivergence,
  klDivergenceLoss,
  type Loss,
  type LossOptions,
  mae,
  mse,
  negativeCosineSimilarity,
  nll,
  nllLoss,
  type PairLoss,
  type PoissonNllOptions,
  poissonNll,
  poissonNllLoss,
  type Reduction,
  type SigmoidFocalOptions,
  type SoftmaxFocalOptions,
  sigmoidFocal,
  sigmoidFocalLoss,
  smoothL1,
  smoothL1Loss,
  softmaxCrossEntropy,
  softmaxCrossEntropyLoss,
  softmaxFocal,
  softmaxFocalLoss,
  type TargetKind,
  type Targets,
  type TripletLoss,
  type TripletMarginOptions,
  tripletMargin,
  tripletMarginLoss,
} from './nn/losses.js'
export {
  type AnyModule,
  type HookHandle,
  type IncompatibleKeys,
  Module,
  ModuleBuffer,
  Parameter,
  type ParameterValues,
  type SummaryInput,
  type SummaryOptions,
} from './nn/module.js'
export { ModuleDict, ModuleList } from './nn/moduleLists.js'
export {
  GroupNorm,
  LayerNorm,
  type LayerNormOptions,
  RMSNorm,
  type RMSNormOptions,
} from './nn/norm.js'
export {
  AvgPool1d,
  AvgPool2d,
  GlobalAvgPool2d,
  GlobalMaxPool2d,
  MaxPool1d,
  MaxPool2d,
} from './nn/pool.js'
export { type ActivationName, type MlpOptions, mlp, Sequential } from './nn/sequential.js'
export { ChannelsLast, Flatten, type FlattenOptions, Reshape } from './nn/shapes.js'
export { StateDict, type StateSource, type StateValues } from './nn/stateDict.js'
export {
  embeddingsOf,
  type TableEmbedding,
  TableInputs,
  type TableInputsOptions,
  tableNetwork,
} from './nn/tableNetwork.js'
export type { GeluApproximation } from './ops/activations.js'
export { type ConvOptions, conv1d, conv2d, conv3d, convTranspose2d } from './ops/conv.js'
export { einsum } from './ops/einsum.js'
export { where } from './ops/elementwise.js'
export type { Extremes } from './ops/extremes.js'
export { oneHot } from './ops/indexing.js'
export { concat, stack } from './ops/layout.js'
export { bmm, linear, matmul } from './ops/matmul.js'
export { groupNorm, layerNorm, type NormOptions, rmsNorm } from './ops/norm.js'
export type { Ordered } from './ops/order.js'
export { cdist, outer } from './ops/pairs.js'
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  globalAvgPool2d,
  globalMaxPool2d,
  maxPool1d,
  maxPool2d,
  type PoolOptions,
} from './ops/pool.js'
export { cosineSimilarity } from './ops/similarity.js'
export type { Padding, PerAxis } from './ops/window.js'
export { Adadelta, type AdadeltaSettings } from './optim/adadelta.js'
export { Adagrad, type AdagradSettings } from './optim/adagrad.js'
export { Adam, type AdamSettings, AdamW, type AdamWSettings } from './optim/adam.js'
export type { MomentSettings } from './optim/adamFamily.js'
export {
  ExponentialMovingAverage,
  type ExponentialMovingAverageSettings,
} from './optim/average.js'
export { type ClipOptions, clipGradNorm, clipGradValue } from './optim/clip.js'
export { LBFGS, type LBFGSSettings } from './optim/lbfgs.js'
export { Lion, type LionSettings } from './optim/lion.js'
export { NAdam, type NAdamSettings } from './optim/nadam.js'
export { type Group, type GroupSettings, Optimizer } from './optim/optimizer.js'
export { ReduceOnPlateau, type ReduceOnPlateauSettings } from './optim/plateau.js'
export { RAdam, type RAdamSettings } from './optim/radam.js'
export { l1, l2, type Regularizer } from './optim/regularizers.js'
export { RMSprop, type RMSpropSettings } from './optim/rmsprop.js'
/** Learning rates, or momenta, that change with the steps taken: any function of them is one. */
export * as schedules from './optim/schedules.js'
export { SGD, type SGDSettings } from './optim/sgd.js'
export type { OptimizerState } from './optim/state.js'
export { fullLike } from './tensor/allocate.js'
export {
  arange,
  eye,
  full,
  linspace,
  multinomial,
  ones,
  rand,
  randint,
  randn,
  tensor,
  zeros,
} from './tensor/create.js'
export { noGrad } from './tensor/graph.js'
export { Generator, setSeed } from './tensor/random.js'
export { OpenScope, openScope, scope } from './tensor/scope.js'
export type { Shape } from './tensor/shape.js'
export type { ShapedValues } from './tensor/shapedValues.js'
export { type Operand, Tensor } from './tensor/tensor.js'
export type { BatchFitOptions } from './training/batchOptions.js'
export type {
  BatchArrays,
  BatchData,
  BatchPart,
  BatchParts,
  BatchSource,
} from './training/batchSource.js'
export type { AnyLoss, BatchLosses } from './training/batchStep.js'
export type { BlockFitOptions } from './training/blockOptions.js'
export type { ClassScores } from './training/classify.js'
export { type Evaluation, evaluate, predictedClasses } from './training/evaluate.js'
export type { WeightOptions } from './training/exampleWeights.js'
export { fit } from './training/fit.js'
export type { FitOptions } from './training/fitOptions.js'
export {
  type ColumnImportance,
  type ImportanceOptions,
  permutationImportance,
} from './training/importance.js'
export type { ModuleRows } from './training/moduleInputs.js'
export {
  type Predictions,
  type PredictOptions,
  predict,
  predictProba,
} from './training/predict.js'
export { type PredictTableOptions, predictTable } from './training/predictTable.js'
export type { OnDivergence } from './training/recovery.js'
export type {
  EpochReport,
  StepReport,
  TrainingHistory,
  ValidationReport,
  Verbosity,
} from './training/report.js'
export type { RunOptions } from './training/runs/options.js'
export { Autoencoder, type AutoencoderOptions, type Noise } from './unsupervised/autoencoder.js'
export { type LayerFitOptions, UnsupervisedLayer } from './unsupervised/layer.js'
export { type PretrainHistory, pretrain } from './unsupervised/pretrain.js'
export type { PretrainOptions, PretrainReport } from './unsupervised/pretrainOptions.js'
export { RBM, type RBMOptions } from './unsupervised/rbm.js'
