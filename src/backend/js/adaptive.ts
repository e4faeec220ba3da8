/** Steps of optimizers that scale the gradient of each weight, as their rows in the kernel table say. */
import type { Floats, JsKernel } from './kernel.js'
import { shrink } from './shrink.js'

export const amsgrad: JsKernel<'amsgrad'> = (w, dw, mean, square, largest, settings, n) => {
  const [lr, meanStep, , meanRate, squareRate, , epsilon, keep] = settings
  const [weightDecay, l2, l1] = settings.subarray(8)
  const decay = weightDecay + 2 * l2
  for (let i = 0; i < n; i++) {
    const g = dw[i] + decay * w[i]
    mean[i] += meanRate * (g - mean[i])
    square[i] += squareRate * (g * g - square[i])
    largest[i] = Math.max(largest[i], square[i])
    w[i] = keep * w[i] - (meanStep * mean[i]) / (Math.sqrt(largest[i]) + epsilon)
  }
  shrink(w, n, lr * l1)
}

function rmspropStep(
  [w, dw, square]: readonly [Floats, Floats, Floats],
  { velocity, mean }: { velocity?: Floats; mean?: Floats },
  settings: Floats,
  n: number,
): void {
  const [lr, rate, inner, outer, momentum, weightDecay, l2, l1] = settings
  const decay = weightDecay + 2 * l2
  for (let i = 0; i < n; i++) {
    const g = dw[i] + decay * w[i]
    square[i] += rate * (g * g - square[i])
    let v = square[i]
    if (mean) {
      mean[i] += rate * (g - mean[i])
      v = Math.max(v - mean[i] * mean[i], 0)
    }
    let step = g / (Math.sqrt(v + inner) + outer)
    if (velocity) {
      step += momentum * velocity[i]
      velocity[i] = step
    }
    w[i] -= lr * step
  }
  shrink(w, n, lr * l1)
}

export const rmsprop: JsKernel<'rmsprop'> = (w, dw, square, settings, n) =>
  rmspropStep([w, dw, square], {}, settings, n)

export const rmspropMomentum: JsKernel<'rmspropMomentum'> = (
  w,
  dw,
  square,
  velocity,
  settings,
  n,
) => rmspropStep([w, dw, square], { velocity }, settings, n)

export const rmspropCentered: JsKernel<'rmspropCentered'> = (w, dw, square, mean, settings, n) =>
  rmspropStep([w, dw, square], { mean }, settings, n)

export const rmspropCenteredMomentum: JsKernel<'rmspropCenteredMomentum'> = (
  w,
  dw,
  square,
  velocity,
  mean,
  settings,
  n,
) => rmspropStep([w, dw, square], { velocity, mean }, settings, n)

export const adagrad: JsKernel<'adagrad'> = (w, dw, sum, settings, n) => {
  const [lr, offset, epsilon, weightDecay, l2, l1] = settings
  const decay = weightDecay + 2 * l2
  for (let i = 0; i < n; i++) {
    const g = dw[i] + decay * w[i]
    sum[i] += g * g
    w[i] -= (lr * g) / (Math.sqrt(sum[i] + offset) + epsilon)
  }
  shrink(w, n, lr * l1)
}

export const adadelta: JsKernel<'adadelta'> = (w, dw, square, stepSquare, settings, n) => {
  const [lr, rate, epsilon, weightDecay, l2, l1] = settings
  const decay = weightDecay + 2 * l2
  for (let i = 0; i < n; i++) {
    const g = dw[i] + decay * w[i]
    square[i] += rate * (g * g - square[i])
    const step = (Math.sqrt(stepSquare[i] + epsilon) / Math.sqrt(square[i] + epsilon)) * g
    stepSquare[i] += rate * (step * step - stepSquare[i])
    w[i] -= lr * step
  }
  shrink(w, n, lr * l1)
}

export const lion: JsKernel<'lion'> = (w, dw, mean, settings, n) => {
  const [lr, stepRate, meanRate, keep, l2, l1] = settings
  for (let i = 0; i < n; i++) {
    const g = dw[i] + 2 * l2 * w[i]
    const m = mean[i]
    mean[i] = m + meanRate * (g - m)
    w[i] = keep * w[i] - lr * Math.sign(m + stepRate * (g - m))
  }
  shrink(w, n, lr * l1)
}

export const lerp: JsKernel<'lerp'> = (y, x, rate, n) => {
  for (let i = 0; i < n; i++) y[i] += rate * (x[i] - y[i])
}
