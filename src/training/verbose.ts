/** What `fit` and `evaluate` print of themselves: a bar that moves, and of `fit` a line per epoch. */
import { ArgumentError, excerpt } from '../base/errors.js'
import { Progress } from '../base/progress.js'
import { figure, percent, perSecond, rate } from '../base/text.js'
import type { MetricValues } from '../metrics/names.js'
import type { EpochReport, EvaluationProgress, StepReport, Verbosity } from './report.js'

export function checkVerbose(op: string, verbose: unknown, most: 1 | 2): void {
  const choices: readonly unknown[] = [0, 1, 2].slice(0, most + 1)
  if (choices.includes(verbose)) return
  const expected = most === 1 ? '0 or 1' : '0, 1 or 2'
  throw new ArgumentError(`${op}: expected verbose ${expected}, got ${excerpt(verbose)}`)
}

/** Prints to the standard output. */
export class Printer {
  readonly #progress = new Progress(process.stdout)
  /** Σ loss over the steps of the epoch that were told of, and their number. */
  #sum = 0
  #steps = 0
  #title = ''

  constructor(
    readonly verbose: Verbosity,
    readonly epochs: number,
  ) {}

  step({ epoch, step, stepsPerEpoch, loss }: StepReport): void {
    if (this.verbose !== 1) return
    this.#begin(epochTitle(epoch, this.epochs))
    this.#sum += loss
    this.#steps++
    this.#progress.update({
      title: this.#title,
      done: step / stepsPerEpoch,
      note: (seconds) =>
        `loss ${figure(this.#sum / this.#steps)}  ${perSecond(this.#steps, seconds, 'steps')}`,
    })
  }

  validation(progress: EvaluationProgress): void {
    if (this.verbose !== 1) return
    this.#begin('validation')
    this.#progress.update({ title: this.#title, ...positionOf(progress) })
  }

  /** Another part of the work has another time to go. */
  #begin(title: string): void {
    if (title === this.#title) return
    this.#title = title
    this.#sum = 0
    this.#steps = 0
    this.#progress.restart()
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

/** Shows how far an evaluation is, on the error output: what it is for may be read from the other. */
export class EvaluationBar {
  readonly #progress = new Progress(process.stderr)

  update(progress: EvaluationProgress): void {
    this.#progress.update({ title: 'evaluation', ...positionOf(progress) })
  }

  close(): void {
    this.#progress.clear()
  }
}

function positionOf({ examples, total, loss }: EvaluationProgress) {
  const note = (seconds: number) => `loss ${figure(loss)}  ${rate(examples / seconds)}`
  return { done: total === undefined ? undefined : examples / total, note }
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
