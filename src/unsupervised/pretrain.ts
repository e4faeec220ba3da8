/**
 * Greedy unsupervised pre-training of a deep network, layer by layer (Hinton, Osindero and Teh 2006;
 * Bengio et al. 2007). The supervised training that refines it is `fit`.
 */
import { rmSync } from 'node:fs'
import { ArgumentError, DivergenceError } from '../base/errors.js'
import { checkDataset, type Dataset } from '../data/dataset.js'
import { Dropout } from '../nn/dropout.js'
import { Linear } from '../nn/linear.js'
import { whileTraining } from '../nn/lock.js'
import { checkModule, type Module } from '../nn/module.js'
import { type ActivationName, activations, Sequential } from '../nn/sequential.js'
import { l2 } from '../optim/regularizers.js'
import { SGD } from '../optim/sgd.js'
import type { Lock } from '../tensor/locks.js'
import { Generator, streams } from '../tensor/random.js'
import { Scope, within } from '../tensor/storage.js'
import { seedFor } from '../training/checkpoint.js'
import type { TrainingHistory } from '../training/report.js'
import { Autoencoder } from './autoencoder.js'
import type { LayerFitOptions } from './layer.js'
import { checkOptions, type PretrainOptions } from './pretrainOptions.js'
import { RBM } from './rbm.js'

/** What `pretrain` returns, as far as training came. */
export interface PretrainHistory {
  /** A history per layer, first to last. */
  layers: TrainingHistory[]
  /** Whether all layers were trained to the end. */
  ended: 'epochs' | 'aborted'
}

/**
 * Trains each linear layer that an activation follows, first to last, as the hidden layer of a
 * machine of its own, whose data are the activities of the layer below. Only then are its new weights
 * written into the model; those that the model came with do not matter. An output layer stays as it is.
 * The `loss` in the reports is the error of reconstructing an example.
 *
 * @param model an `mlp`, or a `Sequential` of linear layers and activations
 * @param data examples whose targets are not looked at
 * @throws ArgumentError for a model, data or options that the method cannot do with, ShapeError when
 * the inputs do not fit the model, DivergenceError when the error is no longer finite, DataError when
 * a checkpoint is malformed or belongs to another training, BusyError while the model is being trained
 * @example
 * const model = mlp([784, 500, 500, 2000, 10], { activation: 'sigmoid' })
 * await pretrain(model, train, { method: 'rbm', epochs: 10 })
 * await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 30 })
 */
export async function pretrain(
  model: Module,
  data: Dataset,
  given: PretrainOptions,
): Promise<PretrainHistory> {
  checkModule('pretrain', model)
  checkDataset('pretrain', data)
  checkOptions(given)
  const options = { ...given }
  return whileTraining('pretrain', model.parameters(), (lock) => train(model, data, options, lock))
}

/** What `pretrain` does when the model is its own. */
async function train(
  model: Module,
  data: Dataset,
  options: PretrainOptions,
  lock: Lock,
): Promise<PretrainHistory> {
  const { checkpoint } = options
  const fileOf = (layer: number) => `${checkpoint}.layer${layer}.safetensors`
  const seed = options.seed ?? seedFor(checkpoint ? [fileOf(1)] : [])
  const generator = new Generator(seed, streams.pretraining)
  const history: PretrainHistory = { layers: [], ended: 'epochs' }
  try {
    const modules = modulesIn(model)
    const places = hiddenLayers(modules, options.method)
    const files = checkpoint ? places.map((_, i) => fileOf(i + 1)) : []
    model.eval()
    for (const [i, at] of places.entries()) {
      const trained = await trainLayer(modules, at, data, { ...options, seed }, generator, {
        checkpoint: files[i],
        onEpoch: (report) => {
          // What the layers above had learned was of this one as it was.
          for (const stale of files.slice(i + 1)) rmSync(stale, { force: true })
          const { onEpoch } = options
          if (onEpoch)
            return lock.lend(() => onEpoch({ ...report, layer: i + 1, layers: places.length }))
        },
      }).catch((error) => {
        if (!(error instanceof DivergenceError)) throw error
        throw new DivergenceError(`pretrain: layer ${i + 1}: ${error.message}`, { cause: error })
      })
      history.layers.push(trained)
      if (trained.ended !== 'aborted') continue
      history.ended = 'aborted'
      break
    }
    return history
  } finally {
    generator.dispose()
  }
}

/** The modules inside nested sequences, in order. */
function modulesIn(model: Module): Module[] {
  return model instanceof Sequential ? model.layers.flatMap(modulesIn) : [model]
}

/** The name of a module that is an activation. */
function activationOf(module: Module | undefined): ActivationName | undefined {
  const names = Object.keys(activations) as ActivationName[]
  return names.find((name) => module instanceof activations[name])
}

/** Positions of the linear layers that an activation follows. */
function hiddenLayers(modules: readonly Module[], method: PretrainOptions['method']): number[] {
  const places = [...modules.keys()].filter(
    (at) => modules[at] instanceof Linear && activationOf(modules[at + 1]),
  )
  if (places.length === 0) {
    const names = modules.map((module) => module.constructor.name).join(', ')
    throw new ArgumentError(
      `pretrain: expected a Sequential with Linear layers and activations after them, got ${names}`,
    )
  }
  for (const at of places) {
    if ((modules[at] as Linear).bias === null) {
      throw new ArgumentError('pretrain: expected hidden layers with biases, got one without')
    }
    if ((modules[at] as Linear).parameters().some(({ requiresGrad }) => !requiresGrad)) {
      throw new ArgumentError('pretrain: expected hidden layers to train, got one that is frozen')
    }
    const activation = activationOf(modules[at + 1])
    if (method === 'rbm' && activation !== 'sigmoid') {
      throw new ArgumentError(
        `pretrain: rbm needs sigmoid units, got ${activation}; method autoencoder takes them`,
      )
    }
  }
  return places
}

/**
 * Trains the layer at this place on what those below make of each batch: that costs a product more
 * per layer below, and no memory of the size of the data set.
 */
async function trainLayer(
  modules: readonly Module[],
  at: number,
  data: Dataset,
  options: PretrainOptions,
  generator: Generator,
  ofLayer: Pick<LayerFitOptions, 'checkpoint' | 'onEpoch'>,
): Promise<TrainingHistory> {
  const { epochs, batchSize = 100, seed, signal, resumeWith } = options
  const layer = modules[at] as Linear
  const below = modulesBelow(modules, at)
  // The optimizer's velocities go where the parameters go.
  const own = new Scope()
  const machine = within(own, () => machineFor(modules, at, options, generator))
  try {
    const optimizer = optimizerFor(machine, options, Math.ceil(data.size / batchSize))
    const history = await machine
      .fit(
        data,
        { optimizer, epochs, batchSize, seed, signal, resumeWith, ...ofLayer },
        below.length === 0 ? undefined : (x) => below.reduce((h, module) => module.forward(h), x),
      )
      .finally(() => optimizer.dispose())
    if (history.epochs.length > 0) {
      layer.weight.assign(machine.encoder.weight)
      layer.bias!.assign(machine.encoder.bias!)
    }
    return history
  } finally {
    own.end()
  }
}

/** What the data go through before the layer at this place; nothing is dropped there. */
function modulesBelow(modules: readonly Module[], at: number): Module[] {
  return modules.slice(0, at).filter((module) => !(module instanceof Dropout))
}

/** What trains the layer at this place. */
function machineFor(
  modules: readonly Module[],
  at: number,
  options: PretrainOptions,
  generator: Generator,
): RBM | Autoencoder {
  const [visibleUnits, hiddenUnits] = (modules[at] as Linear).weight.shape
  const before = modulesBelow(modules, at).at(-1)
  const ofLayer = activationOf(before) === 'sigmoid' ? 'binary' : 'gaussian'
  const visible = before ? ofLayer : options.visible
  if (options.method === 'rbm') {
    return new RBM(visibleUnits, hiddenUnits, { visible, k: options.k, generator })
  }
  const { noise, tied } = options
  const decoder = visible === 'gaussian' ? 'linear' : 'sigmoid'
  const activation = activationOf(modules[at + 1])
  return new Autoencoder(visibleUnits, hiddenUnits, { activation, noise, tied, decoder, generator })
}

function optimizerFor(
  machine: RBM | Autoencoder,
  options: PretrainOptions,
  stepsPerEpoch: number,
): SGD {
  const isRBM = machine instanceof RBM
  const isBounded = isRBM
    ? machine.visible === 'binary'
    : machine.activation === 'sigmoid' && machine.decoder === 'sigmoid'
  const {
    lr = isBounded ? 0.1 : 0.01,
    momentum = (step) => (step < EARLY_EPOCHS * stepsPerEpoch ? EARLY_MOMENTUM : LATE_MOMENTUM),
    weightCost = isRBM ? 0.0002 : 0,
  } = options
  return new SGD(machine.parameters(), { lr, momentum, regularizer: l2(weightCost / 2) })
}

// Hinton 2010, section 9: more momentum once the first great progress is made.
const EARLY_EPOCHS = 5
const EARLY_MOMENTUM = 0.5
const LATE_MOMENTUM = 0.9
