/** scikit-learn's perceptron for values. */

import { type Loss, mse, R2, ShapeError, type TargetKind } from '../../index.js'
import { type Rows, readRows, type Values } from '../../internal.js'
import type { Encoded } from './encoded.js'
import { Perceptron, type Use } from './perceptron.js'

/**
 * Multi-layer perceptron that predicts values, by half the squared error, with linear outputs.
 * Attributes are scikit-learn's, without the underscore.
 * @example
 * const regressor = new MLPRegressor({ hiddenLayerSizes: [50], maxIter: 500 })
 * await regressor.fit(X, y)
 * regressor.predict([[0.2, 1.5]]) // [3.1]
 */
export class MLPRegressor extends Perceptron<Rows> {
  /** Outputs are linear. */
  readonly outActivation = 'identity'

  /** A value for each row, or a row of values where there are several targets. */
  predict(X: Rows): number[] | number[][] {
    const { values, shape } = this.finiteOutputs(X)
    const [examples, outputs] = shape
    if (outputs === 1) return [...values]
    return Array.from({ length: examples }, (_, i) => [
      ...values.subarray(i * outputs, (i + 1) * outputs),
    ])
  }

  /** One epoch more, from what the last call left. */
  async partialFit(X: Rows, y: Rows, ...rest: never[]): Promise<this> {
    await this.trainOnce(X, y, rest)
    return this
  }

  protected override encode(y: Rows, examples: number, use: Use): Encoded {
    const { values, shape } = readRows('MLPRegressor: y', y)
    const outputs = shape[1] ?? 1
    if (shape.length > 2 || shape[0] !== examples) {
      throw new ShapeError(
        `MLPRegressor: expected y of shape [${examples}] or [${examples}, targets], got [${shape.join(', ')}]`,
      )
    }
    if (use !== 'begin' && outputs !== this.nOutputs) {
      throw new ShapeError(`MLPRegressor: expected ${this.nOutputs} targets, got ${outputs}`)
    }
    if (shape.length === 2 && outputs === 1 && use !== 'score') this.warnOfColumn()
    return { targets: values, outputs }
  }

  // The loss is a mean over the targets, its gradient in scikit-learn that of the sum.
  protected override lossFor(outputs: number): { loss: Loss<TargetKind>; gradientScale: number } {
    return { loss: (y, targets) => mse(y, targets).mul(0.5), gradientScale: outputs }
  }

  /**
   * R² = 1 - Σ (y - ŷ)² / Σ (y - mean)², the mean over the targets; 1 or 0 for a constant y, NaN for a
   * single example, of which it says nothing.
   */
  protected override scoreOf({ values, shape }: Values, y: Encoded['targets']): number {
    if (shape[0] < 2) this.warn('the score R² is NaN for fewer than 2 examples')
    const r2 = new R2()
    r2.update({ data: values, shape }, { data: y, shape })
    return r2.compute()
  }
}
