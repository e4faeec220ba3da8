/** Rows of the kernel table: elements chosen by index. */

export const gather = {
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
  // y[o, c, i] = x[o, index, i] for x [outer, length, inner] and y [outer, count, inner]; the index is
  // indices[o, c, i] where each is 1, and indices[c] where it is 0.
  gather: [
    'x:in:T',
    'indices:in:int32',
    'y:out:T',
    'outer:size',
    'length:size',
    'count:size',
    'inner:size',
    'each:size',
  ],
  // y[o, index, i] = x[o, c, i] in the order of c, for x [outer, count, inner], y [outer, length, inner]
  scatter: [
    'x:in:T',
    'indices:in:int32',
    'y:inout:T',
    'outer:size',
    'length:size',
    'count:size',
    'inner:size',
    'each:size',
  ],
  // The same with y[o, index, i] += x[o, c, i].
  scatterAdd: [
    'x:in:N',
    'indices:in:int32',
    'y:inout:N',
    'outer:size',
    'length:size',
    'count:size',
    'inner:size',
    'each:size',
  ],
  oneHot: ['labels:in:int32', 'y:out:F', 'rows:size', 'cols:size'],
} as const
