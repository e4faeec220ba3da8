/** The likelihood of the right classes. */
import { checkFlag, optionsOf } from '../base/arguments.js'
import { ArgumentError } from '../base/errors.js'
import { CLASS_OPTIONS, type ClassMetricOptions } from './classes.js'
import { MeanMetric } from './meanMetric.js'
import { type BatchValues, readScored } from './read.js'

/**
 * Mean negative log-likelihood of the right classes. Of logits it is exact in both tails; probabilities are
 * kept as far from 0 and 1 as the precision of their numbers, 2^-23 of float32, else 2^-52, as scikit-learn's
 * log_loss does.
 */
export class LogLoss extends MeanMetric {
  readonly #fromLogits: boolean

  /** @throws ArgumentError for options that do not exist */
  constructor(options: ClassMetricOptions = {}) {
    const given = optionsOf('LogLoss', options, CLASS_OPTIONS)
    const { name = 'logLoss', fromLogits = true } = given
    super(name, given)
    checkFlag('LogLoss', 'fromLogits', fromLogits)
    this.#fromLogits = fromLogits
  }

  override update(outputs: BatchValues, targets: BatchValues): void {
    const { scores, width, labels } = readScored(this.name, outputs, targets)
    if (!this.#fromLogits) this.#checkProbabilities(scores)
    const isSingle = scores.BYTES_PER_ELEMENT === 4
    const least = isSingle ? 2 ** -23 : Number.EPSILON
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row]
      if (this.#fromLogits) {
        this.sum += lossOfLogits(scores, row * width, width, label)
      } else {
        const score = scores[row * width + (width === 1 ? 0 : label)]
        const p = width === 1 && label === 0 ? 1 - score : score
        this.sum -= Math.log(Math.min(Math.max(p, least), 1 - least))
      }
    }
    this.examples += labels.length
  }

  #checkProbabilities(scores: ArrayLike<number>): void {
    for (let i = 0; i < scores.length; i++) {
      if (scores[i] >= 0 && scores[i] <= 1) continue
      throw new ArgumentError(
        `${this.name}: expected probabilities from 0 to 1, got ${scores[i]}; logits need fromLogits: true`,
      )
    }
  }
}

/** log Σ exp(z) - z of the label; a single logit is beside a 0. */
function lossOfLogits(z: ArrayLike<number>, begin: number, width: number, label: number): number {
  if (width === 1) {
    const margin = label === 1 ? -z[begin] : z[begin]
    return Math.max(margin, 0) + Math.log1p(Math.exp(-Math.abs(margin)))
  }
  return logSumExp(z, begin, width) - z[begin + label]
}

/** log Σ exp(z) of a row. */
export function logSumExp(z: ArrayLike<number>, begin: number, width: number): number {
  let largest = -Infinity
  for (let i = begin; i < begin + width; i++) largest = Math.max(largest, z[i])
  let sum = 0
  for (let i = begin; i < begin + width; i++) sum += Math.exp(z[i] - largest)
  return largest + Math.log(sum)
}
