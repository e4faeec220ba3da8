import { count, epochTitle, figure, metricTexts, Progress, percent, rate } from '../../internal.js'
import type { EndEvent, EpochEvent, ReadEvent, Reporter, StartEvent, StepEvent } from './events.js'
import { print, table } from './table.js'
import { epochText, isShown, reportText, tableRows } from './tableText.js'
import type { RegressionFigures } from './testing.js'

export class JsonReporter implements Reporter {
  reading(): void {}

  start(event: StartEvent): void {
    this.#write('start', event)
  }

  step(): void {}

  epoch(event: EpochEvent): void {
    this.#write('epoch', event)
  }

  end(event: EndEvent): void {
    this.#write('end', event)
  }

  close(): void {}

  #write(event: string, fields: object): void {
    print(JSON.stringify({ event, ...fields }))
  }
}

export class TextReporter implements Reporter {
  readonly #progress = new Progress(process.stdout)
  /** Of a table that goes on until it gets no better, few epochs are shown. */
  #isShort = false

  reading({ read, of }: ReadEvent): void {
    const note = (seconds: number) => `${count(Math.round(read / seconds))} images/s`
    this.#progress.update({ title: `reading ${count(of)} images`, done: read / of, note })
    if (read === of) this.close()
  }

  start(event: StartEvent): void {
    this.#isShort = event.table !== undefined && event.patience !== undefined
    print(describe(event))
    this.#progress.restart()
  }

  step({ title, done, whole, loss, examples }: StepEvent): void {
    if (this.#isShort) {
      this.#progress.update({ title, done: whole, note: () => `loss ${figure(loss)}` })
      return
    }
    const note = (seconds: number) => `loss ${figure(loss)}  ${rate(examples / seconds)}`
    this.#progress.update({ title, done, note })
  }

  epoch(event: EpochEvent): void {
    if (this.#isShort) {
      this.#progress.clear()
      if (isShown(event)) print(epochText(event))
      return
    }
    this.#progress.restart()
    print(
      [
        epochTitle(event.epoch, event.epochs),
        `loss ${figure(event.loss)}`,
        `regularization loss ${figure(event.regularizationLoss)}`,
        event.validationAccuracy === undefined
          ? `validation loss ${figure(event.validationLoss as number)}`
          : `validation ${percent(event.validationAccuracy)}`,
        ...metricTexts(event.validationMetrics),
        rate(event.examplesPerSecond),
      ].join('  '),
    )
  }

  end(event: EndEvent): void {
    this.close()
    print(outcome(event))
  }

  close(): void {
    this.#progress.clear()
  }
}

function describe(e: StartEvent): string {
  if (e.table !== undefined) return table(tableRows(e, e.table), 'll')
  const all = count(e.trainExamples + e.validationExamples)
  const parts = `${count(e.trainExamples)} to train on, ${count(e.validationExamples)} held out for validation`
  const regularizers = [e.l1 > 0 && `l1 ${e.l1}`, e.l2 > 0 && `l2 ${e.l2}`].filter(Boolean)
  const settings = [
    `batches of ${e.batchSize}`,
    `lr ${e.lr} falling to 0`,
    e.optimizer === 'sgd' ? `momentum ${e.momentum}` : e.optimizer,
    ...regularizers,
    `seed ${e.seed}`,
  ]
  const hidden = [e.activation, ...(e.dropout > 0 ? [`dropout ${e.dropout}`] : [])].join(', ')
  const threads = e.threads === 1 ? '1 thread' : `${e.threads} threads`
  return table(
    [
      ['data', `${e.dataset}: ${all} ${e.kind} (${parts}), ${count(e.testExamples)} to test on`],
      ...(e.target === undefined ? [] : [['target', `${e.target}, to ${e.task}`]]),
      ['network', `${layersOf(e)}, ${hidden}: ${count(e.parameters)} parameters`],
      ['training', `${e.loss}, ${settings.join(', ')}`],
      ['backend', `${e.backend === 'js' ? 'pure JavaScript' : e.backend}, ${threads}`],
    ],
    'll',
  )
}

function layersOf({ layers, filters }: StartEvent): string {
  if (filters === undefined) return layers.join('-')
  return `${layers[0]}, convolutions ${filters.join('-')}, ${layers.slice(1).join('-')}`
}

/** The figures of a regression. */
export function regressionText({ r2, mae }: RegressionFigures): string {
  return `R² ${r2.toFixed(4)}  mean absolute error ${Number(mae.toPrecision(4))}`
}

function outcome(e: EndEvent): string {
  if (e.testLoss === null) {
    return `stopped by ${e.ended} before the first step; nothing saved`
  }
  const lines = []
  if (e.ended === 'earlyStopping') lines.push('ended early: the validation loss no longer fell')
  else if (e.ended === 'diverged') lines.push('diverged: went back to the last good epoch')
  else if (e.ended !== 'epochs') lines.push(`stopped by ${e.ended}`)
  if (e.bestEpoch !== e.epochs) {
    lines.push(`kept the weights of epoch ${e.bestEpoch}: the lowest validation loss`)
  }
  const tested =
    e.testAccuracy === null
      ? regressionText({ r2: e.testR2 as number, mae: e.testMae as number })
      : `accuracy ${percent(e.testAccuracy)}`
  lines.push(
    [`test ${tested}`, `loss ${figure(e.testLoss)}`, ...metricTexts(e.testMetrics)].join('  '),
  )
  const left = e.left === null ? '' : `: ${e.left} stays as it was, for no epoch had ended`
  if (e.report !== undefined) lines.push('', reportText(e.report), '')
  lines.push(e.saved === null ? `not saved${left}` : `saved to ${e.saved}`)
  return lines.join('\n')
}
