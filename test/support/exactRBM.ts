/**
 * A restricted Boltzmann machine small enough for sums over all its states, in double precision.
 * Gradients are lists: those of W row by row, of the hidden biases, of the visible biases.
 */
import type { RBM } from '../../lib/index.js'

type Vector = readonly number[]

const dot = (a: Vector, b: Vector) => a.reduce((sum, value, i) => sum + value * b[i], 0)
const sigmoid = (a: number) => 1 / (1 + Math.exp(-a))
const plus = (a: Vector, b: Vector, factor = 1) => a.map((value, i) => value + factor * b[i])
const times = (a: Vector, factor: number) => a.map((value) => factor * value)

/** Every vector of n zeros and ones. */
export function states(n: number): number[][] {
  return Array.from({ length: 2 ** n }, (_, s) => Array.from({ length: n }, (_, i) => (s >> i) & 1))
}

export class ExactRBM {
  readonly W: number[][]
  readonly c: number[]
  readonly b: number[]
  readonly isBinary: boolean

  constructor(rbm: RBM) {
    this.W = rbm.encoder.weight.toArray() as number[][]
    this.c = rbm.encoder.bias!.toArray() as number[]
    this.b = rbm.visibleBias.toArray() as number[]
    this.isBinary = rbm.visible === 'binary'
  }

  energy(v: Vector, h: Vector): number {
    const own = this.isBinary
      ? -dot(this.b, v)
      : v.reduce((sum, value, i) => sum + (value - this.b[i]) ** 2 / 2, 0)
    return own - dot(v, this.#toVisible(h)) - dot(this.c, h)
  }

  /** -log Σ_h e^-E(v, h) */
  freeEnergy(v: Vector): number {
    return -Math.log(
      states(this.c.length).reduce((sum, h) => sum + Math.exp(-this.energy(v, h)), 0),
    )
  }

  /** W·h */
  #toVisible(h: Vector): number[] {
    return this.W.map((row) => dot(row, h))
  }

  /** p(h = 1 | v) */
  hidden(v: Vector): number[] {
    return this.c.map((c, j) =>
      sigmoid(
        c +
          dot(
            v,
            this.W.map((row) => row[j]),
          ),
      ),
    )
  }

  /** E[v | h] */
  visible(h: Vector): number[] {
    return plus(this.b, this.#toVisible(h)).map((a) => (this.isBinary ? sigmoid(a) : a))
  }

  /** -∂E/∂θ with the hidden units' means: v_i·h_j, h_j, v_i */
  #statistics(v: Vector, h: Vector): number[] {
    return [...v.flatMap((value) => times(h, value)), ...h, ...v]
  }

  /** Mean and variance of the statistics in the model itself. */
  #ofModel(): Moments {
    const hidden = states(this.c.length)
    if (this.isBinary) {
      const visible = states(this.b.length)
      const weights = visible.map((v) => Math.exp(-this.freeEnergy(v)))
      return moments(visible.map((v, i) => [weights[i], this.#statistics(v, this.hidden(v))]))
    }
    // ∫ e^-E(v, h) dv ∝ e^(c·h + (|b + W·h|² - |b|²)/2), and v is normal around b + W·h.
    const weights = hidden.map((h) => {
      const mean = this.visible(h)
      return Math.exp(dot(this.c, h) + (dot(mean, mean) - dot(this.b, this.b)) / 2)
    })
    const { mean, variance } = moments(
      hidden.map((h, i) => [weights[i], this.#statistics(this.visible(h), h)]),
    )
    // What v adds around its mean, at most 1 per visible unit.
    return { mean, variance: variance.map((value) => value + 1) }
  }

  /** Gradient of the mean of -log p(v), and the variance of what stands for the model in it. */
  likelihoodGradient(data: readonly Vector[]): Moments {
    const { mean, variance } = this.#ofModel()
    return { mean: plus(mean, this.#ofData(data), -1), variance }
  }

  /** Mean over all chains of one step, and variance of the mean over one chain per example. */
  cd1Gradient(data: readonly Vector[], reconstruction: 'means' | 'samples'): Moments {
    const chains = data.map((v) => moments(this.#chains(v, reconstruction)))
    const mean = chains.map((chain) => chain.mean).reduce((a, b) => plus(a, b))
    const variance = chains.map((chain) => chain.variance).reduce((a, b) => plus(a, b))
    return {
      mean: plus(times(mean, 1 / data.length), this.#ofData(data), -1),
      variance: times(variance, 1 / data.length),
    }
  }

  #ofData(data: readonly Vector[]): number[] {
    const sums = data.map((v) => this.#statistics(v, this.hidden(v))).reduce((a, b) => plus(a, b))
    return times(sums, 1 / data.length)
  }

  /** Every end of a chain of one step from v, with its probability. */
  #chains(start: Vector, reconstruction: 'means' | 'samples'): Weighted[] {
    const p = this.hidden(start)
    return states(p.length).flatMap((h): Weighted[] => {
      const weight = bernoulli(p, h)
      const means = this.visible(h)
      if (reconstruction === 'means') return [[weight, this.#statistics(means, this.hidden(means))]]
      return states(means.length).map((v) => [
        weight * bernoulli(means, v),
        this.#statistics(v, this.hidden(v)),
      ])
    })
  }
}

/** Probability of zeros and ones drawn one by one. */
function bernoulli(p: Vector, values: Vector): number {
  return values.reduce((product, value, i) => product * (value ? p[i] : 1 - p[i]), 1)
}

type Weighted = readonly [weight: number, values: number[]]

export interface Moments {
  mean: number[]
  variance: number[]
}

function moments(items: readonly Weighted[]): Moments {
  const total = items.reduce((sum, [weight]) => sum + weight, 0)
  const expectation = (f: (values: number[]) => number[]) =>
    items.map(([weight, values]) => times(f(values), weight / total)).reduce((a, b) => plus(a, b))
  const mean = expectation((values) => values)
  const variance = expectation((values) => values.map((value, i) => (value - mean[i]) ** 2))
  return { mean, variance }
}
