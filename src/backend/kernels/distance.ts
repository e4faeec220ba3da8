/** Rows of the kernel table: distances. */

const extents = ['outer:size', 'rowsA:size', 'rowsB:size', 'cols:size'] as const

export const distance = {
  // y[o, i, j] = |a[o, i] - b[o, j]| for a [outer, rowsA, cols] and b [outer, rowsB, cols]
  cdist: ['a:in:F', 'b:in:F', 'y:out:F', ...extents],
  // da[o, i] = Σ_j dy[o, i, j]·(a[o, i] - b[o, j]) / y[o, i, j]; of two equal rows nothing
  cdistGrad: ['a:in:F', 'b:in:F', 'y:in:F', 'dy:in:F', 'da:out:F', ...extents],
} as const
