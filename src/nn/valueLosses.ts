/** Losses of values that a network predicts. */
import { checkFlag, checkNumber, isWithin, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt } from '../base/errors.js'
import { where } from '../ops/elementwise.js'
import { fullLike } from '../tensor/allocate.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Loss, lossOf, type TargetKind } from './loss.js'
import { asValues } from './lossTargets.js'

/**
 * (output - target)², averaged over all elements. Whole numbers [batch] are the values of
 * outputs [batch, 1]; of several outputs they are labels, and count as rows with a 1 at the label.
 * @throws ShapeError when the shapes do not fit
 * @function
 */
export const mse: Loss<TargetKind> = lossOf('mse', (outputs, targets) =>
  outputs.sub(asValues('mse', outputs, targets)).square(),
)

/**
 * |output - target|, averaged over all elements. Whole numbers [batch] are the values of
 * outputs [batch, 1]; of several outputs they are labels, and count as rows with a 1 at the label.
 * @throws ShapeError when the shapes do not fit
 * @function
 */
export const mae: Loss<TargetKind> = lossOf('mae', (outputs, targets) =>
  outputs.sub(asValues('mae', outputs, targets)).abs(),
)

/** r²/2 for |r| ≤ delta, delta·(|r| - delta/2) beyond. */
function quadraticThenLinear(r: Tensor, delta: number): Tensor {
  const size = r.abs()
  // c = min(|r|, delta): r²/2 = c·(|r| - c/2) inside, delta·(|r| - delta/2) outside.
  const c = size.clip(0, delta)
  return c.mul(size.sub(c.mul(0.5)))
}

/**
 * Huber's loss: r²/2 for |r| ≤ delta, delta·(|r| - delta/2) beyond (Huber 1964).
 * @param delta where the loss turns from quadratic to linear, > 0
 * @throws ArgumentError when delta is out of range
 */
export function huberLoss(delta: number): Loss<TargetKind> {
  if (!isWithin(delta, Number.MIN_VALUE, Infinity)) {
    throw new ArgumentError(`huber: expected delta > 0, got ${excerpt(delta)}`)
  }
  const losses: Parameters<typeof lossOf>[1] = (outputs, targets) =>
    quadraticThenLinear(outputs.sub(asValues('huber', outputs, targets)), delta)
  return lossOf('huber', losses, { settings: delta })
}

/**
 * Huber's loss with delta 1.
 * @function
 */
export const huber: Loss<TargetKind> = huberLoss(1)

/**
 * r²/(2·beta) for |r| ≤ beta, |r| - beta/2 beyond: Huber's loss divided by beta, PyTorch's SmoothL1Loss
 * (Girshick 2015).
 * @param beta where the loss turns from quadratic to linear, > 0; with 0 it would be `mae`
 * @throws ArgumentError when beta is out of range
 */
export function smoothL1Loss(beta: number): Loss<TargetKind> {
  if (!isWithin(beta, Number.MIN_VALUE, Infinity)) {
    throw new ArgumentError(
      `smoothL1: expected beta > 0, got ${excerpt(beta)}; mae is the loss without a quadratic part`,
    )
  }
  const losses: Parameters<typeof lossOf>[1] = (outputs, targets) =>
    quadraticThenLinear(outputs.sub(asValues('smoothL1', outputs, targets)), beta).mul(1 / beta)
  return lossOf('smoothL1', losses, { settings: beta })
}

/**
 * The smooth L1 loss with beta 1, which is `huber`.
 * @function
 */
export const smoothL1: Loss<TargetKind> = smoothL1Loss(1)

/** Settings of `poissonNllLoss`. */
export interface PoissonNllOptions {
  /** Whether outputs are logarithms of rates, as PyTorch has it; true by default, else they are rates. */
  logInput?: boolean
  /** Adds Stirling's approximation of log t! for targets t above 1; false by default. */
  full?: boolean
  /** Added to a rate before its logarithm is taken, >= 0; 1e-8 by default. */
  epsilon?: number
}

/** log t! by Stirling, and 0 up to 1, as PyTorch has it. */
function stirling(t: Tensor): Tensor {
  const isLarge = t.greater(1)
  const large = where(isLarge, t, fullLike(t, 2, []))
  const logs = large.mul(large.log().sub(1)).add(
    large
      .mul(2 * Math.PI)
      .log()
      .mul(0.5),
  )
  return where(isLarge, logs, fullLike(t, 0, []))
}

/**
 * Negative log-likelihood of counts that are Poisson distributed: e^a - t·a for outputs a, which are
 * logarithms of rates, without the term log t! unless `full`; averaged over all elements, as PyTorch's
 * PoissonNLLLoss. Targets are counts in the outputs' shape, or whole numbers [batch] for [batch, 1].
 * @throws ArgumentError for options that do not exist or are out of range
 * @example const loss = poissonNllLoss({ logInput: false }) // of rates, which must not be negative
 */
export function poissonNllLoss(options: PoissonNllOptions = {}): Loss<TargetKind> {
  const op = 'poissonNll'
  const settings = optionsOf(op, options, { logInput: true, full: true, epsilon: true })
  const { logInput = true, full = false, epsilon = 1e-8 } = settings
  checkFlag(op, 'logInput', logInput)
  checkFlag(op, 'full', full)
  checkNumber(op, 'epsilon', epsilon, (value) => isWithin(value, 0, Infinity), '>= 0')
  return lossOf(
    op,
    (outputs, targets) => {
      const t = asValues(op, outputs, targets)
      const losses = logInput
        ? outputs.exp().sub(t.mul(outputs))
        : outputs.sub(t.mul(outputs.add(epsilon).log()))
      return full ? losses.add(stirling(t)) : losses
    },
    { settings },
  )
}

/**
 * e^a - t·a for logarithms of rates a and counts t, as `poissonNllLoss` without options.
 * @function
 */
export const poissonNll: Loss<TargetKind> = poissonNllLoss()
