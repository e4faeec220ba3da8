/** Autoencoders with one hidden layer, plain or denoising. */
import { checkFlag, isWithin, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, spelled } from '../base/errors.js'
import { glorotUniform, type Initializer } from '../nn/init.js'
import { binaryCrossEntropyWithLogits, mse } from '../nn/losses.js'
import { Parameter } from '../nn/module.js'
import { type ActivationName, activations } from '../nn/sequential.js'
import { requireTensor } from '../ops/require.js'
import { defaultGenerator, type Generator } from '../tensor/random.js'
import type { Tensor } from '../tensor/tensor.js'
import { UnsupervisedLayer } from './layer.js'

/** How inputs are corrupted: each one set to 0 with a probability, or normal noise added. */
export type Noise =
  | {
      /** Probability, from 0 to below 1. */
      masking: number
    }
  | {
      /** Standard deviation, >= 0. */
      gaussian: number
    }

/** Settings of an `Autoencoder`. */
export interface AutoencoderOptions {
  /** Of the hidden units; sigmoid by default. */
  activation?: ActivationName
  /** Whether the decoder has the encoder's weights, transposed; true by default. */
  tied?: boolean
  /** Corrupts the inputs while training, but not what is to be reconstructed; none by default. */
  noise?: Noise
  /** Of the visible units; sigmoid by default. */
  decoder?: 'sigmoid' | 'linear'
  /** Cross-entropy, for inputs from 0 to 1, by default after sigmoid; squared error after linear. */
  loss?: 'crossEntropy' | 'squaredError'
  /** Initial weights; Glorot's uniform ones by default. Biases start at 0. */
  init?: Initializer
  /** Where weights and noise are drawn from; the default generator by default. */
  generator?: Generator
}

const OPTIONS: Record<keyof AutoencoderOptions, true> = {
  activation: true,
  tied: true,
  noise: true,
  decoder: true,
  loss: true,
  init: true,
  generator: true,
}

/**
 * h = g(x̃·W + c), x' = o(h·W' + b), where W' is Wᵀ or weights of its own and x̃ is x or, in a denoising
 * autoencoder (Vincent et al. 2008), x with noise. W and c are `encoder`, b is `visibleBias`.
 * @example
 * const autoencoder = new Autoencoder(784, 500, { noise: { masking: 0.25 } })
 * const optimizer = new SGD(autoencoder.parameters(), { lr: 0.1 })
 * await autoencoder.fit(mnist().train, { optimizer, epochs: 10, batchSize: 20 })
 */
export class Autoencoder extends UnsupervisedLayer {
  /** W' [hidden, visible]; null when it is tied to the encoder's. */
  readonly decoderWeight: Parameter | null
  /** Of the hidden units. */
  readonly activation: ActivationName
  /** Of the visible units. */
  readonly decoder: 'sigmoid' | 'linear'
  /** What the reconstruction is measured by. */
  readonly loss: 'crossEntropy' | 'squaredError'
  /** Corrupts the inputs while training. */
  readonly noise: Noise | undefined
  /** Draws the noise. */
  readonly generator: Generator

  /**
   * An autoencoder with new weights.
   * @param visible units, a whole number from 1
   * @param hidden units, a whole number from 1
   * @throws ShapeError for sizes below 1, ArgumentError for options that do not exist or are out of
   *   range
   */
  constructor(visible: number, hidden: number, given: AutoencoderOptions = {}) {
    const options = optionsOf('Autoencoder', given, OPTIONS)
    const { activation = 'sigmoid', tied = true, noise, decoder = 'sigmoid' } = options
    const { loss = decoder === 'sigmoid' ? 'crossEntropy' : 'squaredError' } = options
    oneOf('activation', activation, Object.keys(activations))
    oneOf('decoder', decoder, ['sigmoid', 'linear'])
    oneOf('loss', loss, ['crossEntropy', 'squaredError'])
    if (loss === 'crossEntropy' && decoder === 'linear') {
      throw new ArgumentError('Autoencoder: crossEntropy needs a sigmoid decoder, got linear')
    }
    checkFlag('Autoencoder', 'tied', tied)
    if (noise !== undefined) checkNoise(noise)
    const { init = glorotUniform, generator = defaultGenerator() } = options
    super(visible, hidden, { init, generator })
    this.decoderWeight = tied ? null : new Parameter(init([hidden, visible], generator))
    this.activation = activation
    this.decoder = decoder
    this.loss = loss
    this.noise = noise && { ...noise }
    this.generator = generator
  }

  protected override get takesProbabilities(): boolean {
    return this.loss === 'crossEntropy'
  }

  encode(x: Tensor): Tensor {
    return this.encoder.forward(x)[this.activation]()
  }

  decode(h: Tensor): Tensor {
    requireTensor('decode', h)
    const a = this.#preActivation(h)
    return this.decoder === 'sigmoid' ? a.sigmoid() : a
  }

  #preActivation(h: Tensor): Tensor {
    const product = this.decoderWeight
      ? h.matmul(this.decoderWeight)
      : h.matmul(this.encoder.weight, { transB: true })
    return product.add(this.visibleBias)
  }

  /** The loss summed over the visible units, averaged over the batch; with noise while training. */
  reconstructionLoss(x: Tensor): Tensor {
    requireTensor('reconstructionLoss', x)
    const h = this.encode(this.training ? this.#corrupted(x) : x)
    const sum =
      this.loss === 'crossEntropy'
        ? binaryCrossEntropyWithLogits(this.#preActivation(h), x, 'sum')
        : mse(this.decode(h), x, 'sum')
    return sum.mul(1 / x.shape[0])
  }

  #corrupted(x: Tensor): Tensor {
    const { masking, gaussian } = amounts(this.noise)
    if (masking !== undefined) return x.mul(this.generator.bernoulli(x.shape, 1 - masking))
    if (gaussian !== undefined) return x.add(this.generator.normal(x.shape, 0, gaussian))
    return x
  }
}

function oneOf(option: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return
  throw new ArgumentError(
    `Autoencoder: expected ${option} ${known.join(', ')}, got ${spelled(value)}`,
  )
}

function amounts(noise: Noise | undefined): { masking?: number; gaussian?: number } {
  return noise ?? {}
}

function checkNoise(noise: Noise): void {
  const amount = optionsOf('Autoencoder: noise', amounts(noise), { masking: true, gaussian: true })
  const { masking, gaussian } = amount
  const fits =
    gaussian === undefined
      ? isWithin(masking, 0, 1)
      : masking === undefined && isWithin(gaussian, 0, Infinity)
  if (fits) return
  throw new ArgumentError(
    `Autoencoder: expected noise { masking: 0 to below 1 } or { gaussian: >= 0 }, got ${excerpt(noise)}`,
  )
}
