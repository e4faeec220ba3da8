/** Rows of the kernel table: normalization. */

// scratch holds normScratch(rows, cols); see below.
const batchNorm = [
  'x:in:F',
  'mean:in:F',
  'variance:in:F',
  'weight:in:F',
  'bias:in:F',
  'y:out:F',
  'rows:size',
  'cols:size',
  'epsilon:float',
] as const

export const norm = {
  // Of the columns of x [rows, cols]: mean, Σ (x - mean)² / rows, and what runs along from call to call:
  // running = (1 - momentum)·running + momentum·now, of the variance Σ (x - mean)² / (rows - correction).
  batchNormMoments: [
    'x:in:F',
    'mean:out:F',
    'variance:out:F',
    'runningMean:inout:F',
    'runningVar:inout:F',
    'scratch:scratch:float64',
    'rows:size',
    'cols:size',
    'momentum:float',
    'correction:size',
  ],
  // y = x̂·weight + bias with x̂ = (x - mean)/√(variance + epsilon), column by column, and its relu.
  batchNorm,
  batchNormRelu: batchNorm,
  // dweight = Σ dy·x̂, dbias = Σ dy over the rows
  batchNormSums: [
    'dy:in:F',
    'x:in:F',
    'mean:in:F',
    'variance:in:F',
    'dweight:out:F',
    'dbias:out:F',
    'scratch:scratch:float64',
    'rows:size',
    'cols:size',
    'epsilon:float',
  ],
  // dx = weight/√(variance + epsilon)·(dy - dbias/rows - x̂·dweight/rows): mean and variance are those of x.
  batchNormGrad: [
    'dy:in:F',
    'x:in:F',
    'mean:in:F',
    'variance:in:F',
    'weight:in:F',
    'dweight:in:F',
    'dbias:in:F',
    'dx:out:F',
    'rows:size',
    'cols:size',
    'epsilon:float',
  ],
  // y = x̂·weight + bias with x̂ = (x - mean)·scale, row by row of x [rows, cols]: its mean, or 0 where it
  // is not centered, and scale = 1/√(Σ (x - mean)² / cols + epsilon).
  layerNorm: [
    'x:in:F',
    'weight:in:F',
    'bias:in:F',
    'y:out:F',
    'mean:out:F',
    'scale:out:F',
    'rows:size',
    'cols:size',
    'epsilon:float',
    'centered:size',
  ],
  layerNormGrad: [
    'dy:in:F',
    'x:in:F',
    'weight:in:F',
    'mean:in:F',
    'scale:in:F',
    'dx:out:F',
    'rows:size',
    'cols:size',
    'centered:size',
  ],
  // dweight = Σ dy·x̂, dbias = Σ dy over the rows
  layerNormSums: [
    'dy:in:F',
    'x:in:F',
    'mean:in:F',
    'scale:in:F',
    'dweight:out:F',
    'dbias:out:F',
    'scratch:scratch:float64',
    'rows:size',
    'cols:size',
  ],
} as const

/** Elements of the scratch of sums over the rows of [rows, cols]: blocks of so many rows are added up. */
export function normScratch(rows: number, cols: number): number {
  return cols === 0 ? 0 : 2 * cols * Math.ceil(rows / (16 * Math.ceil(1024 / cols)))
}
