/** What the optimizers of Keras share: a learning rate that can be set, and velocities that hold steps. */

import type { Optimizer as EngineOptimizer } from '../../index.js'
import { atLeast0, checkNumber, isBranded } from '../../internal.js'
import type { ParameterGroup } from './network.js'

const BRAND = Symbol.for('neuroblas.keras.Optimizer')

/** Base of the optimizers. Each model that is compiled with one has a state of its own. */
export abstract class Optimizer {
  #learningRate: number

  /**
   * An optimizer with a learning rate.
   * @throws ArgumentError when it is below 0
   */
  constructor(learningRate = 0.001) {
    this.#learningRate = learningRate
    this.learningRate = learningRate
  }

  /**
   * What `get` asks for.
   * @internal
   */
  get [BRAND](): boolean {
    return #learningRate in this
  }

  /** The learning rate, >= 0. */
  get learningRate(): number {
    return this.#learningRate
  }

  /**
   * Takes effect with the next step.
   * @throws ArgumentError when it is below 0
   */
  set learningRate(lr: number) {
    checkNumber('optimizer', 'learningRate', lr, atLeast0, '>= 0')
    const before = this.#learningRate
    this.#learningRate = lr
    if (lr !== before) this.rateChanged(before)
  }

  /**
   * The library's optimizer for these parameters.
   * @internal
   */
  abstract build(groups: ParameterGroup[]): EngineOptimizer

  /**
   * Frees what one that was built keeps.
   * @internal
   */
  free(engine: EngineOptimizer): void {
    engine.dispose()
  }

  /** Told when the learning rate is another one. */
  protected rateChanged(_before: number): void {}
}

/** Whether it is one of them. */
export function isKerasOptimizer(value: unknown): value is Optimizer {
  return isBranded(value, BRAND)
}

/**
 * Those whose velocity is v ← momentum·v - learningRate·step, so that a new learning rate leaves what it holds
 * as it is. The engine's is that of steps without the learning rate.
 */
export abstract class VelocityOptimizer extends Optimizer {
  #engines: WeakRef<EngineOptimizer>[] = []

  /** The learning rate that a velocity is divided by: at 0 it is kept, and gradients count for nothing. */
  protected velocityRate(): number {
    return velocityRate(this.learningRate)
  }

  /** Keeps an eye on an engine that has velocities. */
  protected watch<Engine extends EngineOptimizer>(engine: Engine): Engine {
    this.#engines = [...this.#engines.filter((old) => old.deref()), new WeakRef(engine)]
    return engine
  }

  /** @internal */
  override free(engine: EngineOptimizer): void {
    this.#engines = this.#engines.filter((built) => built.deref() !== engine)
    super.free(engine)
  }

  /** The engine's velocity is -v / learningRate: v stays. */
  protected override rateChanged(before: number): void {
    const factor = velocityRate(before) / this.velocityRate()
    for (const engine of this.#engines) {
      const state = engine.deref()?.stateDict()
      if (state === undefined) continue
      const tensors = new Map(
        [...state.tensors].map(([name, { shape, data }]) => {
          const isVelocity = name.startsWith('velocity.')
          return [name, { shape, data: isVelocity ? data.map((value) => value * factor) : data }]
        }),
      )
      engine.deref()!.loadStateDict({ ...state, tensors })
    }
  }
}

function velocityRate(learningRate: number): number {
  return Math.max(learningRate, 1e-20)
}
