/**
 * Updates of parameters in one pass. settings: [lr, momentum, nesterov, weightDecay, l2, l1].
 * weightDecay·w is the gradient of weightDecay/2·Σw², 2·l2·w that of l2·Σw²; l1 is taken by the
 * proximal step (soft thresholding), which gives true zeros.
 */
import type { Floats, JsKernel } from './kernel.js'

export const sgd: JsKernel<'sgd'> = (w, dw, settings, n) => {
  const lr = settings[0]
  const decay = settings[3] + 2 * settings[4]
  for (let i = 0; i < n; i++) w[i] -= lr * (dw[i] + decay * w[i])
  shrink(w, n, lr * settings[5])
}

export const sgdMomentum: JsKernel<'sgdMomentum'> = (w, dw, velocity, settings, n) => {
  const lr = settings[0]
  const momentum = settings[1]
  const nesterov = settings[2] !== 0
  const decay = settings[3] + 2 * settings[4]
  for (let i = 0; i < n; i++) {
    const g = dw[i] + decay * w[i]
    const v = momentum * velocity[i] + g
    velocity[i] = v
    w[i] -= lr * (nesterov ? g + momentum * v : v)
  }
  shrink(w, n, lr * settings[5])
}

export const adam: JsKernel<'adam'> = (w, dw, mean, square, settings, n) => {
  const [lr, stepSize, meanRate, squareRate, epsilon, weightDecay, l2, l1] = settings
  const decay = weightDecay + 2 * l2
  for (let i = 0; i < n; i++) {
    const g = dw[i] + decay * w[i]
    mean[i] += meanRate * (g - mean[i])
    square[i] += squareRate * (g * g - square[i])
    w[i] -= (stepSize * mean[i]) / (Math.sqrt(square[i]) + epsilon)
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

/** w = sign(w)·max(|w| - by, 0), where there is something to take. */
function shrink(w: Floats, n: number, by: number): void {
  if (!(by > 0)) return
  for (let i = 0; i < n; i++) {
    const v = w[i]
    w[i] = v > by ? v - by : v < -by ? v + by : Number.isNaN(v) ? v : 0
  }
}
