/** Rows of the kernel table: reductions. */

// x is [outer, length, inner], y is [outer, inner].
const extents = ['outer:size', 'length:size', 'inner:size'] as const
const reduction = ['x:in:F', 'y:out:F', ...extents] as const
const truth = ['x:in:bool', 'y:out:bool', ...extents] as const

export const reduce = {
  // y = scale·Σ x over the middle dimension (scale = 1 / length: the mean)
  sum: [...reduction, 'scale:float'],
  // Of integers, which wrap around beyond their range.
  sumInt32: ['x:in:int32', 'y:out:int32', ...extents],
  max: ['x:in:N', 'y:out:N', ...extents],
  min: ['x:in:N', 'y:out:N', ...extents],
  // y = √(Σ x²) over the middle dimension; squares neither overflow nor vanish
  norm: reduction,
  // First position of the largest; NaN counts as largest.
  argmax: ['x:in:N', 'y:out:int32', ...extents],
  // The place of the first element, unless a later one is greater (less): then of that one, and so on.
  // Nothing is greater or less than NaN, nor is NaN: it is passed over, but for the first element.
  argmaxInOrder: ['x:in:N', 'y:out:int32', ...extents],
  argminInOrder: ['x:in:N', 'y:out:int32', ...extents],
  // Σ (x - mean)² / max(0, length - correction)
  variance: [...reduction, 'correction:float'],
  // Of integers it wraps around.
  prod: ['x:in:N', 'y:out:N', ...extents],
  // dx = dy times the product of the other elements.
  prodGrad: ['x:in:F', 'dy:in:F', 'dx:out:F', ...extents],
  any: truth,
  all: truth,
} as const
