/** What `fit` does between epochs, whatever they are made of: best weights, averages, reports, callbacks, the end. */
import type { AnyModule, Module } from '../nn/module.js'
import { ExponentialMovingAverage } from '../optim/average.js'
import { ReduceOnPlateau } from '../optim/plateau.js'
import type { Lock } from '../tensor/locks.js'
import { BestWeights } from './bestWeights.js'
import type { FitOptions } from './fitOptions.js'
import { refuseReplaced } from './modelChecks.js'
import type { EpochReport, EvaluationProgress, StepReport, TrainingHistory } from './report.js'
import { Printer } from './verbose.js'

type LoopOptions = Pick<
  FitOptions,
  | ('optimizer' | 'epochs' | 'signal' | 'earlyStopping' | 'keepBest' | 'verbose')
  | ('onStep' | 'onEpoch' | 'ema' | 'reduceOnPlateau')
>

/** What holds a run after each of its epochs. */
interface Keeper {
  save(epochs: EpochReport[]): void
  /** Again where a callback has changed the optimizer's settings since. */
  saveSettings(epochs: EpochReport[]): void
}

export class TrainingLoop {
  readonly history: TrainingHistory = { epochs: [], bestEpoch: 0, ended: 'epochs' }
  readonly best: BestWeights
  readonly average: ExponentialMovingAverage | undefined
  readonly #plateau: ReduceOnPlateau | undefined
  readonly #printer: Printer
  readonly #held: ReturnType<AnyModule['namedState']>

  constructor(
    readonly model: AnyModule,
    readonly options: LoopOptions,
    readonly lock: Lock,
  ) {
    const { optimizer, epochs, earlyStopping, keepBest = false, verbose = 0 } = options
    const { ema, reduceOnPlateau } = options
    this.best = new BestWeights(model as Module, earlyStopping !== undefined || keepBest)
    this.average = ema && new ExponentialMovingAverage(model as Module, ema)
    this.#plateau = reduceOnPlateau && new ReduceOnPlateau(optimizer, reduceOnPlateau)
    this.#printer = new Printer(verbose, epochs)
    this.#held = model.namedState()
  }

  /** The epochs that were trained. */
  get done(): number {
    return this.history.epochs.length
  }

  /** Goes on where these epochs end. */
  begin(epochs: EpochReport[]): void {
    this.history.epochs = epochs
    for (const { validationLoss = Number.NaN } of epochs) this.#plateau?.note(validationLoss)
    this.best.begin(epochs.length)
  }

  /** Whether there is another epoch to be trained. */
  goesOn(): boolean {
    const { history, options } = this
    const patience = options.earlyStopping?.patience ?? Infinity
    if (this.best.epochsSince(this.done) >= patience) history.ended = 'earlyStopping'
    if (options.signal?.aborted) history.ended = 'aborted'
    return this.done < options.epochs && history.ended === 'epochs'
  }

  step(report: StepReport): void {
    this.#printer.step(report)
    this.options.onStep?.(report)
  }

  /** Tells how far the validation is; undefined where nobody wants to know. */
  get validationWatch(): ((progress: EvaluationProgress) => void) | undefined {
    if (this.options.verbose !== 1) return undefined
    return (progress) => this.#printer.validation(progress)
  }

  /** Does something with the averages in the place of the weights, where there are any. */
  validate<T>(fn: () => Promise<T>): Promise<T> {
    return this.average ? this.average.swapped(fn) : fn()
  }

  /**
   * Takes epochs into account, more than one only where nothing waits for one.
   * @param keeper that is to hold them
   */
  async add(reports: readonly EpochReport[], keeper?: Keeper): Promise<void> {
    const { epochs } = this.history
    const { onEpoch } = this.options
    const report = reports[reports.length - 1]
    epochs.push(...reports)
    for (const one of reports) this.#printer.epoch(one)
    const { epoch, validationLoss } = report
    if (this.best.wanted) await this.validate(() => this.best.offer(epoch, validationLoss))
    if (validationLoss !== undefined) this.#plateau?.update(validationLoss)
    keeper?.save(epochs)
    if (onEpoch) await this.lock.lend(() => onEpoch(report))
    refuseReplaced(this.model as Module, this.#held)
    keeper?.saveSettings(epochs)
  }

  /** Puts the best weights, or the averages, into the model. */
  async end(): Promise<TrainingHistory> {
    const restored = await this.best.restore()
    if (restored === undefined) this.average?.apply()
    const { history } = this
    // An iterable may end when the signal is aborted.
    if (history.ended === 'epochs' && this.options.signal?.aborted) history.ended = 'aborted'
    history.bestEpoch = restored ?? this.done
    return history
  }

  dispose(): void {
    this.#printer.close()
    this.model.eval()
    this.best.dispose()
    this.average?.dispose()
  }
}
