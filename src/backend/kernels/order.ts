/** Rows of the kernel table: what goes along an axis in order. */

// Integers wrap around beyond their range.
const scan = [
  'x:in:N',
  'y:out:N',
  'outer:size',
  'length:size',
  'inner:size',
  'reverse:size',
] as const

export const order = {
  // Positions of the first `count` elements of each line of x [outer, length, inner] in their order,
  // NaN above all, equal ones as they come; x is of float32 or int32. indices is
  // [outer, count, inner], keys holds as many as x.
  argsort: [
    'x:in:T',
    'indices:out:int32',
    'keys:scratch:float64',
    'outer:size',
    'length:size',
    'inner:size',
    'count:size',
    'descending:size',
  ],
  // y[o, r, i] = Σ x[o, j, i] over j <= r, or j >= r where reverse is 1
  cumsum: scan,
  // y[o, r, i] = Π x[o, j, i] over the same
  cumprod: scan,
  cumprodGrad: [
    'x:in:F',
    'y:in:F',
    'dy:in:F',
    'dx:out:F',
    'outer:size',
    'length:size',
    'inner:size',
  ],
} as const
