/** What a compiled model is trained with, made when its layers are known. */
import {
  type Dataset,
  type Optimizer as EngineOptimizer,
  Sequential as EngineSequential,
  evaluate,
  fullLike,
  type Loss,
  type MetricSource,
  type Module,
  type Tensor,
} from '../../index.js'
import { sizeOf, whileAsking } from '../../internal.js'
import type { ActivationName } from './activations.js'
import type { Logs } from './callback.js'
import type { Compiled } from './compiled.js'
import { groupsOf, type Network, penaltyOf } from './network.js'
import { batchMetricsOf, epochMetricsOf, type Objective, objectiveOf } from './objective.js'
import { RunningMetrics } from './runningMetrics.js'

// Beside the metrics that users name.
const PENALTY = 'penalty'

export class Training {
  readonly kind: Objective['kind']
  /** The loss of a batch that is trained on, which adds up its metrics and its penalty. */
  readonly loss: Loss
  /** The same of one that is not. */
  readonly #evaluated: Loss
  /** Metrics of their own: a model may be evaluated between two steps of training. */
  readonly #evaluatedMetrics: RunningMetrics
  /** The network, without the last activation where the loss is computed from logits. */
  readonly model: Module
  readonly metrics: RunningMetrics
  /** Those that are no means of batches. */
  readonly epochMetrics: readonly MetricSource[]

  /**
   * A model's training.
   * @param activation what the model ends with
   * @throws ArgumentError for a loss that does not belong to it
   */
  constructor(
    network: Network,
    { loss: given, metrics }: Compiled,
    readonly engine: EngineOptimizer,
    activation: ActivationName | undefined,
  ) {
    const { body, last } = network
    const { loss, kind, takesLogits } = objectiveOf(given, activation)
    const activate = (outputs: Tensor) => (takesLogits && last ? last.forward(outputs) : outputs)
    const groups = groupsOf(network)
    const isPenalized = groups.some(({ regularizer }) => regularizer)
    const penalty = (outputs: Tensor) =>
      (penaltyOf(groups) ?? fullLike(outputs, 0, [])).mul(outputs.shape[0])
    this.kind = kind
    // Without activation, outputs are compared with 0 as logits, and with 0.5 as Keras does otherwise.
    this.epochMetrics = epochMetricsOf(metrics, sizeOf(network.outputShape), takesLogits)
    this.model = takesLogits || !last ? body : new EngineSequential(body, last)
    const all = [
      ...batchMetricsOf(metrics, activate),
      ...(isPenalized ? [{ name: PENALTY, sum: penalty }] : []),
    ]
    this.metrics = new RunningMetrics(all)
    this.#evaluatedMetrics = new RunningMetrics(all)
    // A look at the loss in between is no part of the epoch.
    this.loss = this.metrics.along(loss, () => body.training)
    this.#evaluated = this.#evaluatedMetrics.along(loss)
  }

  /** The figures of the examples since the metrics were reset, whose losses have this mean. */
  logs(loss: number, examples: number): Logs {
    return logsOf(this.metrics, loss, examples)
  }

  /** In its turn: the sums of the metrics are those of one evaluation. */
  evaluate(data: Dataset, batchSize?: number): Promise<Logs> {
    const metrics = this.#evaluatedMetrics
    const figures = async () => {
      metrics.reset()
      const { loss, metrics: ofAll = {} } = await evaluate(this.model, data, {
        loss: this.#evaluated,
        batchSize,
        metrics: this.epochMetrics,
      })
      const penalized = loss + this.engine.regularizationLoss()
      return { ...logsOf(metrics, loss, data.size), ...(ofAll as Logs), loss: penalized }
    }
    return whileAsking('evaluate', this.model, figures, metrics.memory)
  }

  dispose(): void {
    this.metrics.dispose()
    this.#evaluatedMetrics.dispose()
  }
}

function logsOf(metrics: RunningMetrics, loss: number, examples: number): Logs {
  const { [PENALTY]: penalty = 0, ...figures } = metrics.means(examples)
  return { loss: loss + penalty, ...figures }
}
