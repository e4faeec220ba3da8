/**
 * Restricted Boltzmann machines, trained by contrastive divergence. Where a default or a choice is
 * Hinton's, it is from "A practical guide to training restricted Boltzmann machines" (2010).
 */

import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, spelled } from '../base/errors.js'
import { type Initializer, normal } from '../nn/init.js'
import { requireTensor } from '../ops/require.js'
import { allocate } from '../tensor/allocate.js'
import { gradEnabled, noGrad, record } from '../tensor/graph.js'
import { defaultGenerator, type Generator } from '../tensor/random.js'
import type { AnyTensor, GradNode, Tensor } from '../tensor/tensor.js'
import { UnsupervisedLayer } from './layer.js'

/** Settings of an `RBM`. */
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

const OPTIONS: Record<keyof RBMOptions, true> = {
  visible: true,
  k: true,
  reconstruction: true,
  init: true,
  generator: true,
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
  /** What the visible units are. */
  readonly visible: 'binary' | 'gaussian'
  /** Steps of the Markov chain. */
  readonly k: number
  /** What the chain goes on from. */
  readonly reconstruction: 'means' | 'samples'
  /** Draws the samples. */
  readonly generator: Generator

  /**
   * A machine with new weights.
   * @param visible units, a whole number from 1
   * @param hidden units, a whole number from 1
   * @throws ShapeError for sizes below 1, ArgumentError for options that do not exist or are out of
   *   range
   */
  constructor(visible: number, hidden: number, given: RBMOptions = {}) {
    const options = optionsOf('RBM', given, OPTIONS)
    const { visible: kind = 'binary', k = 1, reconstruction = 'means' } = options
    if (kind !== 'binary' && kind !== 'gaussian') {
      throw new ArgumentError(
        `RBM: expected visible units binary or gaussian, got ${spelled(kind)}`,
      )
    }
    if (reconstruction !== 'means' && reconstruction !== 'samples') {
      throw new ArgumentError(
        `RBM: expected reconstruction means or samples, got ${spelled(reconstruction)}`,
      )
    }
    checkCount('RBM', 'k', k)
    const { init = normal(0, 0.01), generator = defaultGenerator() } = options
    super(visible, hidden, { init, generator })
    this.visible = kind
    this.k = k
    this.reconstruction = reconstruction
    this.generator = generator
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
    requireTensor('decode', h)
    const mean = h.matmul(this.encoder.weight, { transB: true }).add(this.visibleBias)
    return this.visible === 'binary' ? mean.sigmoid() : mean
  }

  /**
   * F(v) = -log Σ_h e^-E(v, h), for each example: -b·v - Σ_j softplus(c_j + (v·W)_j) for binary
   * units, with |v - b|²/2 in place of -b·v for Gaussian ones; [batch].
   */
  freeEnergy(v: Tensor): Tensor {
    requireTensor('freeEnergy', v)
    const ofVisible =
      this.visible === 'binary'
        ? v.matmul(this.visibleBias).neg()
        : v.sub(this.visibleBias).square().sum(-1).mul(0.5)
    return ofVisible.sub(this.encoder.forward(v).softplus().sum(-1))
  }

  /** Binary hidden units drawn from p(h | v), [batch, hidden]. */
  sampleHidden(v: Tensor): Tensor {
    return noGrad(() => this.generator.bernoulli(this.encode(v)))
  }

  /** Visible units drawn from p(v | h), [batch, visible]. */
  sampleVisible(h: Tensor): Tensor {
    return noGrad(() => this.#draw(this.decode(h)))
  }

  #draw(mean: Tensor): Tensor {
    if (this.visible === 'binary') return this.generator.bernoulli(mean)
    return this.generator.normal(mean.shape).add(mean)
  }

  /**
   * The error of reconstructing v, Σ (v - v')² averaged over the batch. `backward` from it leaves the
   * gradient of contrastive divergence, which is not the error's own (Hinton 2002): that of the mean
   * of F(v) - F(vᵏ), where vᵏ, the end of a chain of k steps from v, is held fixed.
   */
  reconstructionLoss(v: Tensor): Tensor {
    requireTensor('reconstructionLoss', v)
    const { error, positive, negative } = noGrad(() => this.#contrast(v))
    if (gradEnabled()) {
      const { weight, bias } = this.encoder
      const parameters = [weight, bias!, this.visibleBias]
      const saved = [...positive, ...negative]
      record(error, 'contrastiveDivergence', parameters, saved, undefined, contrastiveDivergence)
    }
    return error
  }

  /** Visible units and hidden probabilities at the start of the chain and at its end. */
  #contrast(v: Tensor): { error: Tensor; positive: Phase; negative: Phase } {
    const positive: Phase = [v, this.encode(v)]
    let negative = positive
    let error: Tensor | undefined
    for (let step = 0; step < this.k; step++) {
      const means = this.decode(this.generator.bernoulli(negative[1]))
      error ??= v.sub(means).square().sum(-1).mean()
      const end = this.reconstruction === 'samples' ? this.#draw(means) : means
      negative = [end, this.encode(end)]
    }
    return { error: error!, positive, negative }
  }
}

type Phase = readonly [v: Tensor, p: Tensor]

/** Gradients for W: (vᵏᵀ·pᵏ - vᵀ·p) / batch, and in the same way for both biases. */
const contrastiveDivergence: GradNode['backward'] = (dy, [v, p, vk, pk]) => {
  const [batch, visible] = v.shape
  const hidden = p.shape[1]
  const scale = dy.mul(1 / batch)
  const add = (dW: Tensor, [x, h]: readonly AnyTensor[], alpha: number, beta: number) => {
    const { backend } = dW.storage
    const scaled = h.mul(scale)
    const sizes = [visible, hidden, batch] as const
    backend.run('gemm', x.handle, scaled.handle, dW.handle, 1, 0, ...sizes, alpha, beta, 0)
  }
  return [
    () => {
      const dW = allocate(v, [visible, hidden])
      add(dW, [vk, pk], 1, 0)
      add(dW, [v, p], -1, 1)
      return dW
    },
    () => pk.sub(p).sum(0).mul(scale),
    () => vk.sub(v).sum(0).mul(scale),
  ]
}
