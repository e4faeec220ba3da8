/** The weights and buffers of the epoch with the lowest validation loss, on the model's own backend. */

import { ArgumentError } from '../base/errors.js'
import { type Captured, capture } from '../capture/capture.js'
import type { Module, ParameterValues } from '../nn/module.js'
import { tensor } from '../tensor/create.js'
import { format, sameShape } from '../tensor/shape.js'
import { within } from '../tensor/storage.js'
import type { Tensor } from '../tensor/tensor.js'

type State = ReadonlyMap<string, ParameterValues>

export class BestWeights {
  #loss = Infinity
  #epoch = 0
  /** Before the first that was offered. */
  #begin = 0
  #weights: readonly Tensor[] = []
  readonly #save: Captured<[], Tensor[]>
  readonly #restore: Captured<[], void>

  constructor(
    readonly model: Module,
    readonly wanted: boolean,
  ) {
    // Captured, so that copying large weights does not hold JavaScript up.
    this.#save = capture(() => [...model.namedState().values()].map((tensor) => tensor.clone()))
    this.#restore = capture(() => {
      const state = [...model.namedState().values()]
      for (const [i, tensor] of state.entries()) tensor.assign(this.#weights[i])
    })
  }

  async offer(epoch: number, validationLoss = Infinity): Promise<void> {
    if (!this.wanted || !(validationLoss < this.#loss)) return
    const weights = await this.#save.run()
    for (const old of this.#weights) old.dispose()
    this.#loss = validationLoss
    this.#epoch = epoch
    this.#weights = weights
  }

  epochsSince(epoch: number): number {
    return epoch - Math.max(this.#epoch, this.#begin)
  }

  /** Epochs up to this one were trained without looking for the best. */
  begin(epoch: number): void {
    if (this.#epoch === 0) this.#begin = epoch
  }

  /** The epoch whose weights these are, null when none were kept. */
  get found(): { epoch: number; loss: number } | null {
    return this.#epoch > 0 ? { epoch: this.#epoch, loss: this.#loss } : null
  }

  /** The weights by their names. */
  stateDict(): State {
    const names = this.#epoch > 0 ? [...this.model.namedState().keys()] : []
    return new Map(
      names.map((name, i) => {
        const { shape } = this.#weights[i]
        return [name, { shape, data: this.#weights[i].data() }]
      }),
    )
  }

  /** Goes on from what another run had found. @throws ArgumentError for weights of another model */
  resume({ epoch, loss }: { epoch: number; loss: number }, state: State): void {
    if (!this.wanted) return
    const weights = [...this.model.namedState()].map(([name, { shape }]) => {
      const found = state.get(name)
      if (found && sameShape(found.shape, shape)) return found
      throw new ArgumentError(`checkpoint: expected the best ${name} of shape ${format(shape)}`)
    })
    this.#weights = within(null, () => weights.map(({ data, shape }) => tensor(data, shape)))
    this.#epoch = epoch
    this.#loss = loss
  }

  /** Puts the weights back; the epoch they are from, undefined when none was kept. */
  async restore(): Promise<number | undefined> {
    if (this.#epoch === 0) return undefined
    await this.#restore.run()
    return this.#epoch
  }

  /**
   * What was reached before the loss diverged, or a callback threw, is worth keeping. Where that fails, as
   * for a model that the callback disposed of, the first error is the one to be thrown.
   */
  async restoreAfterError(): Promise<void> {
    await this.restore().catch(({ message }: Error) =>
      process.emitWarning(`fit: the best weights could not be put back (${message})`, {
        type: 'NeuroblasWarning',
      }),
    )
  }

  dispose(): void {
    for (const weight of this.#weights) weight.dispose()
    this.#save.dispose()
    this.#restore.dispose()
  }
}
