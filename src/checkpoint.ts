/**
 * The state of a training run at an epoch's end, in one safetensors file: parameters, what the
 * optimizer keeps, random generators, the best weights so far and the reports of the epochs.
 */
import { existsSync } from 'node:fs'
import { ArgumentError, DataError, NeuroblasError } from './errors.js'
import { writeFileAtomically } from './io/files.js'
import { readModelFile } from './io/model.js'
import { encodeSafetensors, type TensorData } from './io/safetensors.js'
import type { Module } from './nn/module.js'
import type { Optimizer } from './optim/optimizer.js'
import type { Generator } from './random.js'
import type { EpochReport } from './train.js'

type Tensors<Data = Float32Array> = Map<string, { shape: readonly number[]; data: Data }>

/** What a training run consists of. */
export interface Run {
  model: Module
  optimizer: Optimizer
  best: Best
  /** Those of the run itself, besides the model's. */
  generators: Record<string, Generator>
}

/** What the metadata `training` holds as JSON. */
interface Notes {
  epochs: EpochReport[]
  steps: number
  best: { epoch: number; risk: number } | null
}

/** Writes the run's state; the old file stays until the new one is complete. */
export function saveCheckpoint(path: string, run: Run, epochs: EpochReport[]): void {
  const { model, optimizer, best } = run
  const { steps, tensors } = optimizer.state()
  const generators = [...generatorsOf(run)].map(
    ([name, generator]) => [name, { shape: [4], data: Int32Array.from(generator.save()) }] as const,
  )
  const notes: Notes = { epochs, steps, best: best.found }
  const entries = [
    ...under('model', model.state()),
    ...under('optimizer', tensors),
    ...under('best', best.state),
    ...under<TensorData>('random', generators),
  ]
  writeFileAtomically(path, encodeSafetensors(entries, { training: JSON.stringify(notes) }))
}

/**
 * Puts the run where the file says it was. Without a file, the run's beginning becomes one: a path
 * that cannot be written fails now, not after the first epoch.
 * @returns the reports of the epochs done
 * @throws DataError when the file is malformed or belongs to another model or optimizer
 */
export function resume(path: string, run: Run): EpochReport[] {
  if (!existsSync(path)) {
    saveCheckpoint(path, run, [])
    return []
  }
  const { tensors, metadata } = readModelFile(path)
  const part = (name: string): Tensors<never> =>
    new Map(
      [...tensors]
        .filter(([key]) => key.startsWith(`${name}/`))
        .map(([key, tensor]) => [key.slice(name.length + 1), tensor as never]),
    )
  try {
    const { epochs, steps, best } = JSON.parse(metadata.training) as Notes
    if (!Array.isArray(epochs) || !Number.isSafeInteger(steps)) {
      throw new ArgumentError('checkpoint: expected epochs and steps in it')
    }
    const random = part('random') as Tensors<Int32Array>
    run.model.loadState(part('model'))
    run.optimizer.loadState({ steps, tensors: part('optimizer') })
    for (const [name, generator] of generatorsOf(run)) {
      generator.restore([...(random.get(name)?.data ?? [])])
    }
    if (best) run.best.resume(best, part('best'))
    return epochs
  } catch (error) {
    if (!(error instanceof NeuroblasError || error instanceof SyntaxError)) throw error
    throw new DataError(`${path}: expected a checkpoint of this training, ${error.message}`, {
      cause: error,
    })
  }
}

function* generatorsOf({ model, generators }: Run): Iterable<[name: string, Generator]> {
  yield* Object.entries(generators)
  for (const [path, generator] of model.namedGenerators()) yield [`model.${path}`, generator]
}

function under<Data>(
  name: string,
  tensors: Iterable<readonly [string, { shape: readonly number[]; data: Data }]>,
): (readonly [string, { shape: readonly number[]; data: Data }])[] {
  return [...tensors].map(([key, tensor]) => [`${name}/${key}`, tensor] as const)
}

/** The weights of the epoch with the lowest validation risk. */
export class Best {
  #risk = Infinity
  #epoch = 0
  #state: Tensors | undefined

  constructor(
    readonly model: Module,
    readonly wanted: boolean,
  ) {}

  offer({ epoch, validationRisk = Infinity }: EpochReport): void {
    if (!this.wanted || !(validationRisk < this.#risk)) return
    this.#risk = validationRisk
    this.#epoch = epoch
    this.#state = this.model.state()
  }

  epochsSince(epoch: number): number {
    return epoch - this.#epoch
  }

  get found(): Notes['best'] {
    return this.#state ? { epoch: this.#epoch, risk: this.#risk } : null
  }

  get state(): Tensors {
    return this.#state ?? new Map()
  }

  resume({ epoch, risk }: NonNullable<Notes['best']>, state: Tensors): void {
    this.#epoch = epoch
    this.#risk = risk
    this.#state = state
  }

  /** Puts the weights back; the epoch they are from. */
  restore(): number | undefined {
    if (this.#state === undefined) return undefined
    this.model.loadState(this.#state)
    return this.#epoch
  }
}
