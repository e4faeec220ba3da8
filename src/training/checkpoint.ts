/**
 * The state of a training run at an epoch's end, in one safetensors file: which training it is,
 * parameters, what the optimizer keeps, random generators, the best weights so far and the reports of
 * the epochs.
 */
import { existsSync } from 'node:fs'
import { ArgumentError, DataError, NeuroblasError } from '../base/errors.js'
import { FileLock } from '../io/lock.js'
import { readModelFile, readModelMetadata, writeModelFile } from '../io/model.js'
import { targetOf } from '../io/paths.js'
import type { TensorData } from '../io/safetensorsDtypes.js'
import { drawSeed } from '../tensor/random.js'
import type { BestWeights } from './bestWeights.js'
import { ChangedSettings } from './changedSettings.js'
import { decodeNotes, encodeNotes, FORMAT, type Notes } from './checkpointNotes.js'
import {
  type Difference,
  describeDifference,
  differencesOf,
  type Identity,
  identify,
  isAcceptable,
  type Training,
} from './identity.js'
import type { EpochReport } from './report.js'
import { examine, generatorsOf, type RunState, snapshot } from './runState.js'

type Tensors<Data = Float32Array> = Map<string, { shape: readonly number[]; data: Data }>

/** What a training run consists of. */
export interface Run extends Training, RunState {
  best: BestWeights
}

/** The checkpoint of one run, from `open` to `close`; no other run can have it meanwhile. */
export class Checkpoint {
  /** The reports of the epochs done before. */
  epochs: EpochReport[] = []
  #accepted: Notes['accepted'] = []
  #hasWarned = false
  readonly #changed: ChangedSettings
  /** The changed settings in the file. */
  #written = '[]'

  private constructor(
    readonly path: string,
    readonly run: Run,
    readonly identity: Identity,
    readonly lock: FileLock,
  ) {
    this.#changed = new ChangedSettings(run.optimizer)
  }

  /**
   * Puts the run where the file says it was. Without a file, the run's beginning becomes one: a path
   * that cannot be written fails now, not after the first epoch.
   * @param accepted names of differences that are no reason to refuse the file; they are noted in it
   * @throws DataError when the file is malformed, belongs to another training or another process trains
   * on it; nothing is changed then
   */
  static async open(path: string, run: Run, accepted: readonly string[]): Promise<Checkpoint> {
    const lock = new FileLock(path)
    try {
      const checkpoint = new Checkpoint(path, run, await identify(run), lock)
      if (existsSync(targetOf(path))) checkpoint.#resume(accepted)
      else checkpoint.#write([])
      return checkpoint
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Whether a learning rate was accepted where the run goes on: it holds as it is. */
  get hasNewLr(): boolean {
    const { length } = this.epochs
    return this.#accepted.some(({ name, epochs }) => name === 'lr' && epochs === length)
  }

  /**
   * Writes the run's state; the old file stays until the new one is complete. Where the disk does not
   * take it, there is one warning, and the next epoch tries again.
   * @throws DataError when another process took the file over, DivergenceError as `writeModelFile`
   */
  save(epochs: EpochReport[]): void {
    try {
      this.lock.check()
      this.#write(epochs)
    } catch (error) {
      const { code, syscall, message } = error as NodeJS.ErrnoException
      if (code === undefined || syscall === undefined) throw error
      if (this.#hasWarned) return
      this.#hasWarned = true
      process.emitWarning(
        `fit: the checkpoint ${this.path} could not be written after epoch ${epochs.length} (${message}); training goes on, and the file stays as it was`,
        { type: 'NeuroblasWarning' },
      )
    }
  }

  /** Writes it again where a callback has changed the optimizer's settings since. */
  saveSettings(epochs: EpochReport[]): void {
    if (JSON.stringify(this.#changed.find()) !== this.#written) this.save(epochs)
  }

  close(): void {
    this.lock.release()
  }

  #write(epochs: EpochReport[]): void {
    const changed = this.#changed.find()
    saveCheckpoint(this.path, this.run, {
      identity: this.identity,
      accepted: this.#accepted,
      position: { epoch: epochs.length, step: 0 },
      epochs,
      changed,
    })
    this.#written = JSON.stringify(changed)
  }

  #resume(accepted: readonly string[]): void {
    const { run } = this
    const { tensors, metadata } = readModelFile(this.path)
    const goBack = snapshot(run)
    try {
      const notes = decodeNotes(metadata.training)
      const differences = differencesOf(notes.identity, this.identity)
      refuse(differences, accepted)
      restore(run, tensors, notes)
      // What is accepted is as this run has it.
      const own = differences.map(({ name }) => name)
      this.#changed.apply(notes.changed, own)
      this.#written = JSON.stringify(this.#changed.find())
      this.epochs = notes.epochs
      const epochs = notes.epochs.length
      this.#accepted = [
        ...notes.accepted,
        ...differences.map((difference) => ({ ...difference, epochs })),
      ]
      if (differences.length > 0) this.#write(notes.epochs)
    } catch (error) {
      goBack()
      if (!(error instanceof NeuroblasError || error instanceof SyntaxError)) throw error
      throw new DataError(
        `${this.path}: expected a checkpoint of this training, ${error.message}`,
        { cause: error },
      )
    }
  }
}

/** Unless all of them are accepted. */
function refuse(differences: readonly Difference[], accepted: readonly string[]): void {
  if (differences.every((found) => isAcceptable(found) && accepted.includes(found.name))) return
  const names = differences.map(({ name }) => name)
  const advice = differences.every(isAcceptable)
    ? `to go on all the same, accept them: resumeWith: ['${names.join("', '")}'] (--resume-with ${names.join(',')})`
    : 'begin again with another file'
  throw new ArgumentError(
    `got one that differs in ${differences.map(describeDifference).join(', ')}; ${advice}`,
  )
}

/**
 * Writes the run's state; the old file stays until the new one is complete.
 * @throws DivergenceError for values that are not finite where the old file's are
 */
function saveCheckpoint(
  path: string,
  run: Run,
  progress: Omit<Notes, 'format' | 'optimizer' | 'steps' | 'best'>,
): void {
  const { model, optimizer, best } = run
  const { kind, steps, tensors } = optimizer.stateDict()
  const generators = [...generatorsOf(run)].map(
    ([name, generator]) => [name, { shape: [4], data: Int32Array.from(generator.save()) }] as const,
  )
  const notes: Notes = { format: FORMAT, ...progress, optimizer: kind, steps, best: best.found }
  const entries = [
    ...under('model', model.stateDict()),
    ...under('optimizer', tensors),
    ...under('best', best.stateDict()),
    ...under('average', run.average?.stateDict() ?? []),
    ...under<TensorData>('random', generators),
  ]
  writeModelFile(path, entries, { training: encodeNotes(notes) })
}

/**
 * The seed of a training that is given none: the one that its checkpoint was begun with, else a new
 * one. It is drawn in either case, so that all that is drawn later is the same.
 */
export function seedFor(path?: string): number {
  const drawn = drawSeed()
  if (path === undefined || !existsSync(path)) return drawn
  const { training = '{}' } = readModelMetadata(path)
  try {
    const { seed } = JSON.parse(training).identity
    return Number.isSafeInteger(seed) && seed >= 0 ? seed : drawn
  } catch {
    return drawn // `Checkpoint.open` says what is wrong with the file
  }
}

function restore(
  run: Run,
  tensors: ReturnType<typeof readModelFile>['tensors'],
  { optimizer, steps, best }: Notes,
): void {
  const part = (name: string): Tensors<never> =>
    new Map(
      [...tensors]
        .filter(([key]) => key.startsWith(`${name}/`))
        .map(([key, tensor]) => [key.slice(name.length + 1), tensor as never]),
    )
  run.optimizer.loadStateDict({ kind: optimizer, steps, tensors: part('optimizer') })
  run.model.loadStateDict(part('model'))
  restoreAverage(run, part('average'))
  const { notFinite } = examine(run)
  if (notFinite !== undefined) {
    throw new ArgumentError(`expected finite values, got ${notFinite}; remove it to begin anew`)
  }
  const random = part('random') as Tensors<Int32Array>
  for (const [name, generator] of generatorsOf(run)) {
    generator.restore([...(random.get(name)?.data ?? [])])
  }
  if (best) run.best.resume(best, part('best'))
}

/** A run that has no average yet begins with its weights. */
function restoreAverage({ average, model }: Run, found: Tensors<never>): void {
  if (average === undefined) return
  const names = new Set(average.stateDict().keys())
  const weights = [...model.stateDict()].filter(([name]) => names.has(name))
  average.loadStateDict(found.size > 0 ? found : new Map(weights))
}

function under<Data>(
  name: string,
  tensors: Iterable<readonly [string, { shape: readonly number[]; data: Data }]>,
): (readonly [string, { shape: readonly number[]; data: Data }])[] {
  return [...tensors].map(([key, tensor]) => [`${name}/${key}`, tensor] as const)
}
