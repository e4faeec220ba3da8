/** Rows of the kernel table: reductions. */

// x is [outer, length, inner], y is [outer, inner].
const reduction = ['x:in:F', 'y:out:F', 'outer:size', 'length:size', 'inner:size'] as const

export const reduce = {
  // y = scale·Σ x over the middle dimension (scale = 1 / length: the mean)
  sum: [...reduction, 'scale:float'],
  max: reduction,
  // y = √(Σ x²) over the middle dimension; squares neither overflow nor vanish
  norm: reduction,
  // First position of the largest; NaN counts as largest.
  argmax: ['x:in:F', 'y:out:int32', 'outer:size', 'length:size', 'inner:size'],
} as const
