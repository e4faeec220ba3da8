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
} as const
