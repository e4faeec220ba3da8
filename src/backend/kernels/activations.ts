/** Rows of the kernel table: activations as functions of x, with gradients from x. */

const activation = ['x:in:F', 'y:out:F', 'n:size'] as const
// dx = dy·g'(x)
const gradient = ['x:in:F', 'dy:in:F', 'dx:out:F', 'n:size'] as const

export const activations = {
  // x > 0 ? x : slope·x
  leakyRelu: [...activation, 'slope:float'],
  leakyReluGrad: [...gradient, 'slope:float'],
  // x > 0 ? 1 : below; of NaN it is NaN
  step: [...activation, 'below:float'],
  // x > 0 ? positive·x : negative·(e^x - 1)
  elu: [...activation, 'positive:float', 'negative:float'],
  eluGrad: [...gradient, 'positive:float', 'negative:float'],
  // x·Φ(x), with Φ of the normal distribution
  gelu: activation,
  geluGrad: gradient,
  // x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2
  geluTanh: activation,
  geluTanhGrad: gradient,
  // x·σ(x)
  silu: activation,
  siluGrad: gradient,
  // x·tanh(log(1 + e^x))
  mish: activation,
  mishGrad: gradient,
  // x / (1 + |x|)
  softsign: activation,
  softsignGrad: gradient,
} as const
