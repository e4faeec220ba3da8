/**
 * Softmax, its logarithm and the cross-entropy of both with integer labels; x is [rows, cols]. All
 * subtract the row's largest element first, so that nothing overflows, and take log Σ as
 * log1p(Σ without the largest), so that the loss keeps its digits where the prediction is sure.
 * A row with NaN or +∞, or of -∞ only, gives NaN.
 */
import { checkIndices, type Floats, type JsKernel } from './kernel.js'

/** Position of the largest element of the row from `start` to before `end`. */
function peakOf(x: Floats, start: number, end: number): number {
  let peak = start
  let largest = x[start]
  for (let i = start + 1; i < end; i++) {
    const v = x[i]
    if (v > largest) {
      largest = v
      peak = i
    }
  }
  return peak
}

/** Σ e^(x - x[peak]) over the row without its peak. */
function sumBeside(x: Floats, start: number, end: number, peak: number): number {
  const largest = x[peak]
  let sum = 0
  for (let i = start; i < peak; i++) sum += Math.exp(x[i] - largest)
  for (let i = peak + 1; i < end; i++) sum += Math.exp(x[i] - largest)
  // The peak itself counts for nothing or, when it is infinite, for NaN.
  return sum + (largest - largest)
}

export const softmax: JsKernel<'softmax'> = (x, y, rows, cols) => {
  for (let start = 0; start < rows * cols; start += cols) {
    const end = start + cols
    const largest = x[peakOf(x, start, end)]
    let sum = 0
    for (let i = start; i < end; i++) {
      const e = Math.exp(x[i] - largest)
      y[i] = e
      sum += e
    }
    for (let i = start; i < end; i++) y[i] /= sum
  }
}

export const logSoftmax: JsKernel<'logSoftmax'> = (x, y, rows, cols) => {
  for (let start = 0; start < rows * cols; start += cols) {
    const end = start + cols
    const peak = peakOf(x, start, end)
    const largest = x[peak]
    const logSum = Math.log1p(sumBeside(x, start, end, peak))
    for (let i = start; i < end; i++) y[i] = x[i] - largest - logSum
  }
}

// dx = y·(dy - Σ y·dy)
export const softmaxGrad: JsKernel<'softmaxGrad'> = (y, dy, dx, rows, cols) => {
  for (let start = 0; start < rows * cols; start += cols) {
    const end = start + cols
    let sum = 0
    for (let i = start; i < end; i++) sum += y[i] * dy[i]
    for (let i = start; i < end; i++) dx[i] = y[i] * (dy[i] - sum)
  }
}

// dx = dy - e^y·Σ dy
export const logSoftmaxGrad: JsKernel<'logSoftmaxGrad'> = (y, dy, dx, rows, cols) => {
  for (let start = 0; start < rows * cols; start += cols) {
    const end = start + cols
    let sum = 0
    for (let i = start; i < end; i++) sum += dy[i]
    for (let i = start; i < end; i++) dx[i] = dy[i] - Math.exp(y[i]) * sum
  }
}

export const softmaxCrossEntropy: JsKernel<'softmaxCrossEntropy'> = (
  logits,
  labels,
  losses,
  rows,
  cols,
) => {
  checkIndices('softmaxCrossEntropy: labels', labels, rows, cols)
  for (let r = 0; r < rows; r++) {
    const start = r * cols
    const end = start + cols
    const peak = peakOf(logits, start, end)
    const logSum = Math.log1p(sumBeside(logits, start, end, peak))
    losses[r] = logits[peak] - logits[start + labels[r]] + logSum
  }
}

export const softmaxCrossEntropyGrad: JsKernel<'softmaxCrossEntropyGrad'> = (
  logits,
  labels,
  dlosses,
  dlogits,
  rows,
  cols,
) => {
  checkIndices('softmaxCrossEntropyGrad: labels', labels, rows, cols)
  softmax(logits, dlogits, rows, cols)
  for (let r = 0; r < rows; r++) {
    const start = r * cols
    const end = start + cols
    dlogits[start + labels[r]] -= 1
    for (let i = start; i < end; i++) dlogits[i] *= dlosses[r]
  }
}
