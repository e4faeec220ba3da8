/** One training run of a recipe, from the data to the error. */
import {
  convnet,
  type Dataset,
  distortion,
  evaluate,
  type FitOptions,
  fit,
  Generator,
  init,
  l2,
  mlp,
  mnist,
  type PretrainReport,
  pretrain,
  type Sequential,
  SGD,
  schedules,
  subset,
} from '../../index.js'
import type { Recipe } from './recipes.js'

/** Training images that choices are made by; they are MNIST's last. */
const HELD_OUT = 10_000
const IMAGE = [28, 28] as const

export interface RunOptions
  extends Pick<FitOptions, 'onStep' | 'onEpoch' | 'signal' | 'resumeWith'> {
  seed: number
  epochs: number
  /** Trains without the last 10,000 training images and tests on them. */
  validate: boolean
  /** Where the run is kept from epoch to epoch: beginning of the files' names. */
  checkpoint: string
  onPretrainEpoch?: (report: PretrainReport) => void
}

export interface Outcome {
  /** Percent of the images that were tested on; undefined when the run was interrupted. */
  error?: number
  epochs: number
  seconds: number
  /** In the fastest epoch: what other work on the machine slowed down least. */
  examplesPerSecond: number
}

export async function runRecipe(recipe: Recipe, options: RunOptions): Promise<Outcome> {
  const model = networkOf(recipe, new Generator(options.seed))
  try {
    return await trainAndTest(model, recipe, options)
  } finally {
    model.dispose()
  }
}

function networkOf(recipe: Recipe, generator: Generator): Sequential {
  const { units, filters, activation, dropout, inputDropout } = recipe
  const settings = {
    activation,
    dropout,
    init: activation === 'relu' ? init.heNormal : init.glorotUniform,
    generator,
  }
  if (filters === undefined) return mlp(units, { ...settings, inputDropout })
  return convnet([...IMAGE, 1], filters, units.slice(1), settings)
}

async function trainAndTest(
  model: Sequential,
  recipe: Recipe,
  options: RunOptions,
): Promise<Outcome> {
  const { seed, epochs, validate, checkpoint, resumeWith, signal, onStep, onEpoch } = options
  const { train, test } = dataOf(validate)
  const { loss, batchSize, maxNorm } = recipe
  const optimizer = new SGD(model.parameters(), {
    lr: schedules.cosine(recipe.lr, epochs * Math.ceil(train.size / batchSize)),
    momentum: recipe.momentum,
    regularizer: l2(recipe.l2),
    maxNorm,
  })
  const before = await pretrained(model, train, recipe, options)
  // What is pre-trained by half must not become the beginning of the rest.
  if (signal?.aborted) return { epochs: 0, seconds: before, examplesPerSecond: 0 }
  const augment = recipe.distortion && distortion({ imageShape: IMAGE, ...recipe.distortion })
  const validation = validate ? test : undefined
  const history = await fit(model, train, {
    loss,
    optimizer,
    epochs,
    batchSize,
    seed,
    augment,
    validation,
    checkpoint: `${checkpoint}.safetensors`,
    resumeWith,
    signal,
    onStep,
    onEpoch,
  }).finally(() => optimizer.dispose())
  const isDone = history.ended === 'epochs'
  const tested = isDone ? await evaluate(model, test, { loss }) : undefined
  return {
    error: tested && 100 * (1 - tested.accuracy!),
    epochs: history.epochs.length,
    seconds: history.epochs.reduce((sum, { seconds }) => sum + seconds, before),
    examplesPerSecond: Math.max(0, ...history.epochs.map((report) => report.examplesPerSecond)),
  }
}

/** Pre-trains the model where the recipe says so; the seconds that it took. */
async function pretrained(
  model: Sequential,
  train: Dataset,
  { pretraining }: Recipe,
  { seed, checkpoint, resumeWith, signal, onPretrainEpoch }: RunOptions,
): Promise<number> {
  if (pretraining === undefined) return 0
  const { layers } = await pretrain(model, train, {
    method: 'rbm',
    epochs: pretraining,
    seed,
    signal,
    checkpoint,
    resumeWith,
    onEpoch: onPretrainEpoch,
  })
  const reports = layers.flatMap(({ epochs }) => epochs)
  return reports.reduce((sum, { seconds }) => sum + seconds, 0)
}

function dataOf(validate: boolean) {
  const { train, test } = mnist()
  if (!validate) return { train, test }
  const kept = train.size - HELD_OUT
  const rows = Array.from({ length: train.size }, (_, row) => row)
  return { train: subset(train, rows.slice(0, kept)), test: subset(train, rows.slice(kept)) }
}
