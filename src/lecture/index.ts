/** Every experiment, in the order of the page. */
import type { Experiment } from './experiment.js'

export const experiments: readonly Experiment[] = []
