/** A step on a batch of any form: captured once for each shape, else op by op on this thread. */
import { ArgumentError } from '../base/errors.js'
import { type Captured, capture } from '../capture/capture.js'
import type { Loss, TargetKind } from '../nn/losses.js'
import type { AnyModule } from '../nn/module.js'
import { scope } from '../tensor/scope.js'
import { type AnyTensor, isTensor, type Tensor } from '../tensor/tensor.js'
import { CaptureFallback } from './batchRunner.js'
import { describeForm, inForm, type ReadBatch, withTensors } from './batchSource.js'
import { lossOf } from './forward.js'

/** A loss of all outputs and targets, in the form that they have. */
// biome-ignore lint/suspicious/noExplicitAny: outputs and targets have any form
export type AnyLoss = (outputs: any, targets: any) => Tensor

/** What is minimized: a function of everything, or for some outputs one of that output and its targets. */
export interface BatchLosses {
  /** What is minimized, of outputs and targets as they are. */
  loss?: AnyLoss
  /** In place of `loss`: one for each output that counts, by its name and that of its targets. Their sum is minimized. */
  losses?: Readonly<Record<string, Loss<TargetKind>>>
}

export class BatchStep {
  readonly #step: Captured<AnyTensor[], Tensor>
  readonly #fallback: CaptureFallback
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
          const loss = await this.#step.run(...tensors)
          const value = loss.item()
          loss.dispose()
          return value
        },
        async () => scope(() => this.#take(tensors).item()),
      ),
    )
  }

  #take(tensors: readonly AnyTensor[]): Tensor {
    return this.take(() => this.#lossOfBatch(tensors))
  }

  #lossOfBatch(tensors: readonly AnyTensor[]): Tensor {
    const { inputs, targets } = this.#form as ReadBatch
    const given = inForm(inputs.form, tensors.slice(0, inputs.parts.length))
    const outputs: unknown =
      inputs.form === 'list'
        ? this.model.forward(...(given as AnyTensor[]))
        : this.model.forward(given)
    return this.#lossOf(outputs, inForm(targets.form, tensors.slice(inputs.parts.length)))
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
