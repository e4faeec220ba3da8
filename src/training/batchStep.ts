/** A step on a batch of any form: captured once for each shape, else op by op on this thread. */
import { ArgumentError, excerpt } from '../base/errors.js'
import { type Captured, capture } from '../capture/capture.js'
import type { MetricSource, MetricValues } from '../metrics/names.js'
import { type Loss, type TargetKind, traitsOf } from '../nn/losses.js'
import type { AnyModule } from '../nn/module.js'
import { scope } from '../tensor/scope.js'
import { type AnyTensor, isTensor, type Tensor } from '../tensor/tensor.js'
import { CaptureFallback } from './batchRunner.js'
import { describeForm, describeParts, inForm, type ReadBatch, withTensors } from './batchSource.js'
import { lossOf } from './forward.js'
import { MetricGroup } from './metricGroup.js'

/** A loss of all outputs and targets, in the form that they have. */
// biome-ignore lint/suspicious/noExplicitAny: outputs and targets have any form
export type AnyLoss = (outputs: any, targets: any) => Tensor

/** What is minimized: a function of everything, or for some outputs one of that output and its targets. */
export interface BatchLosses {
  /** What is minimized, of outputs and targets as they are. */
  loss?: AnyLoss
  /** In place of `loss`: one for each output that counts, by its name and that of its targets. Their sum is minimized. */
  losses?: Readonly<Record<string, Loss<TargetKind>>>
  /** What reports of epochs have besides, of a model's only output and its only targets. */
  metrics?: readonly MetricSource[]
}

export class BatchStep {
  readonly #step: Captured<AnyTensor[], Tensor[]>
  readonly #fallback: CaptureFallback
  readonly #metrics: MetricGroup | undefined
  /** That all batches have. */
  #form: ReadBatch | undefined

  /** @param take what is done with a batch, whose loss it is given a function of; gives that loss */
  constructor(
    readonly op: string,
    readonly model: AnyModule,
    readonly losses: BatchLosses,
    readonly take: (lossOf: () => Tensor) => Tensor,
  ) {
    this.#step = capture((...tensors: AnyTensor[]) => this.#take(tensors))
    this.#fallback = new CaptureFallback(op, this.#step)
    if (losses.metrics?.length) this.#metrics = new MetricGroup(op, losses.metrics)
  }

  /** Forgets what metrics have added up. */
  reset(): void {
    this.#metrics?.reset()
  }

  /** The metrics of all batches since then; undefined without any. */
  measured(): MetricValues | undefined {
    return this.#metrics?.compute()
  }

  /** The loss of the batch, before what is done with it. @throws ArgumentError for a batch of another form */
  run(batch: ReadBatch): Promise<number> {
    this.#form ??= batch
    const [wanted, found] = [this.#form, batch].map(describeForm)
    if (found !== wanted) {
      throw new ArgumentError(`${this.op}: expected batches of ${wanted} as at first, got ${found}`)
    }
    return withTensors(batch, (tensors) =>
      this.#fallback.try(
        async () => {
          const results = await this.#step.run(...tensors)
          try {
            return this.#read(batch, results)
          } finally {
            for (const tensor of results) tensor.dispose()
          }
        },
        async () => scope(() => this.#read(batch, this.#take(tensors))),
      ),
    )
  }

  /** Gives the loss, and adds the outputs to the metrics. */
  #read({ targets }: ReadBatch, [loss, outputs]: readonly Tensor[]): number {
    const value = loss.item()
    // What is not finite ends in an error that says more than metrics could.
    if (!outputs || !Number.isFinite(value)) return value
    const [wanted] = targets.parts
    this.#metrics?.add(
      { data: outputs.data(), shape: outputs.shape },
      { data: isTensor(wanted) ? wanted.data() : wanted.values, shape: wanted.shape },
      traitsOf(this.losses.loss).ignoreIndex,
    )
    return value
  }

  /** The loss, and where there are metrics the outputs. */
  #take(tensors: readonly AnyTensor[]): Tensor[] {
    const { inputs, targets } = this.#form as ReadBatch
    const given = inForm(inputs.form, tensors.slice(0, inputs.parts.length))
    const measured: Tensor[] = []
    const loss = this.take(() => {
      const outputs: unknown =
        inputs.form === 'list'
          ? this.model.forward(...(given as AnyTensor[]))
          : this.model.forward(given)
      if (this.#metrics) measured.push(this.#onlyOne(outputs, targets))
      return this.#lossOf(outputs, inForm(targets.form, tensors.slice(inputs.parts.length)))
    })
    return [loss, ...measured]
  }

  #onlyOne(outputs: unknown, targets: ReadBatch['targets']): Tensor {
    if (isTensor(outputs) && targets.form === 'one') return outputs
    const found = isTensor(outputs) ? 'one' : excerpt(outputs)
    throw new ArgumentError(
      `${this.op}: expected one output and one target beside metrics, got ${found} and targets ${describeParts(targets)}`,
    )
  }

  #lossOf(outputs: unknown, targets: unknown): Tensor {
    const { loss, losses } = this.losses
    if (loss) return lossOf(this.op, loss as Loss<TargetKind>, outputs as Tensor, targets as Tensor)
    return Object.entries(losses ?? {})
      .map(([name, loss]) => {
        const [output, target] = [outputs, targets].map((of) => this.#part(of, name))
        return lossOf(this.op, loss, output, target)
      })
      .reduce((sum, loss) => sum.add(loss))
  }

  #part(of: unknown, name: string): Tensor {
    const part = (of as Record<string, unknown> | undefined)?.[name]
    if (isTensor(part)) return part
    const names = typeof of === 'object' && of !== null && !isTensor(of) ? Object.keys(of) : []
    throw new ArgumentError(
      `${this.op}: expected an output and a target for each of losses, got ${names.join(', ') || 'one tensor'} without ${name}`,
    )
  }

  dispose(): void {
    this.#step.dispose()
  }
}
