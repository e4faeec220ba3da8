/**
 * What the benchmark and a contestant's process tell each other, so that contestants can be written
 * in any language. The process gets a Job as JSON in its last argument, loads it, warms up (training:
 * takes its first 100 steps), and prints a Ready line. Then it answers every line on its input, a
 * number of seconds, with a Round line, and ends when its input does.
 */
import { join } from 'node:path'
import type { Case, ImagesCase } from './cases.js'

/** Training steps that losses are compared after. */
export const CHECKED_STEPS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100]
/** Examples at the data set's beginning that the loss is the mean over. */
export const CHECKED_EXAMPLES = 1024
/** The file of the data that most cases have in common. */
export const DATA = 'data.safetensors'
/** Of an image of MNIST. */
export const PIXELS = 784
/** Seed of weights and batch orders. */
export const SEED = 1

/** Values of `NEUROBLAS_SIMD`, and what an ARM processor has. */
export const LEVELS = ['avx512', 'avx2', 'baseline', 'neon'] as const
export type Level = (typeof LEVELS)[number]

export interface Job {
  contestant: string
  case: Case
  /** Threads it may compute with. */
  threads: number
  /** Level of the vector instructions that it is to use, where they were asked for. */
  level?: Level
  /** Safetensors files, which every language can read; absent ones are not needed by the case. */
  files: Files
  checkedSteps: readonly number[]
  checkedExamples: number
}

export interface Files {
  /** `images` [n, pixels] uint8, channels last, to be scaled by 1/255, and `labels` [n] int32. */
  data: string
  /**
   * Initial weights: `layers.0.weight` [fanIn, fanOut], `layers.0.bias`, `layers.2.weight`, …; of
   * convolutions [height, width, channels, filters].
   */
  weights: string
  /**
   * `order` int32: the examples of the first 100 batches, or more, one batch after another. Whoever
   * goes on after them starts again at its beginning.
   */
  order: string
}

/** The first line. A contestant that is not installed says why it cannot take part. */
export interface Ready {
  unavailable?: string
  /**
   * Mean loss over the first 1024 examples after each of the checked steps, as far as they could be
   * taken; none if not comparable.
   */
  losses?: readonly number[]
  /** What is measured: library and version. */
  version?: string
  /** Of this project: what computes its products, and the level of its vector instructions. */
  engine?: string
  level?: string
  /** What is different about this contestant's step, in one line. */
  note?: string
}

/** Figures of a case beside its time, by name. */
export type Figures = Record<string, number>

/** Over at least the seconds that were asked for. */
export interface Round {
  /** Mean time of a step. */
  usPerStep: number
  /** The same of each window of some whole steps, 0.1 s or longer; none where there is no such window. */
  windows?: readonly number[]
  figures?: Figures
}

/** Whether the images of a case have so many pixels. */
export const isOfPixels = ({ image: [height, width, channels] }: ImagesCase, pixels: number) =>
  height * width * channels === pixels

/** Where the files of a case lie; the data of all that have as many pixels as MNIST is the same. */
export function filesOf(folder: string, c: Case): Files {
  const own = c.kind === 'images' && !isOfPixels(c, PIXELS) ? `${c.id}.` : ''
  return {
    data: join(folder, own + DATA),
    weights: join(folder, `${c.id}.weights.safetensors`),
    order: join(folder, `${c.id}.order.safetensors`),
  }
}

export function jobOf(
  c: Case,
  who: Pick<Job, 'contestant' | 'threads' | 'level'>,
  folder: string,
): Job {
  return {
    ...who,
    case: c,
    files: filesOf(folder, c),
    checkedSteps: CHECKED_STEPS,
    checkedExamples: CHECKED_EXAMPLES,
  }
}
