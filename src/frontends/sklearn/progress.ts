/** How training goes, and when scikit-learn ends it. */
import type { MLPParameters } from './parameters.js'

export class Progress {
  readonly lossCurve: number[] = []
  readonly validationScores: number[] = []
  bestLoss = Infinity
  bestScore = -Infinity
  /** Epochs of this fit. */
  epochs = 0
  /** Examples trained on, over all fits. */
  examples = 0
  #withoutGain = 0
  #rate = 0
  #setRate: (rate: number) => void = () => {}

  /** @param setRate changes SGD's learning rate */
  begin({ solver, learningRateInit }: MLPParameters, setRate: (rate: number) => void): void {
    this.epochs = 0
    this.#rate = learningRateInit
    this.#setRate = solver === 'sgd' ? setRate : () => {}
  }

  /**
   * After each epoch.
   * @param score on the examples set aside, if there are any
   */
  end(
    params: MLPParameters,
    examples: number,
    loss: number,
    score: number | undefined,
  ): { isBest: boolean; ends: boolean } {
    this.epochs++
    this.examples += examples
    this.lossCurve.push(loss)
    if (params.verbose) console.log(`Iteration ${this.epochs}, loss = ${loss.toFixed(8)}`)
    const isBest = this.#note(params, loss, score)
    if (params.solver === 'sgd' && params.learningRate === 'invscaling') {
      this.#change(params.learningRateInit / (this.examples + 1) ** params.powerT)
    }
    return { isBest, ends: this.#withoutGain > params.nIterNoChange && this.#ends(params) }
  }

  #note({ tol, verbose }: MLPParameters, loss: number, score: number | undefined): boolean {
    const gains = score === undefined ? loss <= this.bestLoss - tol : score >= this.bestScore + tol
    this.#withoutGain = gains ? 0 : this.#withoutGain + 1
    const isBest = score === undefined ? loss < this.bestLoss : score > this.bestScore
    if (score === undefined) this.bestLoss = Math.min(loss, this.bestLoss)
    else {
      if (verbose) console.log(`Validation score: ${score.toFixed(6)}`)
      this.validationScores.push(score)
      this.bestScore = Math.max(score, this.bestScore)
    }
    return isBest
  }

  #ends({ solver, learningRate, tol, verbose, nIterNoChange, earlyStopping }: MLPParameters) {
    const isAdaptive = solver === 'sgd' && learningRate === 'adaptive'
    const ends = !isAdaptive || this.#rate <= 1e-6
    if (!ends) {
      this.#change(this.#rate / 5)
      this.#withoutGain = 0
    }
    if (verbose) {
      const what = earlyStopping ? 'Validation score' : 'Training loss'
      const next = ends ? 'Stopping' : `Setting the learning rate to ${this.#rate}`
      console.log(`${what} did not improve by tol=${tol} for ${nIterNoChange} epochs. ${next}.`)
    }
    return ends
  }

  #change(rate: number): void {
    this.#rate = rate
    this.#setRate(rate)
  }
}
