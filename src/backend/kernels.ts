/**
 * The kernel table: one row per kernel, `name:kind` per argument. Everything that crosses the seam
 * between TypeScript and a backend is described here and nowhere else; the native addon is compared
 * with this table when it is loaded. Kinds:
 *
 * | kind      | value                                                              |
 * |-----------|--------------------------------------------------------------------|
 * | in        | handle of floats, only read                                        |
 * | out       | handle of floats, every element of the extent is written           |
 * | inout     | handle of floats, read and written                                 |
 * | scratch   | handle of floats to compute in; undefined before and after         |
 * | ints      | handle of int32, only read (labels, row indices)                   |
 * | intsOut   | handle of int32, written                                           |
 * | intsInout | handle of int32, read and written (state of a random generator)    |
 * | bytes     | handle of uint8, only read                                         |
 * | any       | handle of any dtype, only read; all `any` of one call agree        |
 * | anyOut    | handle of that same dtype, written                                 |
 * | anyInout  | the same, and what is not written is kept                          |
 * | size      | integer from 0 to 2^53 - 1                                         |
 * | float     | any number                                                         |
 *
 * Elementwise kernels may write over one of their inputs; all others need a separate result.
 */

declare const handleBrand: unique symbol
/** Names a buffer of a backend: slot and generation in one number, so that a stale one is noticed. */
export type Handle = number & { readonly [handleBrand]: true }

// n0 × n1 × n2 elements; an operand is repeated along the dimensions whose bit (1, 2, 4 for n0, n1,
// n2) is missing from its mask. Three levels hold any broadcast that alternates at most twice.
const binary = [
  'a:in',
  'b:in',
  'y:out',
  'n0:size',
  'n1:size',
  'n2:size',
  'aMask:size',
  'bMask:size',
] as const
const unary = ['x:in', 'y:out', 'n:size'] as const
const activationGrad = ['y:in', 'dy:in', 'dx:out', 'n:size'] as const
// Of op(a) [m, k] and op(b) [k, n]; transA, transB are 0 or 1.
const transposesAndExtents = ['transA:size', 'transB:size', 'm:size', 'n:size', 'k:size'] as const
const biasActivation = ['x:in', 'bias:in', 'y:out', 'rows:size', 'cols:size'] as const
const biasActivationGrad = [
  'y:in',
  'dy:in',
  'dx:out',
  'dbias:out',
  'scratch:scratch',
  'rows:size',
  'cols:size',
] as const
// x is [outer, length, inner], y is [outer, inner].
const reduction = ['x:in', 'y:out', 'outer:size', 'length:size', 'inner:size'] as const
const rows = ['x:in', 'y:out', 'rows:size', 'cols:size'] as const
const rowsGrad = ['y:in', 'dy:in', 'dx:out', 'rows:size', 'cols:size'] as const

export const kernels = {
  // c = alpha·op(a)·op(b) + beta·c; op(a) is [m, k], op(b) is [k, n]; transA, transB are 0 or 1.
  gemm: ['a:in', 'b:in', 'c:inout', ...transposesAndExtents, 'alpha:float', 'beta:float'],

  // w = (1 - lr·(weightDecay + 2·l2))·w - lr·op(a)·op(b), then the soft threshold by lr·l1: a weight
  // gradient and its step of sgd at once. settings as for sgd.
  gemmSgd: ['a:in', 'b:in', 'w:inout', 'settings:in', ...transposesAndExtents],

  // A weight gradient op(a)·op(b) [m, n] and its step of sgdMomentum or adam at once, settings as for
  // them. The gradient is never stored as a whole; scratch holds m·(n + k).
  gemmSgdMomentum: [
    'a:in',
    'b:in',
    'w:inout',
    'velocity:inout',
    'settings:in',
    'scratch:scratch',
    ...transposesAndExtents,
  ],
  gemmAdam: [
    'a:in',
    'b:in',
    'w:inout',
    'mean:inout',
    'square:inout',
    'settings:in',
    'scratch:scratch',
    ...transposesAndExtents,
  ],

  // Weights [rows, cols] between rows and panels: blocks of 64 columns, the last one narrower, one
  // after another, the rows of each one after another.
  packPanels: rows,
  unpackPanels: rows,
  // c = a·op(b) and w = … - lr·aᵀ·b as above, b before op and w in panels.
  gemmPanels: ['a:in', 'b:in', 'c:out', 'transB:size', 'm:size', 'n:size', 'k:size'],
  gemmSgdPanels: ['a:in', 'b:in', 'w:inout', 'settings:in', 'm:size', 'n:size', 'k:size'],

  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  pow: binary,
  maximum: binary,
  minimum: binary,
  // Comparisons give 1 or 0.
  equal: binary,
  notEqual: binary,
  less: binary,
  lessEqual: binary,
  greater: binary,
  greaterEqual: binary,
  equalInts: [
    'a:ints',
    'b:ints',
    'y:out',
    'n0:size',
    'n1:size',
    'n2:size',
    'aMask:size',
    'bMask:size',
  ],

  neg: unary,
  abs: unary,
  sign: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  square: unary,
  reciprocal: unary,
  sin: unary,
  cos: unary,
  relu: unary,
  sigmoid: unary,
  tanh: unary,
  // log(1 + e^x)
  softplus: unary,
  // From the activation's result y: dx = dy·g'(x).
  reluGrad: activationGrad,
  sigmoidGrad: activationGrad,
  tanhGrad: activationGrad,
  // y = g(x + bias), and from its result y: dx = dy·g'(x + bias), dbias = Σ dx over the rows;
  // scratch holds ⌈rows/16⌉·cols.
  biasRelu: biasActivation,
  biasSigmoid: biasActivation,
  biasTanh: biasActivation,
  biasReluGrad: biasActivationGrad,
  biasSigmoidGrad: biasActivationGrad,
  biasTanhGrad: biasActivationGrad,
  // y = scale·x + shift
  affine: ['x:in', 'y:out', 'n:size', 'scale:float', 'shift:float'],
  // y = min(max(x, low), high)
  clip: ['x:in', 'y:out', 'n:size', 'low:float', 'high:float'],
  // y = condition ≠ 0 ? a : b
  select: ['condition:in', 'a:in', 'b:in', 'y:out', 'n:size'],

  fill: ['y:out', 'n:size', 'value:float'],
  // y[o, r, i] = x[o, i] for y [outer, repeat, inner]
  expand: ['x:in', 'y:out', 'outer:size', 'repeat:size', 'inner:size'],
  // rows × cols elements; row r starts at xOffset + r·xStride and goes to yOffset + r·yStride.
  copy2d: [
    'x:any',
    'y:anyInout',
    'rows:size',
    'cols:size',
    'xOffset:size',
    'xStride:size',
    'yOffset:size',
    'yStride:size',
  ],
  // y[o, c, r, i] = x[o, r, c, i]
  transpose: ['x:any', 'y:anyOut', 'outer:size', 'rows:size', 'cols:size', 'inner:size'],
  intsToFloats: ['x:ints', 'y:out', 'n:size'],

  // y = scale·Σ x over the middle dimension (scale = 1 / length: the mean)
  sum: [...reduction, 'scale:float'],
  max: reduction,
  // y = √(Σ x²) over the middle dimension; squares neither overflow nor vanish
  norm: reduction,
  // First position of the largest; NaN counts as largest.
  argmax: ['x:in', 'y:intsOut', 'outer:size', 'length:size', 'inner:size'],

  softmax: rows,
  logSoftmax: rows,
  softmaxGrad: rowsGrad,
  logSoftmaxGrad: rowsGrad,
  // losses[r] = log Σ e^logits[r] - logits[r, labels[r]]
  softmaxCrossEntropy: ['logits:in', 'labels:ints', 'losses:out', 'rows:size', 'cols:size'],
  // dlogits[r] = dlosses[r]·(softmax(logits[r]) - onehot(labels[r]))
  softmaxCrossEntropyGrad: [
    'logits:in',
    'labels:ints',
    'dlosses:in',
    'dlogits:out',
    'rows:size',
    'cols:size',
  ],

  // y[r] = x[indices[r]]; x is [sourceRows, cols]
  gatherRows: ['x:any', 'indices:ints', 'y:anyOut', 'count:size', 'cols:size', 'sourceRows:size'],
  // The same from bytes, times scale: images stay bytes until their batch is taken.
  gatherBytes: [
    'x:bytes',
    'indices:ints',
    'y:out',
    'count:size',
    'cols:size',
    'sourceRows:size',
    'scale:float',
  ],
  // dx[indices[r]] += dy[r], in order of r; dx is [targetRows, cols]
  scatterAddRows: [
    'dy:in',
    'indices:ints',
    'dx:inout',
    'count:size',
    'cols:size',
    'targetRows:size',
  ],
  oneHot: ['labels:ints', 'y:out', 'rows:size', 'cols:size'],

  // state: Philox key (2 words) and counter (2 words), advanced by what was drawn; see random.ts.
  uniform: ['y:out', 'state:intsInout', 'n:size', 'low:float', 'high:float'],
  normal: ['y:out', 'state:intsInout', 'n:size', 'mean:float', 'std:float'],
  // 1 with probability p, else 0
  bernoulli: ['y:out', 'state:intsInout', 'n:size', 'p:float'],
  // The same with a probability for each element; NaN where that is NaN.
  bernoulliEach: ['p:in', 'y:out', 'state:intsInout', 'n:size'],
  permutation: ['y:intsOut', 'state:intsInout', 'n:size'],

  // settings: [lr, momentum, nesterov, weightDecay, l2, l1]; see optim/sgd.ts. A buffer, because
  // what may change from step to step must not be frozen into a recorded step.
  sgd: ['w:inout', 'dw:in', 'settings:in', 'n:size'],
  sgdMomentum: ['w:inout', 'dw:in', 'velocity:inout', 'settings:in', 'n:size'],
  // settings: [lr, stepSize, 1 - beta1, 1 - beta2, epsilon, weightDecay, l2, l1]; see optim/adam.ts.
  adam: ['w:inout', 'dw:in', 'mean:inout', 'square:inout', 'settings:in', 'n:size'],
  // Columns of w [rows, cols] whose Euclidean norm is above limit[0] are scaled down to it.
  maxNorm: ['w:inout', 'limit:in', 'rows:size', 'cols:size'],

  // Image i of x [count, height, width] seen through an affine map and a displacement of each pixel:
  // y[r, c] = x[p] with p = centre + [[a, b], [c, d]]·((r, c) - centre) + (rowShift, colShift)[r, c],
  // bilinear between pixels, 0 beyond them. maps is [count, 4], shifts [count, 2, height, width].
  warp: ['x:in', 'maps:in', 'shifts:in', 'y:out', 'count:size', 'height:size', 'width:size'],
} as const satisfies Record<string, readonly string[]>

export type KernelName = keyof typeof kernels

type ArgumentOf<Row extends string> = Row extends `${string}:${'size' | 'float'}` ? number : Handle
type ArgumentsOf<Rows extends readonly string[]> = {
  [I in keyof Rows]: Rows[I] extends string ? ArgumentOf<Rows[I]> : never
}
/** Arguments of one kernel, in the order of its row. */
export type KernelArgs<K extends KernelName> = ArgumentsOf<(typeof kernels)[K]>

/** The row as one string, which is what the addon reports of itself. */
export function signature(kernel: KernelName): string {
  return kernels[kernel].join(' ')
}
