/** What was done of an epoch that has not ended. */
import type { MetricStates } from './metricGroup.js'

export interface PartOfEpoch {
  /** Steps taken. */
  steps: number
  /** Examples of these steps. */
  examples: number
  /** Σ loss over the examples. */
  sum: number
  /** Time that the steps took. */
  milliseconds: number
  /** Where the generator of orders was before it drew this epoch's; undefined where none is drawn. */
  order?: readonly number[]
  /** What metrics have added up; undefined where one of them cannot say it. */
  metrics?: MetricStates
}
