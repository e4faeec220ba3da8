/** Rows of the kernel table: what is computed element by element. */

// n0 × n1 × n2 elements; an operand is repeated along the dimensions that are missing from its mask
// (broadcast.ts). Three levels hold any broadcast that alternates at most twice.
const extents = ['n0:size', 'n1:size', 'n2:size', 'aMask:size', 'bMask:size'] as const

const binary = ['a:in:F', 'b:in:F', 'y:out:F', ...extents] as const
// Integers wrap around beyond their range.
const arithmetic = ['a:in:N', 'b:in:N', 'y:out:N', ...extents] as const
const comparison = ['a:in:T', 'b:in:T', 'y:out:F', ...extents] as const
const logical = ['a:in:bool', 'b:in:bool', 'y:out:bool', ...extents] as const

const unary = ['x:in:F', 'y:out:F', 'n:size'] as const
const numbers = ['x:in:N', 'y:out:N', 'n:size'] as const

const activationGrad = ['y:in:F', 'dy:in:F', 'dx:out:F', 'n:size'] as const

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

export const elementwise = {
  add: arithmetic,
  sub: arithmetic,
  mul: arithmetic,
  div: binary,
  // Of integers what is behind the point is left out, as in 2^-1 = 0, and 0 to a power below 0 is 0.
  pow: arithmetic,
  // The angle of the point (b, a), from -π to π.
  atan2: binary,
  maximum: arithmetic,
  minimum: arithmetic,
  // The next whole number below a / b, and what is left over then; of integers b must not be 0.
  floorDivide: arithmetic,
  remainder: arithmetic,
  // a / b without what is behind the point; b must not be 0.
  truncDivide: ['a:in:int32', 'b:in:int32', 'y:out:int32', ...extents],
  // Comparisons give 1 or 0.
  equal: comparison,
  notEqual: comparison,
  less: comparison,
  lessEqual: comparison,
  greater: comparison,
  greaterEqual: comparison,
  logicalAnd: logical,
  logicalOr: logical,
  logicalXor: logical,
  logicalNot: ['x:in:bool', 'y:out:bool', 'n:size'],

  neg: numbers,
  abs: numbers,
  sign: numbers,
  exp: unary,
  log: unary,
  sqrt: unary,
  square: unary,
  reciprocal: unary,
  sin: unary,
  cos: unary,
  tan: unary,
  asin: unary,
  acos: unary,
  atan: unary,
  sinh: unary,
  cosh: unary,
  asinh: unary,
  acosh: unary,
  atanh: unary,
  log1p: unary,
  expm1: unary,
  erf: unary,
  floor: unary,
  ceil: unary,
  // Of two whole numbers that are equally near, to the even one.
  round: unary,
  trunc: unary,
  // 1 or 0, as comparisons.
  isNaN: unary,
  isFinite: unary,
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
  select: ['condition:in:S', 'a:in:T', 'b:in:T', 'y:out:T', 'n:size'],
} as const
