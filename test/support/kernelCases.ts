/**
 * Calls of every kernel for the parity test: odd extents, every broadcast, transpose and dtype,
 * special values. No expected results here; two backends must agree on them.
 */
import type { KernelName } from '../../lib/backend/kernels.js'
import { activationCases } from './activationCases.js'
import { adaptiveCases } from './adaptiveCases.js'
import {
  activationGrad,
  adam,
  biasActivation,
  biasActivationGrad,
  binary,
  binarySpecials,
  crossEntropy,
  gemm,
  gemmAdam,
  gemmBatched,
  gemmSgd,
  gemmSgdMomentum,
  linear,
  linearGrad,
  maxNorm,
  reduction,
  rounded,
  rows,
  rowsGrad,
  sgd,
  unary,
} from './arithmeticCases.js'
import { type Cases, out } from './case.js'
import * as convolutions from './convCases.js'
import * as images from './imageCases.js'
import {
  comparedWholes,
  integerPairs,
  integerReduction,
  products,
  truthPairs,
  truthReduction,
  unaryIntegers,
  unaryTruths,
  variances,
} from './integerCases.js'
import {
  bernoulliEach,
  cast,
  copy2d,
  drawn,
  expand,
  fill,
  gatherRows,
  gatherShapes,
  picks,
  samples,
  transpose,
  warp,
} from './movingCases.js'
import {
  argsort,
  cdist,
  cdistGrad,
  copyStrided,
  cumprodGrad,
  gather,
  multinomial,
  scan,
  scatter,
  scatterAdd,
  select,
  triangle,
} from './placingCases.js'
import { bytes, doubles, floats, ints, SIZES, tuples } from './values.js'

function* all(...parts: Cases[]): Cases {
  for (const part of parts) yield* part
}

/** Of which quotients are whole now and then. */
const quotients = (n: number) => floats(n, 8).map((x) => Math.round(4 * x) / 4)

export const cases: { [K in KernelName]: () => Cases } = {
  gemm,
  gemmBatched,
  gemmSgd,
  gemmSgdMomentum,
  gemmAdam,
  conv: convolutions.conv,
  convBias: convolutions.convBias,
  convBiasRelu: convolutions.convBias,
  convInputGrad: convolutions.convInputGrad,
  convWeightGrad: convolutions.convWeightGrad,
  convBiasReluPool: convolutions.convBiasReluPool,
  convPoolInputGrad: convolutions.convPoolInputGrad,
  convPoolWeightGrad: convolutions.convPoolWeightGrad,
  linear,
  linearRelu: linear,
  linearSigmoid: linear,
  linearTanh: linear,
  gemmReluGrad: () => linearGrad(0, 2),
  gemmSigmoidGrad: () => linearGrad(0, 1),
  gemmTanhGrad: () => linearGrad(-1, 1),
  adam,
  add: () => all(binary(), integerPairs()),
  sub: () => all(binary(floats, true), integerPairs()),
  mul: () => all(binary(), integerPairs()),
  div: () => binary(),
  pow: () => all(binary(), integerPairs()),
  atan2: () => all(binary(), binarySpecials()),
  maximum: () => all(binary(), integerPairs()),
  minimum: () => all(binary(), integerPairs()),
  equal: function* () {
    yield* binary()
    yield* binary((n) => ints(n, 3), true)
    for (const n of SIZES) {
      for (const x of samples(n)) {
        // Half of them are equal.
        const other = { ...x, data: x.data.map((value, i) => (i % 2 ? value : +!value)) }
        for (const dtype of ['float32', 'float64'] as const) {
          yield [x, other, out(n, dtype), 1, 1, n, 7, 7]
        }
      }
    }
    yield [doubles(7), doubles(7), { alias: 0 }, 1, 1, 7, 7, 7]
  },
  notEqual: () => all(binary(), comparedWholes()),
  less: () => all(binary(), comparedWholes()),
  lessEqual: () => all(binary(), comparedWholes()),
  greater: () => all(binary(), comparedWholes()),
  greaterEqual: () => all(binary(), comparedWholes()),
  floorDivide: () => all(binary(quotients), binarySpecials(), integerPairs(true)),
  remainder: () => all(binary(quotients), binarySpecials(), integerPairs(true)),
  truncDivide: () => integerPairs(true),
  logicalAnd: truthPairs,
  logicalOr: truthPairs,
  logicalXor: truthPairs,
  logicalNot: unaryTruths,
  neg: () => all(unary(), unaryIntegers()),
  abs: () => all(unary(), unaryIntegers()),
  sign: () => all(unary(), unaryIntegers()),
  exp: () => unary(40),
  log: () => unary(40),
  sqrt: unary,
  square: unary,
  reciprocal: unary,
  sin: () => unary(500),
  cos: () => unary(500),
  tan: () => unary(500),
  asin: () => unary(1),
  acos: () => unary(1),
  atan: () => unary(20),
  sinh: () => unary(40),
  cosh: () => unary(40),
  asinh: () => unary(500),
  acosh: () => unary(500),
  atanh: () => unary(1),
  log1p: () => unary(1),
  expm1: () => unary(40),
  erf: () => unary(3),
  floor: rounded,
  ceil: rounded,
  round: rounded,
  trunc: rounded,
  isNaN: unary,
  isFinite: unary,
  ...activationCases,
  step: () => unary(2, -0.25),
  relu: unary,
  sigmoid: () => unary(40),
  tanh: () => unary(10),
  softplus: () => unary(40),
  reluGrad: () => activationGrad(0, 2),
  sigmoidGrad: () => activationGrad(0, 1),
  tanhGrad: () => activationGrad(-1, 1),
  biasRelu: () => biasActivation(2),
  biasSigmoid: () => biasActivation(40),
  biasTanh: () => biasActivation(10),
  biasReluGrad: () => biasActivationGrad(0, 2),
  biasSigmoidGrad: () => biasActivationGrad(0, 1),
  biasTanhGrad: () => biasActivationGrad(-1, 1),
  affine: () => unary(2, -2.5, 0.75),
  clip: function* () {
    yield* unary(2, -0.5, 1.25)
    yield* unary(2, 1, 1)
    yield* unary(2, -Infinity, Infinity)
  },
  select,
  fill,
  expand,
  copy2d,
  transpose,
  cast,
  copyStrided,
  triangle,
  sum: () => reduction('float32', SIZES, 0.5),
  norm: () => reduction('float32', SIZES),
  sumInt32: () => integerReduction(SIZES),
  max: () => all(reduction('float32', SIZES.slice(1)), integerReduction(SIZES.slice(1))),
  min: () => all(reduction('float32', SIZES.slice(1)), integerReduction(SIZES.slice(1))),
  argmaxInOrder: () => all(reduction('int32', SIZES.slice(1)), integerReduction(SIZES.slice(1))),
  argminInOrder: () => all(reduction('int32', SIZES.slice(1)), integerReduction(SIZES.slice(1))),
  argmax: () => all(reduction('int32', SIZES.slice(1)), integerReduction(SIZES.slice(1))),
  variance: variances,
  prod: () => all(products(false), integerReduction(SIZES)),
  prodGrad: () => products(true),
  any: truthReduction,
  all: truthReduction,
  softmax: rows,
  logSoftmax: rows,
  softmaxGrad: () => rowsGrad((p) => p),
  logSoftmaxGrad: () => rowsGrad(Math.log),
  softmaxCrossEntropy: () => crossEntropy(false),
  softmaxCrossEntropyGrad: () => crossEntropy(true),
  gatherRows,
  gatherBytes: function* () {
    for (const [count, cols, sourceRows] of gatherShapes()) {
      const x = bytes(sourceRows * cols)
      const indices = picks(count, sourceRows)
      yield [x, indices, out(count * cols), count, cols, sourceRows, Math.fround(1 / 255)]
    }
  },
  gather,
  scatter,
  scatterAdd,
  oneHot: function* () {
    for (const [r, c] of tuples(2, 70000)) if (c > 0) yield [ints(r, c), out(r * c), r, c]
  },
  uniform: () => drawn('float32', -1.5, 2),
  normal: () => drawn('float32', 0.5, 1.25),
  bernoulli: function* () {
    for (const p of [0, 0.25, 0.75, 1]) yield* drawn('float32', p)
  },
  bernoulliEach,
  randint: function* () {
    yield* drawn('int32', -5, 7)
    yield* drawn('int32', -(2 ** 31), 2 ** 31)
  },
  multinomial,
  permutation: () => drawn('int32'),
  argsort,
  cumsum: scan,
  cumprod: scan,
  cumprodGrad,
  cdist,
  cdistGrad,
  sgd: () => sgd(false),
  sgdMomentum: () => sgd(true),
  maxNorm,
  ...adaptiveCases,
  warp,
  maxPool: images.maxPool,
  maxPoolGrad: images.maxPoolGrad,
  averagePool: () => images.averagePool(false),
  averagePoolGrad: () => images.averagePool(true),
  batchNormMoments: images.batchNormMoments,
  batchNorm: images.batchNorm,
  batchNormRelu: images.batchNorm,
  batchNormSums: images.batchNormSums,
  batchNormGrad: images.batchNormGrad,
  layerNorm: images.layerNorm,
  layerNormGrad: images.layerNormGrad,
  layerNormSums: images.layerNormSums,
}
