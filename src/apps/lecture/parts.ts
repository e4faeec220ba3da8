/** The four parts of the lecture. */
import type { Experiment } from './experiment.js'

/** Each with its title and the last of its items. */
const PARTS = [
  { title: 'Feedforward networks', last: 6 },
  { title: 'Training', last: 14 },
  { title: 'Deep networks', last: 18 },
  { title: 'In practice', last: 20 },
] as const

/** Such as `Part 1: Feedforward networks`. */
export function partOf({ items }: Pick<Experiment, 'items'>): string {
  const part = PARTS.findIndex(({ last }) => items[0] <= last)
  return `Part ${part + 1}: ${PARTS[part].title}`
}
