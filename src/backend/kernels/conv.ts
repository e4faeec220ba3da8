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
  // The relu of results plus bias in pools of 2 × 2, y [batch, floor(outHeight / 2),
  // floor(outWidth / 2), filters], and the places in their windows that these are from.
  convBiasReluPool: ['x:in:F', 'w:in:F', 'bias:in:F', 'y:out:F', 'places:out:uint8', ...extents],
  // Their gradients, from dy of the pools. Padding is at most (kernel - 1)·dilation.
  convPoolInputGrad: ['y:in:F', 'dy:in:F', 'places:in:uint8', 'w:in:F', 'dx:out:F', ...extents],
  // scratch holds that of convWeightGrad and filters for every 16 results of a filter.
  convPoolWeightGrad: [
    'x:in:F',
    'y:in:F',
    'dy:in:F',
    'places:in:uint8',
    'dw:out:F',
    'dbias:out:F',
    'scratch:scratch:F',
    ...extents,
  ],
} as const
