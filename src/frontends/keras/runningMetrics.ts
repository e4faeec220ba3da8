/** Metrics that are summed while a model is trained or evaluated, on the backend that computes it. */
import { noGrad, type Tensor, tensor } from '../../index.js'
import { addInPlace, memoryOf } from '../../internal.js'
import type { Logs } from './callback.js'
import type { Metric, Objective } from './objective.js'

export class RunningMetrics {
  /** Of each metric, its sum since `reset`. */
  readonly #sums: Tensor[]

  constructor(readonly metrics: readonly Metric[]) {
    this.#sums = metrics.map(() => tensor([0], []))
  }

  /** What stands for the memory of the sums. */
  get memory(): ReadonlySet<object> {
    return memoryOf(this.#sums)
  }

  /** The loss, which adds up the metrics of each batch that it is asked about, where they count. */
  along(loss: Objective['loss'], counts = () => true): Objective['loss'] {
    return (outputs, targets) => {
      if (!counts()) return loss(outputs, targets)
      for (const [i, metric] of this.metrics.entries()) {
        addInPlace(
          this.#sums[i],
          noGrad(() => metric.sum(outputs, targets)),
        )
      }
      return loss(outputs, targets)
    }
  }

  /** The mean of each metric over the examples since `reset`. */
  means(examples: number): Logs {
    return Object.fromEntries(
      this.metrics.map(({ name }, i) => [name, this.#sums[i].item() / examples]),
    )
  }

  reset(): void {
    for (const sum of this.#sums) sum.assign([0])
  }

  dispose(): void {
    for (const sum of this.#sums) sum.dispose()
  }
}
