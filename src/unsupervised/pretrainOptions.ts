/** What `pretrain` can be told, and the checks of it. */
import { refuseUnknown } from '../base/arguments.js'
import { ArgumentError, spelled } from '../base/errors.js'
import type { SGDSettings } from '../optim/sgd.js'
import type { EpochReport } from '../training/report.js'
import type { Noise } from './autoencoder.js'

/** What `pretrain` tells of an epoch; `loss` is the error of reconstructing an example. */
export interface PretrainReport extends EpochReport {
  /** The hidden layer being trained, counted from 1. */
  layer: number
  /** How many hidden layers are trained. */
  layers: number
}

/**
 * What `pretrain` takes for either method.
 * @inline
 */
interface CommonOptions {
  /** Passes over the data for each layer. */
  epochs: number
  /** Examples per step; 100 by default. */
  batchSize?: number
  /** Learning rate; by default 0.1 for a layer of sigmoid units on values from 0 to 1, else 0.01. */
  lr?: number
  /** Or its schedule over a layer's steps; by default 0.5 for its first 5 epochs, then 0.9. */
  momentum?: SGDSettings['momentum']
  /** λ of the penalty λ/2·Σ W²; 0.0002 by default for RBMs, 0 for autoencoders. */
  weightCost?: number
  /**
   * What the inputs are: `binary` (the default) for values from 0 to 1, `gaussian` for real ones,
   * which should be standardized.
   */
  visible?: 'binary' | 'gaussian'
  /**
   * Seed of weights, samples, noise and the order of the examples. By default each call has another
   * one, drawn after `setSeed`; checkpoints go on with theirs.
   */
  seed?: number
  /**
   * Beginning of the names of files that hold the state after each epoch, one per layer:
   * `NAME.layer1.safetensors`, … Where they exist, training goes on from them; a layer that is
   * trained further makes those above it begin again.
   */
  checkpoint?: string
  /** Names of what may differ from the training that a checkpoint is of, as `fit` takes them. */
  resumeWith?: readonly string[]
  /** Called after each epoch of each layer, and awaited. */
  onEpoch?: (report: PretrainReport) => void | Promise<void>
  /** Such as an AbortSignal: stops after the current step when it is aborted; what was reached is kept. */
  signal?: {
    /** Whether training is to stop. */
    readonly aborted: boolean
  }
}

/** Settings of `pretrain`. */
export type PretrainOptions = CommonOptions &
  (
    | {
        /** Restricted Boltzmann machines, for networks of sigmoid units. */
        method: 'rbm'
        /** Steps of contrastive divergence; 1 by default. */
        k?: number
      }
    | {
        /** Autoencoders, for networks of any units. */
        method: 'autoencoder'
        /** Makes the autoencoders denoising ones. */
        noise?: Noise
        /** Whether decoders have their encoder's weights; true by default. */
        tied?: boolean
      }
  )

const OPTIONS: Record<keyof CommonOptions, true> = {
  epochs: true,
  batchSize: true,
  lr: true,
  momentum: true,
  weightCost: true,
  visible: true,
  seed: true,
  checkpoint: true,
  resumeWith: true,
  onEpoch: true,
  signal: true,
}
const OWN_OPTIONS = { rbm: ['method', 'k'], autoencoder: ['method', 'noise', 'tied'] }

/**
 * Checks what the layers' own training does not.
 * @throws ArgumentError for options that do not exist, another method or other visible units
 */
export function checkOptions(options: PretrainOptions): void {
  const { method, visible = 'binary' } = options ?? {}
  if (method !== 'rbm' && method !== 'autoencoder') {
    throw new ArgumentError(`pretrain: expected method rbm or autoencoder, got ${spelled(method)}`)
  }
  refuseUnknown(`pretrain by ${method}`, options, [...Object.keys(OPTIONS), ...OWN_OPTIONS[method]])
  if (visible !== 'binary' && visible !== 'gaussian') {
    throw new ArgumentError(
      `pretrain: expected visible units binary or gaussian, got ${spelled(visible)}`,
    )
  }
}
