/** The checkpoints of one training run: going on from the newest that is whole, and writing the next. */
import { existsSync } from 'node:fs'
import { ArgumentError, DataError } from '../base/errors.js'
import { FileLock } from '../io/lock.js'
import { targetOf } from '../io/paths.js'
import { drawSeed } from '../tensor/random.js'
import { ChangedSettings } from './changedSettings.js'
import {
  misfit,
  type Run,
  readCheckpoint,
  restoreRun,
  type Stored,
  seedIn,
  writeCheckpoint,
} from './checkpointFile.js'
import type { Notes } from './checkpointNotes.js'
import {
  type Difference,
  describeDifference,
  differencesOf,
  type Identity,
  identify,
  isAcceptable,
  isOfBatches,
} from './identity.js'
import type { PartOfEpoch } from './partOfEpoch.js'
import type { EpochReport } from './report.js'
import { snapshot } from './runState.js'

/** Where the checkpoints of a run are. */
export interface CheckpointFiles {
  /** What errors are about. */
  readonly path: string
  /** What nobody else has meanwhile. */
  readonly locked: string
  /** Those there are, the newest first. */
  list(): string[]
  /** Where that after so many epochs and steps of the next one is written. */
  pathAt(epochs: number, steps: number): string
  /** Hears of one that was written there. */
  wrote?(epochs: readonly EpochReport[], steps: number): void
}

/** A file that each checkpoint replaces. */
export function oneFile(path: string): CheckpointFiles {
  return {
    path,
    locked: path,
    list: () => (existsSync(targetOf(path)) ? [path] : []),
    pathAt: () => path,
  }
}

/** The checkpoints of one run, from `open` to `close`; no other run can have them meanwhile. */
export class Checkpoint {
  /** The reports of the epochs done before. */
  epochs: EpochReport[] = []
  /** What was done of the next one. */
  part: PartOfEpoch | undefined
  #accepted: Notes['accepted'] = []
  #hasWarned = false
  readonly #changed: ChangedSettings
  /** The changed settings in the newest file. */
  #written = '[]'

  private constructor(
    readonly files: CheckpointFiles,
    readonly run: Run,
    readonly identity: Identity,
    readonly lock: FileLock,
  ) {
    this.#changed = new ChangedSettings(run.optimizer)
  }

  /**
   * Puts the run where the newest file that is not damaged says it was. Without a file, the run's beginning becomes
   * one: a path that cannot be written fails now, not after the first epoch.
   * @param accepted names of differences that are no reason to refuse the file; they are noted in it
   * @throws DataError when the file is malformed, belongs to another training or another process trains
   * on it; nothing is changed then
   */
  static async open(
    files: CheckpointFiles,
    run: Run,
    accepted: readonly string[],
  ): Promise<Checkpoint> {
    const lock = new FileLock(files.locked)
    try {
      const checkpoint = new Checkpoint(files, run, await identify(run), lock)
      const found = files.list()
      if (found.length > 0) checkpoint.#resume(found, accepted)
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
   * Writes the run's state; a file that it replaces stays until the new one is complete. Where the disk does not
   * take it, there is one warning, and the next time it is tried again.
   * @param part what was done of the next epoch
   * @throws DataError when another process took the file over, DivergenceError as `writeModelFile`
   */
  save(epochs: EpochReport[], part?: PartOfEpoch): void {
    try {
      this.lock.check()
      this.#write(epochs, part)
    } catch (error) {
      const { code, syscall, message } = error as NodeJS.ErrnoException
      if (code === undefined || syscall === undefined) throw error
      if (this.#hasWarned) return
      this.#hasWarned = true
      process.emitWarning(
        `fit: the checkpoint ${this.files.path} could not be written after epoch ${epochs.length} (${message}); training goes on, and the file stays as it was`,
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

  #write(epochs: EpochReport[], part?: PartOfEpoch): void {
    const changed = this.#changed.find()
    const [epoch, step] = [epochs.length, part?.steps ?? 0]
    const progress = {
      identity: this.identity,
      accepted: this.#accepted,
      position: { epoch, step },
      epochs,
      changed,
    }
    writeCheckpoint(this.files.pathAt(epoch, step), this.run, progress, part)
    this.#written = JSON.stringify(changed)
    this.files.wrote?.(epochs, step)
  }

  /** Goes on from the first of these files that is not damaged. */
  #resume(paths: readonly string[], accepted: readonly string[]): void {
    let firstError: unknown
    for (const [i, path] of paths.entries()) {
      let stored: Stored
      try {
        stored = readCheckpoint(path)
      } catch (error) {
        if (!(error instanceof DataError)) throw error
        firstError ??= error
        if (i + 1 < paths.length) warn(`fit: ${error.message}; tries the one before`)
        continue
      }
      if (this.#goOnFrom(path, stored, accepted)) return
      firstError ??= new DataError(
        `${path}: expected a checkpoint of an epoch's end where its batches change, got one after ${stored.notes.position.step} steps of an epoch`,
      )
    }
    throw firstError
  }

  /** @returns whether it does, which it cannot within an epoch whose batches are others now */
  #goOnFrom(path: string, stored: Stored, accepted: readonly string[]): boolean {
    const { run } = this
    const { notes } = stored
    const goBack = snapshot(run)
    try {
      const differences = differencesOf(notes.identity, this.identity)
      refuse(differences, accepted)
      if (notes.position.step > 0 && differences.some(isOfBatches)) return false
      this.part = restoreRun(run, stored)
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
      if (differences.length > 0) this.#write(notes.epochs, this.#partOf(stored))
      return true
    } catch (error) {
      goBack()
      throw misfit(path, error)
    }
  }

  /** The part that was done, as it is written. */
  #partOf({ tensors }: Stored): PartOfEpoch | undefined {
    const order = tensors.get('random/order')?.data
    return this.part && { ...this.part, ...(order && { order: [...order] }) }
  }
}

function warn(message: string): void {
  process.emitWarning(message, { type: 'NeuroblasWarning' })
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
 * The seed of a training that is given none: the one that its checkpoints were begun with, else a new
 * one. It is drawn in either case, so that all that is drawn later is the same.
 */
export function seedFor(paths: readonly string[]): number {
  const drawn = drawSeed()
  return paths.map(seedIn).find((seed) => seed !== undefined) ?? drawn
}
