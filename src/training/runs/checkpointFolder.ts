/** The checkpoints in a run's folder: the newest stay, and that of the best epoch. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckpointFiles } from '../checkpoint.js'
import type { EpochReport } from '../report.js'
import { CHECKPOINTS, METRICS } from './names.js'

const NAME = /^epoch-(?<epoch>\d+)(?:-step-(?<step>\d+))?\.safetensors$/

/** A file, and how far the run was: whole epochs, and steps of the next one. */
interface Found {
  file: string
  epoch: number
  step: number
}

export class CheckpointFolder implements CheckpointFiles {
  constructor(
    readonly path: string,
    readonly keep: number,
  ) {}

  get locked(): string {
    return join(this.path, METRICS)
  }

  /** Makes the folders where there are none. */
  make(): void {
    mkdirSync(join(this.path, CHECKPOINTS), { recursive: true })
  }

  list(): string[] {
    return this.#found().map(({ file }) => file)
  }

  pathAt(epochs: number, steps: number): string {
    const within = steps > 0 ? `-step-${steps}` : ''
    return join(this.path, CHECKPOINTS, `epoch-${epochs}${within}.safetensors`)
  }

  /** Removes those that are no longer among the newest. */
  wrote(epochs: readonly EpochReport[], steps: number): void {
    const now = { epoch: epochs.length, step: steps }
    const all = this.#found()
    // Of another past than the one that the run went on from.
    const later = all.filter((found) => byPosition(found, now) < 0)
    const done = all.slice(later.length)
    const kept = new Set([
      ...done.slice(0, this.keep),
      done.find(({ step }) => step === 0),
      done.find(({ epoch, step }) => step === 0 && epoch === bestOf(epochs)),
    ])
    this.#remove(all.filter((found) => !kept.has(found)))
  }

  /** Removes those within the epoch after these. */
  removePart(epochs: number): void {
    this.#remove(this.#found().filter(({ epoch, step }) => epoch === epochs && step > 0))
  }

  #remove(files: readonly Found[]): void {
    for (const { file } of files) rmSync(file, { force: true })
  }

  /** The newest first. */
  #found(): Found[] {
    const folder = join(this.path, CHECKPOINTS)
    return namesIn(folder)
      .flatMap((name) => {
        const { epoch, step = '0' } = NAME.exec(name)?.groups ?? {}
        if (epoch === undefined) return []
        return [{ file: join(folder, name), epoch: Number(epoch), step: Number(step) }]
      })
      .sort(byPosition)
  }
}

function byPosition(a: Omit<Found, 'file'>, b: Omit<Found, 'file'>): number {
  return b.epoch - a.epoch || b.step - a.step
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The epoch of the lowest validation loss; undefined where none was validated. */
export function bestOf(
  epochs: readonly Pick<EpochReport, 'epoch' | 'validationLoss'>[],
): number | undefined {
  const validated = epochs.filter(({ validationLoss }) => validationLoss !== undefined)
  const lowest = Math.min(...validated.map(({ validationLoss = Infinity }) => validationLoss))
  return validated.find(({ validationLoss }) => validationLoss === lowest)?.epoch
}
