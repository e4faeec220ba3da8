/**
 * Calls of every kernel for the parity test: odd extents, every broadcast, transpose and dtype,
 * special values. No expected results here; two backends must agree on them.
 */
import type { KernelName } from '../../lib/backend/kernels.js'
import {
  activationGrad,
  adam,
  binary,
  crossEntropy,
  gemm,
  gemmSgd,
  reduction,
  rows,
  rowsGrad,
  sgd,
  unary,
} from './arithmeticCases.js'
import { type Cases, out } from './case.js'
import {
  bernoulliEach,
  copy2d,
  drawn,
  gatherRows,
  gatherShapes,
  picks,
  scatterAddRows,
  transpose,
} from './movingCases.js'
import { bytes, floats, ints, SIZES, specials, tuples } from './values.js'

export const cases: { [K in KernelName]: () => Cases } = {
  gemm,
  gemmSgd,
  adam,
  add: () => binary(),
  sub: () => binary(floats, true),
  mul: () => binary(),
  div: () => binary(),
  pow: () => binary(),
  maximum: () => binary(),
  minimum: () => binary(),
  equal: () => binary(),
  notEqual: () => binary(),
  less: () => binary(),
  lessEqual: () => binary(),
  greater: () => binary(),
  greaterEqual: () => binary(),
  equalInts: () => binary((n) => ints(n, 3), true),
  neg: unary,
  abs: unary,
  sign: unary,
  exp: () => unary(40),
  log: () => unary(40),
  sqrt: unary,
  square: unary,
  reciprocal: unary,
  sin: () => unary(500),
  cos: () => unary(500),
  relu: unary,
  sigmoid: () => unary(40),
  tanh: () => unary(10),
  softplus: () => unary(40),
  reluGrad: () => activationGrad(0, 2),
  sigmoidGrad: () => activationGrad(0, 1),
  tanhGrad: () => activationGrad(-1, 1),
  affine: () => unary(2, -2.5, 0.75),
  clip: function* () {
    yield* unary(2, -0.5, 1.25)
    yield* unary(2, 1, 1)
    yield* unary(2, -Infinity, Infinity)
  },
  select: function* () {
    for (const n of SIZES) {
      const condition = specials(n, [0, -0, 1, Number.NaN, -3, 2 ** -149])
      yield [condition, specials(n), specials(n), out(n), n]
      yield [condition, specials(n), specials(n), { alias: 1 }, n]
    }
  },
  fill: function* () {
    for (const n of SIZES)
      for (const value of [0, -0, 2.5, Number.NaN, -Infinity]) yield [out(n), n, value]
  },
  expand: function* () {
    for (const [outer, repeat, inner] of tuples(3, 70000)) {
      yield [floats(outer * inner), out(outer * repeat * inner), outer, repeat, inner]
    }
  },
  copy2d,
  transpose,
  intsToFloats: function* () {
    for (const n of SIZES) yield [ints(n, 2 ** 31), out(n), n]
    yield [Int32Array.of(16777217, -16777217, 2 ** 31 - 1, -(2 ** 31)), out(4), 4]
  },
  sum: () => reduction('float32', SIZES, 0.5),
  norm: () => reduction('float32', SIZES),
  max: () => reduction('float32', SIZES.slice(1)),
  argmax: () => reduction('int32', SIZES.slice(1)),
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
  scatterAddRows,
  oneHot: function* () {
    for (const [r, c] of tuples(2, 70000)) if (c > 0) yield [ints(r, c), out(r * c), r, c]
  },
  uniform: () => drawn('float32', -1.5, 2),
  normal: () => drawn('float32', 0.5, 1.25),
  bernoulli: function* () {
    for (const p of [0, 0.25, 0.75, 1]) yield* drawn('float32', p)
  },
  bernoulliEach,
  permutation: () => drawn('int32'),
  sgd: () => sgd(false),
  sgdMomentum: () => sgd(true),
}
