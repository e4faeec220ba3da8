/**
 * Updates of parameters in one pass. settings: [lr, momentum, nesterov, share, weightDecay, l2, l1].
 * weightDecay·w is the gradient of weightDecay/2·Σw², 2·l2·w that of l2·Σw²; l1 is taken by the
 * proximal step (soft thresholding), which gives true zeros.
 */
import type { JsKernel } from './kernel.js'
import { shrink } from './shrink.js'

export const sgd: JsKernel<'sgd'> = (w, dw, settings, n) => {
  const lr = settings[0]
  const decay = settings[4] + 2 * settings[5]
  for (let i = 0; i < n; i++) w[i] -= lr * (dw[i] + decay * w[i])
  shrink(w, n, lr * settings[6])
}

export const sgdMomentum: JsKernel<'sgdMomentum'> = (w, dw, velocity, settings, n) => {
  const [lr, momentum, , share, weightDecay, l2, l1] = settings
  const nesterov = settings[2] !== 0
  const decay = weightDecay + 2 * l2
  for (let i = 0; i < n; i++) {
    const g = dw[i] + decay * w[i]
    const v = momentum * velocity[i] + share * g
    velocity[i] = v
    w[i] -= lr * (nesterov ? g + momentum * v : v)
  }
  shrink(w, n, lr * l1)
}

export const adam: JsKernel<'adam'> = (w, dw, mean, square, settings, n) => {
  const [lr, meanStep, gradientStep, meanRate, squareRate, rootScale, epsilon, keep] = settings
  const [weightDecay, l2, l1] = settings.subarray(8)
  const decay = weightDecay + 2 * l2
  for (let i = 0; i < n; i++) {
    const g = dw[i] + decay * w[i]
    mean[i] += meanRate * (g - mean[i])
    square[i] += squareRate * (g * g - square[i])
    const step = meanStep * mean[i] + gradientStep * g
    w[i] = keep * w[i] - step / (rootScale * Math.sqrt(square[i]) + epsilon)
  }
  shrink(w, n, lr * l1)
}

export const maxNorm: JsKernel<'maxNorm'> = (w, limit, rows, cols) => {
  for (let c = 0; c < cols; c++) {
    let sum = 0
    for (let r = 0; r < rows; r++) sum += w[r * cols + c] ** 2
    const scale = limit[0] / Math.sqrt(sum)
    if (!(scale < 1)) continue
    for (let r = 0; r < rows; r++) w[r * cols + c] *= scale
  }
}
