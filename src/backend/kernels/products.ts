/** Rows of the kernel table: products, and what is fused with them. */

// Of op(a) [m, k] and op(b) [k, n]; transA, transB (and panels) are 0 or 1.
const transposesAndExtents = ['transA:size', 'transB:size', 'm:size', 'n:size', 'k:size'] as const

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

export const products = {
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

  // y = op(a)·op(b) for each of n0 × n1 × n2 products; an operand's matrices are repeated along the
  // dimensions that are missing from its mask, as elements are by binary kernels.
  gemmBatched: [
    'a:in:F',
    'b:in:F',
    'y:out:F',
    'transA:size',
    'transB:size',
    'n0:size',
    'n1:size',
    'n2:size',
    'aMask:size',
    'bMask:size',
    'm:size',
    'n:size',
    'k:size',
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
} as const
