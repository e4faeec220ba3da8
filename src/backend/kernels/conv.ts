/** Rows of the kernel table: convolutions. */

// Along each axis, result i is the sum over taps t of weights and image[i·stride + t·dilation - pad],
// which is 0 outside the image.
const extents = [
  'batch:size',
  'height:size',
  'width:size',
  'channels:size',
  'outHeight:size',
  'outWidth:size',
  'filters:size',
  'kernelHeight:size',
  'kernelWidth:size',
  'strideHeight:size',
  'strideWidth:size',
  'padTop:size',
  'padLeft:size',
  'dilationHeight:size',
  'dilationWidth:size',
  'groups:size',
] as const

const withBias = ['x:in:F', 'w:in:F', 'bias:in:F', 'y:out:F', ...extents] as const

export const conv = {
  // x is [batch, height, width, channels], w [kernelHeight, kernelWidth, channels / groups, filters],
  // bias [filters], y [batch, outHeight, outWidth, filters].
  conv: ['x:in:F', 'w:in:F', 'y:out:F', ...extents],
  convBias: withBias,
  convBiasRelu: withBias,
  // dx from dy; w is turned: [kernelHeight, kernelWidth, filters, channels / groups].
  convInputGrad: ['dy:in:F', 'w:in:F', 'dx:out:F', ...extents],
  // dw from x and dy; scratch holds 8 times dw where that has at most 8192 elements, else nothing.
  convWeightGrad: ['x:in:F', 'dy:in:F', 'dw:out:F', 'scratch:scratch:F', ...extents],
} as const
