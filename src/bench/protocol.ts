/**
 * What the benchmark and a contestant's process tell each other, so that contestants can be written
 * in any language. The process gets a Job as JSON in its last argument, loads it, warms up, takes
 * its first 100 steps, and prints a Ready line. Then it answers every line on its input, a number
 * of seconds, with a Round line, and ends when its input does.
 */
import { join } from 'node:path'
import type { Case } from './cases.js'

export interface Job {
  contestant: string
  case: Case
  /** Where the files of `filesOf` are. */
  folder: string
}

/** The first line. A contestant that is not installed says why it cannot take part. */
export interface Ready {
  unavailable?: string
  /** Mean loss over the first 1024 examples after 100 steps. */
  lossAfter100?: number | null
}

/** Mean time of a step over at least the seconds that were asked for. */
export interface Round {
  usPerStep: number
}

/** Training steps that the losses are compared after. */
export const CHECKED_STEPS = 100
/** Examples at the data set's beginning that the loss is the mean over. */
export const CHECKED_EXAMPLES = 1024
/** Seed of weights and batch orders. */
export const SEED = 1

/** Safetensors files, which every language can read. */
export function filesOf({ folder, case: { id } }: Pick<Job, 'folder' | 'case'>) {
  return {
    /** `images` [n, 784] uint8, to be scaled by 1/255, and `labels` [n] int32. */
    data: join(folder, 'data.safetensors'),
    /** Initial weights: `layers.0.weight` [fanIn, fanOut], `layers.0.bias`, `layers.2.weight`, … */
    weights: join(folder, `${id}.weights.safetensors`),
    /** `order` int32: the examples of the first 100 batches, or more, one batch after another. */
    order: join(folder, `${id}.order.safetensors`),
  }
}
