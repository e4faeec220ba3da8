/**
 * Restricted Boltzmann machines, trained by contrastive divergence. Where a default or a choice is
 * Hinton's, it is from "A practical guide to training restricted Boltzmann machines" (2010).
 */
import { noGrad } from '../autograd.js'
import { ArgumentError } from '../errors.js'
import { type Initializer, normal } from '../nn/init.js'
import { defaultGenerator, type Generator } from '../random.js'
import type { Tensor } from '../tensor.js'
import { UnsupervisedLayer } from './layer.js'

export interface RBMOptions {
  /**
   * `binary` (the default): units of 0 or 1; inputs between are taken for probabilities.
   * `gaussian`: real values with unit variance around their mean: standardize the inputs.
   */
  visible?: 'binary' | 'gaussian'
  /** Steps of the Markov chain; 1 by default. */
  k?: number
  /**
   * What the chain goes on from: the `means` of its visible units (the default, which is less noisy),
   * or `samples` of them, with which the gradient becomes that of the likelihood as k grows.
   */
  reconstruction?: 'means' | 'samples'
  /** Initial weights; normal with standard deviation 0.01 by default. Biases start at 0. */
  init?: Initializer
  /** Where weights and samples are drawn from; the default generator by default. */
  generator?: Generator
}

/**
 * A restricted Boltzmann machine: p(v, h) ∝ e^-E with E = -b·v - v·W·h - c·h for binary v, and
 * |v - b|²/2 in place of -b·v for Gaussian v; h is binary. W and c are `encoder`, b is `visibleBias`.
 * @example
 * const rbm = new RBM(784, 500)
 * const optimizer = new SGD(rbm.parameters(), { lr: 0.1, momentum: 0.9, regularizer: l2(1e-4) })
 * await rbm.fit(mnist().train, { optimizer, epochs: 10, batchSize: 100 })
 */
export class RBM extends UnsupervisedLayer {
  readonly visible: 'binary' | 'gaussian'
  readonly k: number
  readonly reconstruction: 'means' | 'samples'
  readonly #generator: Generator

  /** @throws ShapeError for sizes below 1, ArgumentError for options out of range */
  constructor(visible: number, hidden: number, options: RBMOptions = {}) {
    const { visible: kind = 'binary', k = 1, reconstruction = 'means' } = options
    if (kind !== 'binary' && kind !== 'gaussian') {
      throw new ArgumentError(`RBM: expected visible units binary or gaussian, got ${kind}`)
    }
    if (reconstruction !== 'means' && reconstruction !== 'samples') {
      throw new ArgumentError(
        `RBM: expected reconstruction means or samples, got ${reconstruction}`,
      )
    }
    if (!Number.isInteger(k) || k < 1) throw new ArgumentError(`RBM: expected k >= 1, got ${k}`)
    const { init = normal(0, 0.01), generator = defaultGenerator() } = options
    super(visible, hidden, { init, generator })
    this.visible = kind
    this.k = k
    this.reconstruction = reconstruction
    this.#generator = generator
  }

  protected override get takesProbabilities(): boolean {
    return this.visible === 'binary'
  }

  /** p(h = 1 | v) = sigmoid(c + v·W) */
  encode(v: Tensor): Tensor {
    return this.encoder.forward(v).sigmoid()
  }

  /** E[v | h]: sigmoid(b + h·Wᵀ) for binary units, b + h·Wᵀ for Gaussian ones. */
  decode(h: Tensor): Tensor {
    const mean = h.matmul(this.encoder.weight, { transB: true }).add(this.visibleBias)
    return this.visible === 'binary' ? mean.sigmoid() : mean
  }

  /** -log Σ_h e^-E(v, h), for each example: -b·v - Σ_j softplus(c_j + (v·W)_j); [batch]. */
  freeEnergy(v: Tensor): Tensor {
    return this.#freeEnergy(v, this.encoder.forward(v))
  }

  /** @param a c + v·W, [batch, hidden] */
  #freeEnergy(v: Tensor, a: Tensor): Tensor {
    const ofVisible =
      this.visible === 'binary'
        ? v.matmul(this.visibleBias).neg()
        : v.sub(this.visibleBias).square().sum(-1).mul(0.5)
    return ofVisible.sub(a.softplus().sum(-1))
  }

  /** Binary hidden units drawn from p(h | v), [batch, hidden]. */
  sampleHidden(v: Tensor): Tensor {
    return noGrad(() => this.#generator.bernoulli(this.encode(v)))
  }

  /** Visible units drawn from p(v | h), [batch, visible]. */
  sampleVisible(h: Tensor): Tensor {
    return noGrad(() => this.#draw(this.decode(h)))
  }

  #draw(mean: Tensor): Tensor {
    if (this.visible === 'binary') return this.#generator.bernoulli(mean)
    return this.#generator.normal(mean.shape).add(mean)
  }

  /**
   * The error of reconstructing v, Σ (v - v')² per example, whose gradient, however, is that of
   * contrastive divergence (Hinton 2002): ∂/∂θ of the mean of F(v⁰) - F(vᵏ), with vᵏ, where the
   * chain started at v⁰ ends after k steps, held fixed. For W this is vᵏᵀ·p(h|vᵏ) - v⁰ᵀ·p(h|v⁰).
   */
  risk(v: Tensor): Tensor {
    const a = this.encoder.forward(v)
    const { error, end } = noGrad(() => this.#chain(v, a))
    const divergence = this.#freeEnergy(v, a).sub(this.freeEnergy(end)).mean()
    return divergence.sub(divergence.detach()).add(error)
  }

  /** Where k steps from v lead, and the error of the first step's means. */
  #chain(v: Tensor, a: Tensor): { error: Tensor; end: Tensor } {
    const step = (pre: Tensor) => this.decode(this.#generator.bernoulli(pre.sigmoid()))
    const advance = (mean: Tensor) => (this.reconstruction === 'samples' ? this.#draw(mean) : mean)
    const reconstruction = step(a)
    const error = v.sub(reconstruction).square().sum(-1).mean()
    let end = advance(reconstruction)
    for (let i = 1; i < this.k; i++) end = advance(step(this.encoder.forward(end)))
    return { error, end }
  }
}
