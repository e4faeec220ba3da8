/** Rows of the kernel table: images. */

export const images = {
  // Image i of x [count, height, width] seen through an affine map and a displacement of each pixel:
  // y[r, c] = x[p] with p = centre + [[a, b], [c, d]]·((r, c) - centre) + (rowShift, colShift)[r, c],
  // bilinear between pixels, 0 beyond them. maps is [count, 4], shifts [count, 2, height, width].
  warp: [
    'x:in:F',
    'maps:in:F',
    'shifts:in:F',
    'y:out:F',
    'count:size',
    'height:size',
    'width:size',
  ],
} as const
