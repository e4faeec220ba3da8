/** Rows of the kernel table: what only moves elements. */

export const layout = {
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
  // y[i] = x[i] with i[axis] from 0 to below n[axis]; it lies at xOffset + Σ i·x in x and at
  // yOffset + Σ i·y in y. The strides, any whole numbers, follow the extents.
  copyStrided: [
    'x:in:T',
    'y:inout:T',
    'xOffset:size',
    'yOffset:size',
    'n0:size',
    'n1:size',
    'n2:size',
    'n3:size',
    'n4:size',
    'n5:size',
    'n6:size',
    'n7:size',
    'x0:float',
    'x1:float',
    'x2:float',
    'x3:float',
    'x4:float',
    'x5:float',
    'x6:float',
    'x7:float',
    'y0:float',
    'y1:float',
    'y2:float',
    'y3:float',
    'y4:float',
    'y5:float',
    'y6:float',
    'y7:float',
  ],
  // y[o, r, c] = x[o, r, c] where c - r >= diagonal (upper = 1) or <= diagonal (upper = 0), else 0
  triangle: [
    'x:in:T',
    'y:out:T',
    'outer:size',
    'rows:size',
    'cols:size',
    'diagonal:float',
    'upper:size',
  ],
  // To an integer the fraction is cut off, and what is out of range is taken modulo 2^bits (NaN and
  // infinities: 0); to a bool everything but 0 is true, NaN too.
  cast: ['x:in:S', 'y:out:T', 'n:size'],
} as const
