/** What keeps a run in its folder while it is trained: checkpoints, metrics and what the run is. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DivergenceError } from '../../base/errors.js'
import { Checkpoint } from '../checkpoint.js'
import type { Run } from '../checkpointFile.js'
import type { Pauses } from '../epoch.js'
import type { PartOfEpoch } from '../partOfEpoch.js'
import type { EpochReport, StepReport, TrainingHistory } from '../report.js'
import { examine } from '../runState.js'
import { CheckpointFolder } from './checkpointFolder.js'
import { configOf, readConfig, writeConfig } from './config.js'
import { type EpochEvent, MetricsLog, type RunEvent, readEvents } from './metricsLog.js'
import { CONFIG, METRICS } from './names.js'
import type { RunSettings } from './options.js'

/** How old the newest checkpoint may get, in milliseconds: within an epoch, and before a validation. */
const OLD = 60_000
const OLD_BEFORE_VALIDATION = 1000

/** Steps from one that is noted to the next: so many, or as many as an epoch has a hundred of. */
const STEPS_TO_NOTE = 50
const MOST_OF_EPOCH = 100

/** How a run is trained. */
interface Plan {
  epochs: number
  /** Undefined until they were counted, in the first one. */
  stepsPerEpoch: () => number | undefined
  /** Whether a validation follows on the last step of an epoch. */
  isValidated: boolean
  /** Whether an epoch that went on from its middle has the same bits. */
  canPause: boolean
  signal?: { readonly aborted: boolean }
}

export class RunRecord implements Pauses {
  readonly #log: MetricsLog
  /** When the newest checkpoint was written. */
  #written = performance.now()
  /** The whole epochs so far. */
  #epochs: EpochReport[]
  /** Epochs at whose end the run still is, without a checkpoint. */
  #pending: EpochReport[] | undefined

  private constructor(
    readonly options: RunSettings,
    readonly files: CheckpointFolder,
    readonly checkpoint: Checkpoint,
    readonly plan: Plan,
  ) {
    this.#epochs = checkpoint.epochs
    this.#log = new MetricsLog(join(files.path, METRICS))
  }

  /**
   * Puts the run where its newest checkpoint says it was, or makes its folder.
   * @throws DataError as `Checkpoint.open`
   */
  static async open(
    options: RunSettings,
    run: Run,
    accepted: readonly string[],
    plan: Plan,
  ): Promise<RunRecord> {
    const files = new CheckpointFolder(options.folder, options.keep)
    files.make()
    const checkpoint = await Checkpoint.open(files, run, accepted)
    try {
      const record = new RunRecord(options, files, checkpoint, plan)
      record.#begin()
      return record
    } catch (error) {
      checkpoint.close()
      throw error
    }
  }

  /** Brings the other files to where the run goes on. */
  #begin(): void {
    const { options, checkpoint, plan } = this
    const { epochs, part, identity, run } = checkpoint
    const path = join(options.folder, CONFIG)
    const { config } = options
    const { created } = existsSync(path) ? readConfig(path) : {}
    writeConfig(path, configOf(run, identity, { epochs: plan.epochs, config, created }))
    this.#log.begin([...this.#eventsUntil(epochs, part)])
  }

  /** What was noted, up to here: an interrupted run may have gone further than its checkpoint. */
  *#eventsUntil(epochs: readonly EpochReport[], part?: PartOfEpoch): Iterable<RunEvent> {
    const { path } = this.#log
    const events = existsSync(path) ? readEvents(path) : []
    const steps = events.filter((event) => event.event === 'step')
    for (const report of epochs) {
      yield* steps.filter(({ epoch }) => epoch === report.epoch)
      yield this.#eventOf(report)
    }
    const end = this.#stepsUntil(epochs.length + 1) + (part?.steps ?? 0)
    yield* steps.filter(({ epoch, step }) => epoch === epochs.length + 1 && step <= end)
  }

  #eventOf(report: EpochReport): EpochEvent {
    return { event: 'epoch', step: this.#stepsUntil(report.epoch + 1), ...report }
  }

  /** Of all epochs before this one. */
  #stepsUntil(epoch: number): number {
    return (epoch - 1) * (this.plan.stepsPerEpoch() ?? 0)
  }

  /** Notes some of the steps. */
  step({ epoch, step: stepOfEpoch, loss }: StepReport): void {
    const { stepsPerEpoch } = this.plan
    const interval = Math.max(STEPS_TO_NOTE, Math.ceil((stepsPerEpoch() ?? 0) / MOST_OF_EPOCH))
    const step = this.#stepsUntil(epoch) + stepOfEpoch
    if (step % interval === 0) this.#log.add({ event: 'step', epoch, step, loss })
  }

  stepsToPause(epoch: number, steps: number): number {
    const { every = Infinity } = this.options
    return every - ((this.#stepsUntil(epoch) + steps) % every)
  }

  pause(epoch: number, steps: number, part: () => PartOfEpoch): void {
    this.#pending = undefined
    const { plan, checkpoint } = this
    const isOver = steps === plan.stepsPerEpoch()
    // What comes next is the checkpoint of the epoch's end.
    if (!plan.canPause || (isOver && !plan.isValidated)) return
    const { every } = this.options
    const isDue = !isOver && every !== undefined && this.stepsToPause(epoch, steps) === every
    const oldest = isOver ? OLD_BEFORE_VALIDATION : every === undefined ? OLD : Infinity
    const isOld = performance.now() - this.#written > oldest
    if (!isDue && !isOld && !plan.signal?.aborted) return
    // Weights that have diverged are noticed at the next step's loss.
    if (examine(checkpoint.run).notFinite !== undefined) return
    const done = part()
    if (done.metrics === undefined && checkpoint.run.steps.settings.measures) return
    this.#save(this.#epochs, done)
  }

  /** Notes the last of these epochs, and writes a checkpoint where one is due. */
  save(epochs: EpochReport[]): void {
    const { every } = this.options
    this.#epochs = epochs
    this.#log.add(this.#eventOf(epochs[epochs.length - 1]))
    const isDue = every === undefined || this.#stepsUntil(epochs.length + 1) % every === 0
    if (isDue) this.#save(epochs)
    else {
      this.#pending = epochs
      this.#log.flush()
    }
  }

  /** Writes the checkpoint again where a callback has changed the optimizer's settings since. */
  saveSettings(epochs: EpochReport[]): void {
    if (!this.#pending) this.checkpoint.saveSettings(epochs)
  }

  /** Writes the checkpoint that is still to be written, before the model is given other weights. */
  finish(): void {
    if (this.#pending) this.#save(this.#pending)
  }

  /** Notes how training ended. */
  end({ ended, bestEpoch }: TrainingHistory): void {
    this.#log.add({ event: 'end', ended, bestEpoch })
  }

  /** Notes that training failed; checkpoints of an epoch that diverges lead there, and are removed. */
  fail(error: unknown): void {
    if (!(error instanceof DivergenceError)) return
    this.files.removePart(this.#epochs.length)
    this.#log.add({ event: 'end', ended: 'diverged', message: error.message })
  }

  /** Writes what is still to be noted; the checkpoint stays open. */
  close(): void {
    this.#log.flush()
  }

  #save(epochs: EpochReport[], part?: PartOfEpoch): void {
    this.#pending = undefined
    this.#log.flush()
    this.checkpoint.save(epochs, part)
    this.#written = performance.now()
  }
}
