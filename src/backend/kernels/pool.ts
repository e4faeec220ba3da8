/** Rows of the kernel table: pools. */

// x is [batch, height, width, channels], y [batch, outHeight, outWidth, channels]. Window [i, j] begins
// at x[i·strideHeight - top, j·strideWidth - left]; what lies outside x is left out, but for the count
// of an average. No window lies outside as a whole.
const geometry = [
  'batch:size',
  'height:size',
  'width:size',
  'channels:size',
  'windowHeight:size',
  'windowWidth:size',
  'strideHeight:size',
  'strideWidth:size',
  'top:size',
  'left:size',
  'outHeight:size',
  'outWidth:size',
] as const

export const pool = {
  // The largest, and its place in the window (row·windowWidth + column): in uint8 for up to 256
  // places, else in int32. The first one of equal ones, the last one that is NaN.
  maxPool: ['x:in:F', 'y:out:F', 'places:out:T', ...geometry],
  maxPoolGrad: ['dy:in:F', 'places:in:T', 'dx:out:F', ...geometry],
  // Divided by the places of the window, without countPadding only by those inside x.
  averagePool: ['x:in:F', 'y:out:F', 'countPadding:size', ...geometry],
  averagePoolGrad: ['dy:in:F', 'dx:out:F', 'countPadding:size', ...geometry],
} as const
