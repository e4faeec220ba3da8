/** `metrics.jsonl`: what became of a run, a JSON object per line, by its steps, its epochs and its end. */
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomically } from '../../io/files.js'
import type { MetricValues } from '../../metrics/names.js'
import { decodeNumbers, encodeNumbers } from '../checkpointNotes.js'
import type { EpochReport, TrainingHistory } from '../report.js'
import { METRICS } from './names.js'

/** A sampled step: counted over all epochs, and the mean loss of its batch. */
export interface StepEvent {
  event: 'step'
  epoch: number
  step: number
  loss: number
}

/** An epoch that ended; its last step is counted over all epochs. */
export type EpochEvent = { event: 'epoch'; step: number } & EpochReport

/** Why training ended, and for a divergence what was found. */
export interface EndEvent {
  event: 'end'
  ended: TrainingHistory['ended']
  bestEpoch?: number
  message?: string
}

/** What the model did on data that it was not trained on. */
export interface TestEvent {
  event: 'test'
  loss: number
  accuracy?: number
  metrics?: MetricValues
}

export type RunEvent = StepEvent | EpochEvent | EndEvent | TestEvent

const lineOf = (event: RunEvent) => `${encodeNumbers(event)}\n`

/** The events of a file, without lines that are cut off or no events. */
export function readEvents(path: string): RunEvent[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        const event = decodeNumbers(line) as RunEvent | null
        return typeof event?.event === 'string' ? [event] : []
      } catch {
        return []
      }
    })
}

/** Adds to the file of a run what its model did on data that it was not trained on. */
export function noteTest(run: string, test: Omit<TestEvent, 'event'>): void {
  appendFileSync(join(run, METRICS), lineOf({ event: 'test', ...test }))
}

// Lines that nobody reads yet wait for so many milliseconds.
const DELAY = 1000

/** Adds lines to a file. Where the disk does not take them, there is one warning. */
export class MetricsLog {
  #lines: string[] = []
  #flushed = performance.now()
  #hasWarned = false

  constructor(readonly path: string) {}

  /** Begins the file anew with these events. */
  begin(events: readonly RunEvent[]): void {
    writeFileAtomically(this.path, Buffer.from(events.map(lineOf).join('')))
  }

  add(event: RunEvent): void {
    this.#lines.push(lineOf(event))
    if (performance.now() - this.#flushed > DELAY) this.flush()
  }

  /** Writes what waits. */
  flush(): void {
    this.#flushed = performance.now()
    if (this.#lines.length === 0) return
    const text = this.#lines.join('')
    this.#lines = []
    try {
      appendFileSync(this.path, text)
    } catch (error) {
      if (this.#hasWarned) return
      this.#hasWarned = true
      process.emitWarning(
        `fit: ${this.path} could not be written (${(error as Error).message}); training goes on without it`,
        { type: 'NeuroblasWarning' },
      )
    }
  }
}
