/** What `fit` prints of itself: a bar that moves, and a line per epoch. */
import { ArgumentError, excerpt } from '../base/errors.js'
import { Progress } from '../base/progress.js'
import { figure, percent, rate } from '../base/text.js'
import type { MetricValues } from '../metrics/names.js'
import type { EpochReport, StepReport, Verbosity } from './report.js'

export function checkVerbose(verbose: unknown): void {
  if (verbose === 0 || verbose === 1 || verbose === 2) return
  throw new ArgumentError(`fit: expected verbose 0, 1 or 2, got ${excerpt(verbose)}`)
}

/** Prints to the standard output. */
export class Printer {
  readonly #progress = new Progress(process.stdout)
  /** Σ loss over the steps of the epoch. */
  #sum = 0

  constructor(
    readonly verbose: Verbosity,
    readonly epochs: number,
  ) {}

  step({ epoch, step, stepsPerEpoch, loss }: StepReport): void {
    if (this.verbose !== 1) return
    if (step === 1) this.#sum = 0
    this.#sum += loss
    this.#progress.update({
      title: epochTitle(epoch, this.epochs),
      done: step / stepsPerEpoch,
      note: () => `loss ${figure(this.#sum / step)}`,
    })
  }

  epoch(report: EpochReport): void {
    if (this.verbose === 0) return
    this.#progress.restart()
    process.stdout.write(`${epochLine(report, this.epochs)}\n`)
  }

  close(): void {
    this.#progress.clear()
  }
}

export function epochTitle(epoch: number, epochs: number): string {
  return `epoch ${`${epoch}`.padStart(`${epochs}`.length)}/${epochs}`
}

function epochLine(report: EpochReport, epochs: number): string {
  const { metrics, validationLoss, validationAccuracy, validationMetrics = {} } = report
  // It is told already.
  const { accuracy: _, ...others } = validationMetrics
  return [
    epochTitle(report.epoch, epochs),
    `loss ${figure(report.loss)}`,
    ...metricTexts(metrics),
    ...(validationLoss === undefined ? [] : [`validation loss ${figure(validationLoss)}`]),
    ...(validationAccuracy === undefined ? [] : [`accuracy ${percent(validationAccuracy)}`]),
    ...metricTexts(validationAccuracy === undefined ? validationMetrics : others),
    rate(report.examplesPerSecond),
  ].join('  ')
}

/** Those that are one number. */
export function metricTexts(metrics: MetricValues = {}): string[] {
  return Object.entries(metrics).flatMap(([name, value]) =>
    typeof value === 'number' ? [`${name} ${figure(value)}`] : [],
  )
}
