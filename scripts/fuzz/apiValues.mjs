// What the API is called with: of each kind of argument values that fit, and values that fit nothing.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import sharp from 'sharp'
import * as blas from '../../lib/blas/index.js'
import * as keras from '../../lib/frontends/keras/index.js'
import * as sklearn from '../../lib/frontends/sklearn/index.js'
import * as neuroblas from '../../lib/index.js'
import * as plot from '../../lib/plot/index.js'
import { HOSTILE } from './random.mjs'

export const pool = neuroblas
const { tensor, zeros, ones, mlp, SGD, Adam, Generator, iris, dataset, Linear } = neuroblas

const SQL =
  "select range as a, 'xy'[1 + range % 2] as b, date '2024-01-01' + range::INTEGER as day from range(9)"
const records = [1, 2, 3, 4].map((a) => ({ a, b: a % 2 ? 'x' : 'y' }))
const images = await imagesIn(mkdtempSync(join(tmpdir(), 'neuroblas-fuzz-images-')))

/** Few small ones, of two classes. */
async function imagesIn(folder) {
  process.once('exit', () => rmSync(folder, { recursive: true }))
  for (const [name, background] of [
    ['light', '#eee'],
    ['dark', '#222'],
  ]) {
    mkdirSync(join(folder, name))
    for (let i = 0; i < 3; i++) {
      const picture = sharp({ create: { width: 3 + i, height: 4, channels: 3, background } })
      await picture.toFile(join(folder, name, `${i}.png`))
    }
  }
  return folder
}

/** Errors of the values that fit nothing, not of the library: they throw when they are looked at. */
class Outside extends Error {}
export const isOutside = (error) => error instanceof Outside

const throwing = () => {
  throw new Outside('looked at')
}

/** Values that fit nothing. */
function junk({ pick, below }) {
  const loop = []
  loop.push(loop)
  return pick([
    () => undefined,
    () => null,
    () => true,
    () => '',
    () => 'x',
    () => 12n,
    () => Symbol('x'),
    () => ({}),
    () => Object.create(null),
    () => [],
    () => loop,
    () => [1, undefined, 3],
    () => new Array(3),
    () => [[1], [2, 3]],
    () => ['a', 'b'],
    () => [null],
    () => pick(HOSTILE),
    () => [pick(HOSTILE), pick(HOSTILE)],
    () => new Date(0),
    () => new Map([['a', 1]]),
    () => new Set([1]),
    () => new Float64Array(3),
    () => new BigInt64Array([2n ** 60n + 1n]),
    () => new DataView(new ArrayBuffer(8)),
    () => new ArrayBuffer(8),
    () => new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing }),
    () => new Proxy([1, 2], {}),
    () => ({ length: 2, 0: 1, 1: 2 }),
    () => ({ toString: throwing, valueOf: throwing }),
    () => Object.defineProperty(new Float32Array(2), 'length', { value: 1e6 }),
    () => runInNewContext('[1, 2]'),
    () => runInNewContext('new Float32Array(4)'),
    () => () => {},
    () => async () => {},
    () => below(100),
    () => String.raw`\u0000/none`,
  ])()
}

/** Random small numbers in nested arrays. */
function nested({ below, random }, rank = 2) {
  if (rank === 0) return random()
  return Array.from({ length: 1 + below(3) }, () => nested({ below: () => 1, random }, rank - 1))
}

const shape = (c) => Array.from({ length: c.below(4) }, () => c.below(4))
const matrix = (c) => [1 + c.below(3), 1 + c.below(3)]
const size = (c) => c.below(6)

/** What fits, by kind. */
const kinds = {
  any: (c) => c.pick([() => live.pick(c), () => junk(c), () => size(c), () => shape(c)])(),
  shape: (c) => c.pick([shape, matrix])(c),
  size,
  axis: (c) => c.below(5) - 2,
  axes: (c) => c.pick([undefined, c.below(3) - 1, [0], [0, 1], [1, 0]]),
  number: (c) => c.pick([0, 1, -2, 0.5, 3, c.random()]),
  share: (c) => c.random() * 0.9,
  positive: (c) => 0.1 + c.random(),
  flag: (c) => c.chance(0.5),
  dtype: (c) => c.pick(['float32', 'float64', 'int32', 'uint8', 'bool', undefined]),
  text: (c) => c.pick(['a', 'title', 'val_loss', 'relu', 'mean']),
  path: (c) => c.pick(['a.safetensors', 'b.safetensors', 'none', 'a.csv', '.']),
  seed: (c) => c.below(10),
  data: (c) => c.pick([nested(c), nested(c, 1), Float32Array.of(1, 2), Int32Array.of(0, 1), true]),
  rows: (c) => c.pick([[[1, 2, 3, 4]], zeros([2, 4]), [Float64Array.of(1, 2, 3, 4)], [[1], [2]]]),
  asked: (c) => value(c, c.pick(['rows', 'rows', 'blocks'])),
  labels: (c) => c.pick([[0, 1, 2], tensor(Int32Array.of(0, 1, 2)), Int32Array.of(0), [[1], [0]]]),
  tensor: (c) => c.pick([() => live.ofClass(c, neuroblas.Tensor), () => zeros(matrix(c))])(),
  tensors: (c) => [
    zeros([2, 2]),
    c.chance(0.5) ? zeros([2, 2]) : live.ofClass(c, neuroblas.Tensor),
  ],
  integers: (c) => tensor(Int32Array.from({ length: 1 + c.below(3) }, () => c.below(4))),
  fn: (c) =>
    c.pick([
      (x) => x,
      () => zeros([2]),
      (x) => x?.relu?.(),
      (x) => x?.sum?.(),
      () => 3,
      () => undefined,
    ]),
  module: (c) => live.ofClass(c, neuroblas.Module),
  modules: (c) => new Linear(1 + c.below(3), 2),
  parameters: (c) => live.ofClass(c, neuroblas.Module).parameters(),
  optimizer: (c) => {
    const parameters = live.ofClass(c, neuroblas.Module).parameters()
    return parameters.length > 0 ? new SGD(parameters, { lr: 0.1 }) : live.ofClass(c, SGD)
  },
  dataset: (c) => c.pick([few, bytes, values]),
  generator: (c) => new Generator(c.below(10)),
  loss: (c) => c.pick([neuroblas.mse, neuroblas.softmaxCrossEntropy, neuroblas.hinge]),
  regularizer: (c) => c.pick([neuroblas.l1(0.1), [neuroblas.l2(0.1)], undefined]),
  reduction: (c) => c.pick(['mean', 'sum', 'none', undefined]),
  initializer: (c) => c.pick([neuroblas.init.zeros, neuroblas.init.heNormal, undefined]),
  backend: () => 'native',
  threads: (c) => 1 + c.below(2),
  series: (c) => ({ a: [1, 2, 3], b: { x: [1, 2], y: [c.random(), 2] } }),
  columns: () => ({ a: [1, 2, 3], b: tensor([2, 3]) }),
  categories: () => ({ a: 1, b: 2 }),
  pixels: () => [[0, 1, 2, 3], zeros([2, 2])],
  epochs: () => ({ epochs: [{ epoch: 1, loss: 1, validationAccuracy: 0.5 }], bestEpoch: 1 }),
  points: () => [{ step: 1, layer: 'a', value: 2 }],
  classes: () => [0, 1, 1],
  svg: () => '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
  floats: (c) => new Float32Array(c.below(9)),
  layer: (c) => new keras.layers.Dense({ units: 1 + c.below(3), inputShape: [4] }),
  architecture: () => ({ units: [4, 3], activation: 'relu' }),
  notes: () => ({
    dataset: 'few',
    seed: 1,
    classes: ['a', 'b', 'c'],
    preprocessing: { mean: [0], scale: [1] },
    loss: 'cross-entropy',
    testAccuracy: 0.5,
  }),
  records: (c) => c.pick([records, [1, 2, 3, 4].map((a) => ({ a: a * c.random(), b: a })), 'none']),
  // What DuckDB, and a folder of images, give.
  sql: (c) => c.pick([SQL, `${SQL} where a < 0`, "select 'x' as b", 'select', 'none.parquet']),
  tableSource: (c) => value(c, c.pick(['records', 'sql'])),
  imageFolder: (c) => c.pick([images, images, 'none', '.']),
  columnName: (c) => c.pick(['a', 'b', 'day', 'none', 0, -1]),
  columnNames: (c) => [value(c, 'columnName')],
  blocks: () => ({ inputShape: [4], classes: few.classes, blocks: () => [few, few] }),
  preprocessing: () => ({ mean: [0], scale: [1] }),
  inputs: () => [[[1, 2]]],
}

/** An object of options: some of those that there are, now and then one that there is not. */
function optionsOf(c, row) {
  const options = {}
  for (const [name, kind] of Object.entries(row)) {
    if (name.startsWith('!') || c.chance(0.5)) options[name.replace('!', '')] = value(c, kind, name)
  }
  if (c.chance(0.03)) options.unknown = 1
  return options
}

/** Numbers that are counted up to: what is large and hostile here would be waited for. */
const COUNTS = /^!?(epochs|k|maxIter)$/

/** An argument of a kind, which now and then does not fit. */
function value(c, kind, name = '') {
  if (c.chance(0.12)) {
    const other = c.chance(0.5) ? junk(c) : c.pick([() => live.pick(c), () => shape(c)])()
    return COUNTS.test(name) && typeof other === 'number' ? -1 : other
  }
  if (typeof kind === 'object') return optionsOf(c, kind)
  try {
    return (typeof kind === 'function' ? kind : kinds[kind])(c)
  } catch (error) {
    // Of what was disposed of there is nothing to be had.
    if (error instanceof neuroblas.NeuroblasError) return undefined
    throw error
  }
}

export function makeArguments(c, parameters) {
  const args = parameters.map((kind) => value(c, kind))
  if (c.chance(0.05)) args.pop()
  if (c.chance(0.02)) args.push(junk(c))
  return args
}

const chart = { title: 'text', x: 'text', y: 'text', width: (c) => 1 + c.below(500), logY: 'flag' }
const fitting = {
  '!optimizer': 'optimizer',
  '!epochs': (c) => c.below(2),
  batchSize: (c) => 1 + c.below(50),
  seed: 'seed',
  shuffle: 'flag',
  validation: (c) => c.pick([0.5, few, undefined]),
  keepBest: 'flag',
  clipNorm: 'positive',
  clipValue: 'positive',
  accumulate: (c) => 1 + c.below(3),
  ema: () => ({ decay: 0.5 }),
  onStep: 'fn',
  onEpoch: 'fn',
}
const tabled = {
  '!target': (c) => c.pick(['b', 'b', 'a', 'day', -1]),
  task: (c) => c.pick(['classify', 'regress']),
  missing: (c) => c.pick(['refuse', 'drop', 'impute']),
  addIndicator: 'flag',
  features: 'columnNames',
  ignore: 'columnNames',
  text: 'columnNames',
  hashBits: (c) => 1 + c.below(5),
  embedAbove: (c) => c.below(3),
  groupBy: 'columnName',
  time: 'columnName',
  testFraction: () => 0.5,
  seed: 'seed',
  name: 'text',
}
const pictured = {
  '!size': (c) => [1 + c.below(5), 1 + c.below(5)],
  channels: (c) => c.pick([1, 3]),
  resize: (c) => c.pick(['stretch', 'crop']),
  unreadable: (c) => c.pick(['refuse', 'drop']),
  testFraction: () => 0.5,
  seed: 'seed',
}
const settings = { '!lr': 'positive', regularizer: 'regularizer', maxNorm: 'positive' }
const dense = { bias: 'flag', init: 'initializer', generator: 'generator' }
const moves = {
  stride: (c) => 1 + c.below(2),
  padding: (c) => c.pick(['same', 'valid', 1, 2]),
  dilation: (c) => 1 + c.below(2),
  groups: (c) => 1 + c.below(2),
}
/** Images or weights with so many axes of space, so that they fit now and then. */
const volume = (axes) => (c) =>
  zeros([...Array.from({ length: axes + 1 }, () => 1 + c.below(3)), 3])
const none = () => null
const pooled = {
  stride: (c) => 1 + c.below(2),
  padding: (c) => c.pick(['same', 'valid', 1]),
}
const averaged = { ...pooled, countIncludePad: 'flag' }
const normed = { epsilon: 'positive', affine: 'flag' }
const batchNormed = { ...normed, momentum: 'share', correction: (c) => c.below(2) }
/** Images or sequences whose channels are 3, so that they fit now and then. */
const image = (axes) => (c) => zeros([...Array.from({ length: axes + 1 }, () => 1 + c.below(3)), 3])
const channels = () => ones([3])
const classWeights = (c) => Array.from({ length: 1 + c.below(3) }, () => c.below(3))
const perceptron = {
  hiddenLayerSizes: (c) => [1 + c.below(4)],
  '!maxIter': () => 2,
  activation: (c) => c.pick(['relu', 'tanh', 'logistic']),
  solver: (c) => c.pick(['sgd', 'adam']),
  batchSize: (c) => 1 + c.below(9),
  earlyStopping: 'flag',
}
const watching = { monitor: 'text', mode: (c) => c.pick(['auto', 'min']), minDelta: 'share' }
const op = (...parameters) => parameters
const binary = op(
  'size',
  'number',
  'floats',
  () => 1,
  'floats',
  () => 1,
)

/** The parameters of what is exported; what is not here is called with anything. */
const parameters = {
  Adam: op('parameters', { ...settings, beta1: 'share', epsilon: 'positive', amsgrad: 'flag' }),
  AdamW: op('parameters', { ...settings, beta2: 'share', amsgrad: 'flag' }),
  NAdam: op('parameters', { ...settings, momentumDecay: 'share' }),
  RAdam: op('parameters', { ...settings, beta2: 'share' }),
  RMSprop: op('parameters', { ...settings, decay: 'share', momentum: 'share', centered: 'flag' }),
  Adagrad: op('parameters', { ...settings, lrDecay: 'share' }),
  Adadelta: op('parameters', { ...settings, decay: 'share', epsilon: 'positive' }),
  Lion: op('parameters', { ...settings, beta1: 'share' }),
  LBFGS: op('parameters', { '!lr': 'positive', maxIter: (c) => 1 + c.below(3) }),
  ExponentialMovingAverage: op('module', { '!decay': 'share' }),
  ReduceOnPlateau: op('optimizer', { factor: 'share', patience: 'size', threshold: 'share' }),
  clipGradNorm: op('parameters', 'positive', { normType: (c) => c.pick([2, Infinity]) }),
  clipGradValue: op('parameters', 'positive'),
  SGD: op('parameters', { ...settings, momentum: 'share', nesterov: 'flag' }),
  Autoencoder: op('size', 'size', { tied: 'flag', noise: () => ({ masking: 0.1 }), ...dense }),
  RBM: op('size', 'size', { '!k': (c) => 1 + c.below(2), generator: 'generator' }),
  AvgPool1d: op('size', averaged),
  AvgPool2d: op('size', averaged),
  BatchNorm1d: op('size', batchNormed),
  BatchNorm2d: op('size', batchNormed),
  DataLoader: op('dataset', { batchSize: (c) => 1 + c.below(50), shuffle: 'flag', seed: 'seed' }),
  ChannelsLast: op(),
  Conv1d: op('size', 'size', 'size', { ...moves, ...dense }),
  Conv2d: op('size', 'size', 'size', { ...moves, ...dense }),
  Conv3d: op('size', 'size', 'size', { ...moves, ...dense }),
  ConvTranspose2d: op('size', 'size', 'size', { ...moves, ...dense }),
  DepthwiseConv2d: op('size', 'size', 'size', dense),
  Dropout: op('share', 'generator'),
  Flatten: op({ order: () => 'channelsFirst' }),
  Generator: op('seed', 'size'),
  GlobalAvgPool2d: op(),
  GlobalMaxPool2d: op(),
  GroupNorm: op('size', 'size', normed),
  LayerNorm: op('size', normed),
  Linear: op('size', 'size', dense),
  MaxPool1d: op('size', pooled),
  MaxPool2d: op('size', pooled),
  ModuleBuffer: op('tensor'),
  Monitor: op({ every: (c) => 1 + c.below(3), bins: (c) => 1 + c.below(9) }),
  Parameter: op('tensor', { regularized: 'flag' }),
  RMSNorm: op('size', normed),
  ReLU: op(),
  Reshape: op('shape'),
  Sigmoid: op(),
  Softmax: op(),
  Tanh: op(),
  Sequential: op('modules', 'modules'),
  avgPool1d: op(image(1), 'size', averaged),
  avgPool2d: op(image(2), 'size', averaged),
  globalAvgPool2d: op(image(2)),
  globalMaxPool2d: op(image(2)),
  groupNorm: op(image(2), 'size', channels, channels, { epsilon: 'positive' }),
  layerNorm: op(image(1), channels, channels, { epsilon: 'positive' }),
  maxPool1d: op(image(1), 'size', pooled),
  maxPool2d: op(image(2), 'size', pooled),
  rmsNorm: op(image(1), channels, { epsilon: 'positive' }),
  arange: op('size', 'size', 'positive'),
  binaryCrossEntropyWithLogits: op('tensor', 'tensor', 'reduction'),
  binaryCrossEntropyWithLogitsLoss: op({ posWeight: 'positive', classWeights }),
  cosineEmbedding: op('tensor', 'tensor', 'tensor', 'reduction'),
  cosineEmbeddingLoss: op({ margin: 'share' }),
  cosineSimilarity: op('tensor', 'tensor', 'axis'),
  capture: op('fn'),
  concat: op('tensors', 'axis'),
  conv1d: op(volume(1), volume(1), none, moves),
  conv2d: op(volume(2), volume(2), none, moves),
  conv3d: op(volume(3), volume(3), none, moves),
  convTranspose2d: op(volume(2), volume(2), none, moves),
  dataset: op({
    '!inputs': 'rows',
    '!targets': 'labels',
    inputShape: () => [4],
    classes: () => ['a', 'b'],
  }),
  digits: op(),
  imageAugmentation: op({
    '!imageShape': () => [2, 2, 3],
    rotation: 'positive',
    scale: 'share',
    shift: 'share',
    flip: 'flag',
    brightness: 'positive',
    contrast: 'share',
  }),
  distortion: op({
    '!imageShape': () => [2, 2],
    alpha: 'positive',
    sigma: 'positive',
    scale: 'share',
  }),
  evaluate: op('module', 'dataset', { '!loss': 'loss', batchSize: (c) => 1 + c.below(200) }),
  exportOnnx: op('module', 'path', { input: 'shape' }),
  eye: op('size'),
  fit: op('module', (c) => value(c, c.pick(['dataset', 'dataset', 'blocks'])), {
    '!loss': 'loss',
    ...fitting,
    run: (c) => c.pick(['run-a', { folder: 'run-b', every: 1 + c.below(9), keep: 1 }, '']),
    cache: (c) => c.pick([true, false, 'cache']),
    shuffleBuffer: (c) => 1 + c.below(9),
  }),
  fitPreprocessing: op('dataset'),
  fromTorch: op('module', () => trained.stateDict()),
  full: op('shape', 'number'),
  fullLike: op('tensor', 'number', 'shape'),
  getBackend: op(),
  getNumThreads: op(),
  gradCheck: op('fn', 'inputs', { eps: () => 1e-5, tolerance: 'positive' }),
  hinge: op('tensor', 'tensor', 'reduction'),
  bmm: op('tensor', 'tensor'),
  huber: op('tensor', 'tensor', 'reduction'),
  huberLoss: op('positive'),
  klDivergence: op('tensor', 'tensor', 'reduction'),
  klDivergenceLoss: op({ logTarget: 'flag' }),
  negativeCosineSimilarity: op('tensor', 'tensor', 'reduction'),
  nll: op('tensor', 'integers', 'reduction'),
  nllLoss: op({ classWeights, ignoreIndex: 'size' }),
  poissonNll: op('tensor', 'tensor', 'reduction'),
  poissonNllLoss: op({ logInput: 'flag', full: 'flag', epsilon: 'positive' }),
  sigmoidFocal: op('tensor', 'tensor', 'reduction'),
  sigmoidFocalLoss: op({ gamma: 'positive', alpha: 'share' }),
  smoothL1: op('tensor', 'tensor', 'reduction'),
  smoothL1Loss: op('positive'),
  iris: op(),
  l1: op('positive'),
  l2: op('positive'),
  linear: op('tensor', 'tensor', 'tensor'),
  loadClassifier: op('path'),
  loadMlp: op('path'),
  loadRegressor: op('path'),
  loadModel: op('module', 'path'),
  mae: op('tensor', 'tensor', 'reduction'),
  matmul: op('tensor', 'tensor', { transA: 'flag', transB: 'flag' }),
  memory: op(),
  mlp: op((c) => [4, 1 + c.below(5), 3], { activation: () => 'tanh', dropout: 'share', ...dense }),
  mnist: op('path'),
  mse: op('tensor', 'tensor', 'reduction'),
  noGrad: op('fn'),
  oneHot: op('integers', 'size'),
  ones: op('shape'),
  predict: op(() => classifier, 'asked', { batchSize: (c) => 1 + c.below(9) }),
  predictProba: op(() => classifier, 'asked', { batchSize: (c) => 1 + c.below(9) }),
  predictTable: op(() => ofTable, 'tableSource', {
    batchSize: (c) => 1 + c.below(9),
    name: 'text',
  }),
  predictedClasses: op('tensor'),
  preprocess: op('dataset', 'preprocessing'),
  pretrain: op('module', 'dataset', {
    '!method': (c) => c.pick(['rbm', 'autoencoder']),
    '!epochs': (c) => c.below(2),
    visible: () => 'gaussian',
  }),
  rand: op('shape'),
  randn: op('shape'),
  saveClassifier: op(() => trained, 'path', 'architecture', 'notes'),
  saveMlp: op(
    () => trained,
    'path',
    'architecture',
    () => ({ a: 'b' }),
  ),
  saveModel: op('module', 'path', () => ({ a: 'b' })),
  saveRegressor: op(() => trained, 'path', 'architecture', 'notes'),
  scope: op('fn'),
  setBackend: op('backend'),
  setNumThreads: op('threads'),
  setSeed: op('seed'),
  softmaxCrossEntropy: op('tensor', 'integers', 'reduction'),
  softmaxCrossEntropyLoss: op({ classWeights, ignoreIndex: 'size', labelSmoothing: 'share' }),
  softmaxFocal: op('tensor', 'integers', 'reduction'),
  softmaxFocalLoss: op({ gamma: 'positive', alpha: classWeights }),
  split: op('dataset', 'share', 'seed'),
  stack: op('tensors', 'axis'),
  subset: op('dataset', () => [0, 1]),
  table: op('tableSource', { ...tabled, stratify: 'flag', query: () => SQL }),
  tableBlocks: op('sql', { ...tabled, validationFraction: () => 0.2 }),
  imageFolder: op('imageFolder', pictured),
  imageBlocks: op('imageFolder', pictured),
  readImages: op((c) => [`${images}/${c.pick(['light/0', 'dark/1', 'none'])}.png`], pictured),
  tensor: op('data', 'shape', 'dtype'),
  toTorch: op('module'),
  tripletMargin: op('tensor', 'tensor', 'tensor', 'reduction'),
  tripletMarginLoss: op({ margin: 'positive', swap: 'flag' }),
  where: op('tensor', 'tensor', 'tensor'),
  zeros: op('shape'),
  'init.fans': op('shape'),
  'init.glorotNormal': op('shape', 'generator'),
  'init.glorotUniform': op('shape', 'generator'),
  'init.heNormal': op('shape', 'generator'),
  'init.heUniform': op('shape', 'generator'),
  'init.lecunNormal': op('shape', 'generator'),
  'init.lecunUniform': op('shape', 'generator'),
  'init.normal': op('number', 'positive'),
  'init.orthogonal': op('number'),
  'init.uniform': op('number', 'number'),
  'init.zeros': op('shape'),
  'schedules.constant': op('positive'),
  'schedules.cosine': op('positive', 'size', 'share'),
  'schedules.exponential': op('positive', 'share'),
  'schedules.stepDecay': op('positive', 'size', 'share'),
  'schedules.cosineRestarts': op('positive', 'size', 'size', 'share'),
  'schedules.oneCycle': op('positive', 'size', { pctStart: 'share', divFactor: 'positive' }),
  'schedules.polynomial': op('positive', 'size', 'positive', 'share'),
  'schedules.warmUp': op('size', 'positive', 'share'),
  'plot.bars': op('categories', chart),
  'plot.biasVariance': op(
    'classes',
    () => [1, 2, 3].map((v) => ({ bias2: v, variance: v, error: v })),
    chart,
  ),
  'plot.confusionMatrix': op('classes', 'classes', { ...chart, classes: () => ['a', 'b'] }),
  'plot.decisionBoundary': op('module', () => plane, chart),
  'plot.decompose': op('columns', 'classes'),
  'plot.histograms': op('columns', { ...chart, bins: (c) => 1 + c.below(50) }),
  'plot.images': op('pixels', { title: 'text', columns: (c) => 1 + c.below(4) }),
  'plot.layerCurves': op('points', chart),
  'plot.learningCurves': op('epochs', chart),
  'plot.lines': op('series', chart),
  'plot.scatter': op('series', chart),
  'plot.toPng': op('svg', { scale: 'positive' }),
  'plot.weightImages': op(() => zeros([4, 2]), { title: 'text' }),
  'blas.axpy': binary,
  'blas.dot': op(
    'size',
    'floats',
    () => 1,
    'floats',
    () => 1,
  ),
  'blas.gemm': op(
    ...['flag', 'flag', 'size', 'size', 'size', 'number', 'floats', 'size', 'floats', 'size'],
    ...['number', 'floats', 'size'],
  ),
  'blas.gemv': op(
    ...['flag', 'size', 'size', 'number', 'floats', 'size', 'floats', () => 1, 'number', 'floats'],
    () => 1,
  ),
  'keras.Sequential': op((c) => [kinds.layer(c)]),
  'keras.layers.Dense': op({
    '!units': 'size',
    activation: () => 'relu',
    useBias: 'flag',
    inputShape: () => [4],
  }),
  'keras.layers.Activation': op(() => 'tanh', { name: 'text' }),
  'keras.layers.Dropout': op({ '!rate': 'share' }),
  'keras.layers.Flatten': op({ inputShape: () => [4], name: 'text' }),
  'keras.losses.BinaryCrossentropy': op({ fromLogits: 'flag' }),
  'keras.losses.CategoricalCrossentropy': op({ fromLogits: 'flag' }),
  'keras.losses.SparseCategoricalCrossentropy': op({ fromLogits: 'flag' }),
  'keras.optimizers.SGD': op({ learningRate: 'positive', momentum: 'share', nesterov: 'flag' }),
  'keras.optimizers.Adam': op({ learningRate: 'positive', beta1: 'share', epsilon: 'positive' }),
  'keras.optimizers.AdamW': op({ learningRate: 'positive', weightDecay: 'share' }),
  'keras.optimizers.Nadam': op({ learningRate: 'positive', beta1: 'share' }),
  'keras.optimizers.RMSprop': op({ learningRate: 'positive', rho: 'share', momentum: 'share' }),
  'keras.optimizers.Adagrad': op({ learningRate: 'positive', epsilon: 'positive' }),
  'keras.optimizers.Adadelta': op({ learningRate: 'positive', rho: 'share' }),
  'keras.optimizers.Lion': op({ learningRate: 'positive', beta1: 'share' }),
  'keras.optimizers.get': op(() => 'adam'),
  'keras.callbacks.EarlyStopping': op({
    ...watching,
    patience: 'size',
    restoreBestWeights: 'flag',
  }),
  'keras.callbacks.LearningRateScheduler': op('fn'),
  'keras.callbacks.ModelCheckpoint': op('path', { monitor: 'text', saveBestOnly: 'flag' }),
  'keras.callbacks.ReduceLROnPlateau': op({ ...watching, factor: 'share', patience: 'size' }),
  'sklearn.MLPClassifier': op(perceptron),
  'sklearn.MLPRegressor': op(perceptron),
}

/** Parameters of methods, by class and name, where those of any kind would all be refused. */
const methods = {
  assign: op('data'),
  backward: op(() => undefined, { retainGraph: 'flag' }),
  broadcastTo: op('shape'),
  cast: op('dtype'),
  compile: op({
    '!optimizer': (c) => c.pick(['sgd', 'adam', new keras.optimizers.SGD()]),
    '!loss': (c) => c.pick(['mse', 'mae', 'sparseCategoricalCrossentropy']),
    metrics: () => ['mse'],
  }),
  countParams: op(),
  evaluate: op('rows', 'labels', { batchSize: 'size' }),
  forward: op('tensor'),
  indexSelect: op('axis', 'integers'),
  loadStateDict: op((c) => live.pick(c)?.stateDict?.() ?? junk(c)),
  loadWeights: op('path'),
  div: op('tensor', { roundingMode: (c) => c.pick(['floor', 'trunc']) }),
  matmul: op('tensor', { transA: 'flag', transB: 'flag' }),
  observe: op('module', 'tensor', 'tensor'),
  partialFit: op('rows', 'labels', 'labels'),
  permutation: op('size'),
  predict: op('rows', { batchSize: 'size' }),
  reshape: op('shape'),
  restore: op(() => [1, 2, 3, 4]),
  saveWeights: op('path'),
  slice: op(
    () => [0, 1],
    () => undefined,
  ),
  summary: op(() => () => {}),
  transpose: op('axes'),
  view: op('shape'),
}
/** `fit` is another one of each class. */
const fits = new Map([
  [
    keras.Sequential,
    op('rows', 'labels', { '!epochs': (c) => c.below(2), '!verbose': () => 0, batchSize: 'size' }),
  ],
  [sklearn.MLPClassifier, op('rows', 'labels')],
  [sklearn.MLPRegressor, op('rows', 'labels')],
  [neuroblas.UnsupervisedLayer, op('dataset', fitting)],
])

/** Classes that others are made from or that only the library makes, @internal functions, and errors. */
const isBase = (name, target) =>
  /(^|\.)(ConvLayer|Examples|Layer|Loss|Module|Optimizer|Callback|StateDict|Tensor|UnsupervisedLayer|describeSchedule)$/.test(
    name,
  ) || target.prototype instanceof Error

function* exportsOf(prefix, module) {
  for (const [name, target] of Object.entries(module)) {
    if (typeof target === 'object') yield* exportsOf(`${prefix}${name}.`, target)
    else if (typeof target === 'function' && !isBase(name, target))
      yield [`${prefix}${name}`, target]
  }
}

const targets = [
  ...exportsOf('', neuroblas),
  ...exportsOf('plot.', plot),
  ...exportsOf('blas.', blas),
  ...exportsOf('keras.', keras),
  ...exportsOf('sklearn.', sklearn),
]

const all = iris()
const few = neuroblas.subset(all, [0, 1, 50, 51, 100, 101])
const bytes = dataset({ inputs: new Uint8Array(24), inputShape: [4], targets: [0, 1, 2, 0, 1, 2] })
const values = dataset({ inputs: few.inputs, inputShape: [4], targets: new Float32Array(6) })
const plane = dataset({
  inputs: [
    [0, 1],
    [1, 0],
    [1, 1],
  ],
  targets: [0, 1, 1],
})
const trained = mlp([4, 3])
/** Of a table with the columns a and b; the latter is the target. */
const ofTable = {
  model: mlp([1, 2]),
  inputs: 1,
  classes: ['x', 'y'],
  loss: 'cross-entropy',
  encoding: (await neuroblas.table(records, { target: 'b' })).encoding,
}
const classifier = { model: trained, inputs: 4, classes: ['a', 'b', 'c'], loss: 'cross-entropy' }

/** Charts take long: they are called seldom. */
const weight = (name) =>
  name.startsWith('plot.') ? 1 : /^(fit|pretrain|digits)$/.test(name) ? 2 : 8

let objects = []

/** The objects that were made, and what can be called. */
export const live = {
  exports: targets.flatMap(([name, target]) => {
    const isClass = /^class\b/.test(Function.prototype.toString.call(target))
    return Array(weight(name)).fill([
      name,
      { target, isClass, parameters: parameters[name] ?? ['any', 'any'] },
    ])
  }),
  pick: (c) => c.pick(objects),
  ofClass(c, type) {
    const found = objects.filter((object) => object instanceof type)
    return found.length > 0 ? c.pick(found) : zeros([2, 2])
  },
  /** Keeps what a call gave, where it is something to call. */
  keep(result) {
    const isObject = (typeof result === 'object' && result !== null) || typeof result === 'function'
    if (!isObject || ArrayBuffer.isView(result)) return
    if (result instanceof neuroblas.Tensor && result.size > 4096) return
    if (objects.length < 120) objects.push(result)
  },
  /** Methods and accessors of an object's classes. */
  membersOf(object) {
    const members = new Map()
    const own = typeof object === 'function' ? object : Object.getPrototypeOf(object)
    for (let at = own; at && !BUILT_IN.has(at); at = Object.getPrototypeOf(at)) {
      for (const [key, member] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
        // What `fit` calls between epochs is called by nobody else.
        const isOwn =
          SKIPPED.has(key) || /^on[A-Z]/.test(key) || (PROTECTED.has(key) && 'params' in object)
        if (!isOwn && !members.has(key)) members.set(key, member)
      }
    }
    return [...members]
  },
  parametersOf(c, object, key, method) {
    if (key === 'fit') {
      for (const [type, row] of fits) if (object instanceof type) return row
    }
    if (Object.hasOwn(methods, key)) return methods[key]
    return Array.from({ length: Math.max(method.length, c.below(3)) }, () => 'any')
  },
  /** Forgets most of the old ones, and begins with some that work. */
  renew(c) {
    for (const object of objects.splice(0)) if (c.chance(0.3)) objects.push(object)
    const x = tensor([
      [1, 2],
      [3, 4],
    ])
    x.requiresGrad = true
    const model = mlp([4, 3, 3])
    const network = new keras.Sequential([kinds.layer(c)])
    network.compile({ optimizer: 'sgd', loss: 'mse' })
    objects.push(x, model, zeros([2, 4]), tensor(Int32Array.of(0, 1)), new Generator(1), network)
    objects.push(new SGD(model.parameters(), { lr: 0.1 }), new Adam(model.parameters(), { lr: 1 }))
    objects.push(new neuroblas.DataLoader(few, { batchSize: 2 }), new neuroblas.Monitor())
    objects.push(
      new sklearn.MLPClassifier({ maxIter: 2 }),
      neuroblas.capture((x) => x.relu()),
    )
    objects.push(new neuroblas.RBM(4, 2), tensor([true, false]), new neuroblas.Dropout(0.5))
  },
  end() {
    objects = []
  },
}

const BUILT_IN = new Set([Object, Function, Array, Map, Set, Promise].map((type) => type.prototype))
/** What is nobody's else: @internal, or for subclasses; and what functions have. */
const SKIPPED = new Set([
  ...[
    'constructor',
    'prototype',
    'length',
    'name',
    'arguments',
    'caller',
    'node',
    'storage',
    'throw',
    'free',
    'release',
    'partFor',
    'rateChanged',
    'digest',
    'multiplyAdds',
    'passes',
  ],
  ...['add', 'advance', 'settle', 'stepsToSample', 'make', 'check', 'choices', 'settings', 'kept'],
  ...['setModel', 'settingsOf', 'update', 'knownSettings', 'takesProbabilities', 'prepare'],
  ...['expect', 'count', 'figureOf', 'ratio', 'errorOf'],
  ...['stepEach', 'stepOf', 'epsilonsOf', 'velocityRate', 'watch', 'note', 'needsClosure'],
])
/** The same of the estimators. */
const PROTECTED = new Set([
  'warn',
  'learn',
  'warnOfColumn',
  'encode',
  'initialize',
  'lossFor',
  'outputs',
  'scoreOf',
  'trainOnce',
])
// What is called at the start.
live.renew({ chance: () => false, below: () => 1, pick: ([first]) => first, random: () => 0.5 })
