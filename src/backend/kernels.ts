/**
 * The kernel table: one row per kernel. Everything that crosses the seam between TypeScript and a
 * backend is described here and nowhere else; the native addon is compared with this table when it is
 * loaded. An argument is `name:use` for a number, `name:use:dtype` for a buffer, which is named by its
 * handle:
 *
 * | use     | value                                                       |
 * |---------|-------------------------------------------------------------|
 * | in      | buffer, only read                                           |
 * | out     | buffer, every element of the extent is written              |
 * | inout   | buffer, read and written, and what is not written is kept   |
 * | scratch | buffer to compute in; undefined before and after            |
 * | size    | integer from 0 to 2^53 - 1                                  |
 * | float   | any number                                                  |
 *
 * | dtype         | buffers of                                             |
 * |---------------|--------------------------------------------------------|
 * | int32, uint8… | that dtype                                             |
 * | F             | float32 or float64; all F of one call are the same     |
 * | T             | any dtype; all T of one call are the same              |
 * | S             | any dtype, whatever T is                               |
 *
 * Elementwise kernels may write over one of their inputs; all others need results apart from
 * everything else. A backend may lack a dtype of F; it then refuses the call.
 */

declare const handleBrand: unique symbol
/** Names a buffer of a backend: slot and generation in one number, so that a stale one is noticed. */
export type Handle = number & { readonly [handleBrand]: true }

// n0 × n1 × n2 elements; an operand is repeated along the dimensions that are missing from its mask
// (broadcast.ts). Three levels hold any broadcast that alternates at most twice.
const binary = [
  'a:in:F',
  'b:in:F',
  'y:out:F',
  'n0:size',
  'n1:size',
  'n2:size',
  'aMask:size',
  'bMask:size',
] as const
const unary = ['x:in:F', 'y:out:F', 'n:size'] as const
const activationGrad = ['y:in:F', 'dy:in:F', 'dx:out:F', 'n:size'] as const
// Of op(a) [m, k] and op(b) [k, n]; transA, transB (and panels) are 0 or 1.
const transposesAndExtents = ['transA:size', 'transB:size', 'm:size', 'n:size', 'k:size'] as const
const biasActivation = ['x:in:F', 'bias:in:F', 'y:out:F', 'rows:size', 'cols:size'] as const
const biasActivationGrad = [
  'y:in:F',
  'dy:in:F',
  'dx:out:F',
  'dbias:out:F',
  'scratch:scratch:F',
  'rows:size',
  'cols:size',
] as const
const linear = [
  'x:in:F',
  'w:in:F',
  'bias:in:F',
  'y:out:F',
  'm:size',
  'n:size',
  'k:size',
  'panels:size',
] as const
const linearGrad = [
  'dy:in:F',
  'w:in:F',
  'y:in:F',
  'dx:out:F',
  'dbias:out:F',
  'scratch:scratch:F',
  'm:size',
  'n:size',
  'k:size',
  'panels:size',
] as const
// x is [outer, length, inner], y is [outer, inner].
const reduction = ['x:in:F', 'y:out:F', 'outer:size', 'length:size', 'inner:size'] as const
const rows = ['x:in:F', 'y:out:F', 'rows:size', 'cols:size'] as const
const rowsGrad = ['y:in:F', 'dy:in:F', 'dx:out:F', 'rows:size', 'cols:size'] as const

export const kernels = {
  // c = alpha·op(a)·op(b) + beta·c; with panels, b (before op) lies in panels.
  gemm: [
    'a:in:F',
    'b:in:F',
    'c:inout:F',
    ...transposesAndExtents,
    'alpha:float',
    'beta:float',
    'panels:size',
  ],

  // y = f(x·w + bias); x is [m, k], w [k, n], with panels in panels.
  linear,
  linearRelu: linear,
  linearSigmoid: linear,
  linearTanh: linear,
  // dx = f'(y)·(dy·wᵀ) and dbias, the sums of its columns; dy is [m, k], w [n, k], with panels in
  // panels; scratch holds ceil(m/16)·n.
  gemmReluGrad: linearGrad,
  gemmSigmoidGrad: linearGrad,
  gemmTanhGrad: linearGrad,

  // A weight gradient op(a)·op(b) [m, n], which is never stored, and its step of sgd, sgdMomentum or
  // adam at once, settings as for them; with panels, w (and nothing else) lies in panels.
  gemmSgd: [
    'a:in:F',
    'b:in:F',
    'w:inout:F',
    'settings:in:F',
    ...transposesAndExtents,
    'panels:size',
  ],
  gemmSgdMomentum: [
    'a:in:F',
    'b:in:F',
    'w:inout:F',
    'velocity:inout:F',
    'settings:in:F',
    ...transposesAndExtents,
    'panels:size',
  ],
  gemmAdam: [
    'a:in:F',
    'b:in:F',
    'w:inout:F',
    'mean:inout:F',
    'square:inout:F',
    'settings:in:F',
    ...transposesAndExtents,
    'panels:size',
  ],

  // Weights [rows, cols] between rows and panels: blocks of 64 columns, the last one narrower, one
  // after another, the rows of each one after another.
  packPanels: rows,
  unpackPanels: rows,

  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  pow: binary,
  maximum: binary,
  minimum: binary,
  // Comparisons give 1 or 0.
  equal: [
    'a:in:T',
    'b:in:T',
    'y:out:F',
    'n0:size',
    'n1:size',
    'n2:size',
    'aMask:size',
    'bMask:size',
  ],
  notEqual: binary,
  less: binary,
  lessEqual: binary,
  greater: binary,
  greaterEqual: binary,

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
  affine: ['x:in:F', 'y:out:F', 'n:size', 'scale:float', 'shift:float'],
  // y = min(max(x, low), high)
  clip: ['x:in:F', 'y:out:F', 'n:size', 'low:float', 'high:float'],
  // y = condition ≠ 0 ? a : b
  select: ['condition:in:F', 'a:in:F', 'b:in:F', 'y:out:F', 'n:size'],

  // value as `cast` would convert it from float64.
  fill: ['y:out:T', 'n:size', 'value:float'],
  // y[o, r, i] = x[o, i] for y [outer, repeat, inner]
  expand: ['x:in:T', 'y:out:T', 'outer:size', 'repeat:size', 'inner:size'],
  // rows × cols elements; row r starts at xOffset + r·xStride and goes to yOffset + r·yStride.
  copy2d: [
    'x:in:T',
    'y:inout:T',
    'rows:size',
    'cols:size',
    'xOffset:size',
    'xStride:size',
    'yOffset:size',
    'yStride:size',
  ],
  // y[o, c, r, i] = x[o, r, c, i]
  transpose: ['x:in:T', 'y:out:T', 'outer:size', 'rows:size', 'cols:size', 'inner:size'],
  // To an integer the fraction is cut off, and what is out of range is taken modulo 2^bits (NaN and
  // infinities: 0); to a bool everything but 0 is true, NaN too.
  cast: ['x:in:S', 'y:out:T', 'n:size'],

  // y = scale·Σ x over the middle dimension (scale = 1 / length: the mean)
  sum: [...reduction, 'scale:float'],
  max: reduction,
  // y = √(Σ x²) over the middle dimension; squares neither overflow nor vanish
  norm: reduction,
  // First position of the largest; NaN counts as largest.
  argmax: ['x:in:F', 'y:out:int32', 'outer:size', 'length:size', 'inner:size'],

  softmax: rows,
  logSoftmax: rows,
  softmaxGrad: rowsGrad,
  logSoftmaxGrad: rowsGrad,
  // losses[r] = log Σ e^logits[r] - logits[r, labels[r]]
  softmaxCrossEntropy: ['logits:in:F', 'labels:in:int32', 'losses:out:F', 'rows:size', 'cols:size'],
  // dlogits[r] = dlosses[r]·(softmax(logits[r]) - onehot(labels[r]))
  softmaxCrossEntropyGrad: [
    'logits:in:F',
    'labels:in:int32',
    'dlosses:in:F',
    'dlogits:out:F',
    'rows:size',
    'cols:size',
  ],

  // y[r] = x[indices[r]]; x is [sourceRows, cols]
  gatherRows: [
    'x:in:T',
    'indices:in:int32',
    'y:out:T',
    'count:size',
    'cols:size',
    'sourceRows:size',
  ],
  // The same from bytes, times scale: images stay bytes until their batch is taken.
  gatherBytes: [
    'x:in:uint8',
    'indices:in:int32',
    'y:out:F',
    'count:size',
    'cols:size',
    'sourceRows:size',
    'scale:float',
  ],
  // dx[indices[r]] += dy[r], in order of r; dx is [targetRows, cols]
  scatterAddRows: [
    'dy:in:F',
    'indices:in:int32',
    'dx:inout:F',
    'count:size',
    'cols:size',
    'targetRows:size',
  ],
  oneHot: ['labels:in:int32', 'y:out:F', 'rows:size', 'cols:size'],

  // state: Philox key (2 words) and counter (2 words), advanced by what was drawn; see random.ts.
  uniform: ['y:out:F', 'state:inout:int32', 'n:size', 'low:float', 'high:float'],
  normal: ['y:out:F', 'state:inout:int32', 'n:size', 'mean:float', 'std:float'],
  // 1 with probability p, else 0
  bernoulli: ['y:out:F', 'state:inout:int32', 'n:size', 'p:float'],
  // The same with a probability for each element; NaN where that is NaN.
  bernoulliEach: ['p:in:F', 'y:out:F', 'state:inout:int32', 'n:size'],
  permutation: ['y:out:int32', 'state:inout:int32', 'n:size'],

  // settings: [lr, momentum, nesterov, weightDecay, l2, l1]; see optim/sgd.ts. A buffer, because
  // what may change from step to step must not be frozen into a recorded step.
  sgd: ['w:inout:F', 'dw:in:F', 'settings:in:F', 'n:size'],
  sgdMomentum: ['w:inout:F', 'dw:in:F', 'velocity:inout:F', 'settings:in:F', 'n:size'],
  // settings: [lr, stepSize, 1 - beta1, 1 - beta2, epsilon, weightDecay, l2, l1]; see optim/adam.ts.
  adam: ['w:inout:F', 'dw:in:F', 'mean:inout:F', 'square:inout:F', 'settings:in:F', 'n:size'],
  // Columns of w [rows, cols] whose Euclidean norm is above limit[0] are scaled down to it.
  maxNorm: ['w:inout:F', 'limit:in:F', 'rows:size', 'cols:size'],

  // Image i of x [count, height, width] seen through an affine map and a displacement of each pixel:
  // y[r, c] = x[p] with p = centre + [[a, b], [c, d]]·((r, c) - centre) + (rowShift, colShift)[r, c],
  // bilinear between pixels, 0 beyond them. maps is [count, 4], shifts [count, 2, height, width].
  warp: [
    'x:in:F',
    'maps:in:F',
    'shifts:in:F',
    'y:out:F',
    'count:size',
    'height:size',
    'width:size',
  ],
} as const satisfies Record<string, readonly string[]>

export type KernelName = keyof typeof kernels

type ArgumentOf<Row extends string> = Row extends `${string}:${'size' | 'float'}` ? number : Handle
type ArgumentsOf<Rows extends readonly string[]> = {
  [I in keyof Rows]: Rows[I] extends string ? ArgumentOf<Rows[I]> : never
}
/** Arguments of one kernel, in the order of its row. */
export type KernelArgs<K extends KernelName> = ArgumentsOf<(typeof kernels)[K]>

type NameOf<Row extends string> = Row extends `${infer Name}:${string}` ? Name : never
/** The same by name; buffers by whatever stands for them, a handle or a position in a tape. */
export type NamedArgs<K extends KernelName> = {
  [Row in (typeof kernels)[K][number] as NameOf<Row>]: number
}

/** The row as one string, which is what the addon reports of itself. */
export function signature(kernel: KernelName): string {
  return kernels[kernel].join(' ')
}
