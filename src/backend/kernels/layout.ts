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
  // To an integer the fraction is cut off, and what is out of range is taken modulo 2^bits (NaN and
  // infinities: 0); to a bool everything but 0 is true, NaN too.
  cast: ['x:in:S', 'y:out:T', 'n:size'],
} as const
